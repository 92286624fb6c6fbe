using System.Net.Http.Json;
using Mavi.Contracts;
using Mavi.HistoryChecker;
using Mavi.Tests.Sandbox;
using Mavi.Tests.Support;
using Mavi.Tests.Worker;
using Npgsql;

namespace Mavi.Tests.HistoryCheckerTests;

/// <summary>A real installation that the checker listens to from its first command on, and the ways to spoil what it will see.</summary>
sealed class CheckedSystem : IAsyncDisposable
{
    readonly Places _places;

    CheckedSystem(WorkerSystem system, Uri management)
    {
        System = system;
        _places = Places.Of(system.Broker, management, new Uri(system.Mavi.Url), system.LedgerAddress);
    }

    public WorkerSystem System { get; }

    public static async Task<CheckedSystem> StartAsync()
    {
        var system = await WorkerSystem.StartAsync();
        var @checked = new CheckedSystem(system, (await PrivateBroker.SharedAsync()).Management);
        await Taps.ListenAsync(system.Broker);
        // The system's own listeners take nothing here: what lies in them would be left in queues.
        foreach (var queue in new[]
        {
            nameof(SplitVideoSucceeded), nameof(SplitVideoFailed), nameof(ExtractFramesSucceeded), nameof(ExtractFramesFailed), nameof(SubmissionUncertain), nameof(TaskOverdue), nameof(TaskSubmitted),
        })
            await system.Bus.DeleteQueueAsync(queue);
        return @checked;
    }

    /// <summary>Requests of both operations, each of an asset of its own; returns the splits when all have ended.</summary>
    public async Task<IReadOnlyList<(Guid Request, string Asset)>> RunAsync(int splits, int frames = 0)
    {
        var requests = new List<(Guid, string)>();
        for (var i = 0; i < splits + frames; i++)
        {
            var asset = await System.Mavi.MadeUpAssetAsync();
            var request = i < splits ? await System.PublishAsync<SplitVideoRequested>(assetId: asset) : await System.PublishAsync<ExtractFramesRequested>(assetId: asset);
            requests.Add((request, asset));
        }

        await Eventually.TrueAsync("every outcome", async () =>
        {
            var messages = await Taps.ReadAsync(System.Broker);
            return requests.TrueForAll(request => messages.Any(message => Outcomes.IsOutcome(message) && message.RequestId == request.Item1.ToString()));
        });
        return [.. requests.Take(splits)];
    }

    /// <summary>What the program prints and returns.</summary>
    public async Task<(string Line, int Code, string Errors)> VerdictAsync()
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await Checker.RunAsync(
            ["verdict", "--broker", _places.Broker, "--management", _places.Management.OriginalString, "--journal", _places.Journal.OriginalString, "--ledger", _places.Ledger, "-v"],
            output, errors);
        return (output.ToString().TrimEnd(), code, errors.ToString());
    }

    /// <summary>A POST past the Worker.</summary>
    public async Task PostToMaviAsync(string asset)
    {
        using var http = new HttpClient();
        using var post = new HttpRequestMessage(HttpMethod.Post, $"{System.Mavi.Url}/serve/api/v2/video/split") { Content = JsonContent.Create(new { asset_id = asset }) };
        post.Headers.TryAddWithoutValidation("Authorization", SandboxHost.Key);
        using var answer = await http.SendAsync(post);
        answer.EnsureSuccessStatusCode();
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(System.LedgerAddress);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        Assert.NotEqual(0, await command.ExecuteNonQueryAsync());
    }

    public Task CountAsync(string what, string sql, long expected) => Eventually.TrueAsync(what, async () =>
    {
        await using var connection = new NpgsqlConnection(System.LedgerAddress);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync())! == expected;
    });

    public ValueTask DisposeAsync() => System.DisposeAsync();
}
