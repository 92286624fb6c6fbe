using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

public sealed class TwoWorkersTests(ITestOutputHelper log)
{
    [Fact]
    public async Task The_same_command_twice_at_the_same_moment_is_one_post_and_one_outcome()
    {
        await using var installation = await Installation.StartAsync(log, workers: 2);
        var requests = await installation.RequestsAsync(40);

        await using (await LedgerLock.TakeAsync(installation.Ledger, "submissions"))
        {
            await Task.WhenAll(requests.SelectMany(request => new[]
            {
                installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId),
                installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId),
            }));
            await Eventually.TrueAsync("both workers to have commands in hand", async () => await installation.ReadAsync<long>(
                """
                select count(distinct application_name) from pg_stat_activity
                 where application_name like 'worker-%' and wait_event_type = 'Lock' and query like '%from submissions where request_id%'
                """) == 2);
            await Eventually.TrueAsync("every command to be in hand", async () => await installation.Events.Bus.CountAsync("mavi-split-video") == 0);
        }

        await installation.EndAsync(requests);
    }
}
