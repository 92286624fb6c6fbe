using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

public sealed class LedgerOutageTests(ITestOutputHelper log)
{
    [Fact]
    public async Task PostgreSQL_is_restarted_while_requests_run_and_each_has_one_post_and_one_outcome()
    {
        await using var postgres = await PrivatePostgres.StartOwnAsync();
        await using var installation = await Installation.StartAsync(
            log, workers: 2, ledger: await postgres.CreateDatabaseAsync(), worker: [("Mavi__RequestsPerSecond", "20")]);
        var requests = await installation.RequestsAsync(40);
        // One POST is answered while the ledger is away: its task id stays in hand until it can be written.
        await installation.ArmAsync("""[{ "fault": "slow", "seconds": 3, "skip": 6 }]""");
        foreach (var request in requests)
            await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        var slow = await Eventually.GetAsync("a POST to be in flight", async () => (await installation.PostsAsync()).Where(post => post.Accepted).Skip(6).FirstOrDefault());

        await postgres.StopAsync();
        await installation.PostAsync("answered", slow.AssetId, post => post.Status == 200);
        foreach (var worker in installation.Workers)
        {
            await worker.SaysAsync("Waiting for the ledger database");
            Assert.Equal(503, (await worker.GetAsync("health/ready")).Status);
        }

        await postgres.StartAsync();
        await installation.EndAsync(requests, mayRepeat: true, TimeSpan.FromSeconds(60));
    }
}
