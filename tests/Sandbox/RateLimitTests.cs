using Mavi.Tests.Support;

namespace Mavi.Tests.Sandbox;

public sealed class RateLimitTests
{
    [Fact]
    public async Task Two_of_one_operation_closer_than_a_second_are_one_too_many()
    {
        var clock = new FakeClock();
        await using var sandbox = await SandboxHost.StartAsync(clock, folder: null, "FakeMedia=true", "RequestsPerSecond=1");
        var id = await sandbox.MadeUpAssetAsync();

        Assert.Equal(200, await StatusAsync(sandbox, "split", id));
        clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(429, await StatusAsync(sandbox, "split", id));
        // The refused one counts too: a client that knocks too fast is never let in.
        clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(429, await StatusAsync(sandbox, "split", id));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, await StatusAsync(sandbox, "split", id));

        var submissions = (await sandbox.JournalAsync()).GetProperty("submissions").EnumerateArray().ToList();
        Assert.Equal([200, 429, 429, 200], submissions.Select(entry => entry.GetProperty("status").GetInt32()));
        Assert.Equal([true, false, false, true], submissions.Select(entry => entry.GetProperty("accepted").GetBoolean()));
        Assert.Equal([0, 999, 1998, 2998], submissions.Select(entry => entry.GetProperty("monotonicMs").GetDouble()));
        Assert.Equal("2026-01-02T03:04:07.998Z", submissions[3].GetProperty("time").GetString());
    }

    [Fact]
    public async Task Every_operation_has_its_own_limit()
    {
        await using var sandbox = await SandboxHost.StartAsync(new FakeClock(), folder: null, "FakeMedia=true", "RequestsPerSecond=1");
        var id = await sandbox.MadeUpAssetAsync();

        Assert.Equal(200, await StatusAsync(sandbox, "split", id));
        Assert.Equal(200, await StatusAsync(sandbox, "extract-frames", id));
        foreach (var (path, status) in new[] { ("metadata", 200), ("download", 200), ("metadata", 429), ("download", 429) })
        {
            using var response = await sandbox.Api.GetAsync($"{id}/{path}");
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Fact]
    public async Task The_answer_to_one_too_many_has_the_vendors_words()
    {
        await using var sandbox = await SandboxHost.StartAsync(new FakeClock(), folder: null, "FakeMedia=true", "RequestsPerSecond=0.5");
        var id = await sandbox.MadeUpAssetAsync();
        await sandbox.AcceptedAsync("split", id);
        using var refused = await sandbox.SubmitAsync("split", id);
        Assert.Equal("""{"code":429,"msg":"Rate limit exceeded","data":null}""", await refused.Content.ReadAsStringAsync());
        Assert.False(refused.Headers.Contains("Retry-After"));
    }

    [Fact]
    public async Task Of_many_at_the_same_moment_one_is_let_in()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true", "RequestsPerSecond=0.01");
        var id = await sandbox.MadeUpAssetAsync();
        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => StatusAsync(sandbox, "split", id)));
        Assert.Equal(1, statuses.Count(status => status == 200));
        Assert.Equal(19, statuses.Count(status => status == 429));
    }

    static async Task<int> StatusAsync(SandboxHost sandbox, string operation, string id)
    {
        using var response = await sandbox.SubmitAsync(operation, id);
        return (int)response.StatusCode;
    }
}
