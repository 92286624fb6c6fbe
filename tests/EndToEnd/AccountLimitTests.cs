using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

public sealed class AccountLimitTests(ITestOutputHelper log)
{
    [Fact]
    public async Task Cold_workers_keep_the_limit_of_the_account_from_their_first_request_on()
    {
        await using var installation = await Installation.StartAsync(log, worker: [("Mavi__RequestsPerSecond", "1")]);
        await installation.StopWorkersAsync();
        var requests = await installation.RequestsAsync(20);
        for (var i = 0; i < requests.Count; i += 2)
        {
            await installation.PublishAsync<SplitVideoRequested>(requests[i].Id, requests[i].AssetId);
            await installation.PublishAsync<ExtractFramesRequested>(requests[i + 1].Id, requests[i + 1].AssetId);
        }

        // No worker submits before the ledger is prepared: until both have their share in hand, it is not.
        await using (await LedgerLock.TakeAsync(installation.Ledger, "accounts"))
        {
            installation.LaunchWorker();
            installation.LaunchWorker();
            foreach (var queue in (string[])["mavi-split-video", "mavi-extract-frames"])
                await Eventually.TrueAsync($"the commands of {queue} to be in hand", async () => await installation.Events.Bus.CountAsync(queue) == 0);
        }

        await installation.Events.OutcomesAsync(requests);
        foreach (var operation in (string[])[Operations.Split, Operations.ExtractFrames])
        {
            // When they were let go, by the ledger's clock. When they arrive is a matter of this machine's load too: ./test.sh --limit measures it.
            var times = await installation.ReadAsync<long[]>(
                $"select array_agg(at order by at) from history join submissions using (request_id) where kind = 'Submitting' and operation = '{operation}'");
            Assert.Equal(requests.Count / 2, times!.Length);
            var gaps = times.Zip(times.Skip(1), (before, after) => after - before);
            Assert.All(gaps, gap => Assert.True(gap >= 1_000_000, $"two {operation} POSTs were let go only {gap} µs apart"));
        }

        await installation.EndAsync(requests);
        Assert.Equal(2L, await installation.ReadAsync<long>("select count(distinct worker) from submissions"));
    }
}
