using Mavi.Ledger;
using Mavi.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Mavi.Tests.Ledger;

/// <summary>What the ledger costs in conversation with PostgreSQL, which is what a busy Worker pays for.</summary>
public sealed class RoundTripTests
{
    static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Every_operation_is_one_request_on_one_connection_and_what_comes_often_is_prepared()
    {
        var real = new NpgsqlConnectionStringBuilder(await (await PrivatePostgres.SharedAsync()).CreateDatabaseAsync());
        await using var link = new Link("ledger", [real.Port]);
        (real.Host, real.Port) = ("127.0.0.1", link.Port);
        await using var database = new LedgerDatabase(real.ConnectionString, NullLogger<LedgerDatabase>.Instance);
        var (tasks, callbacks, submissions) = (new TaskLedger(database), new CallbackLedger(database), new SubmissionLedger(database));
        await submissions.PrepareAsync(["Split"], None);

        var row = new TaskRow { Id = Guid.NewGuid().ToString(), TaskId = "t", State = TaskStates.AwaitingCallback };
        await IsOneAsync("a submission that is joined", async () => Assert.True((await tasks.WriteAsync(null, row, new HistoryNote("TaskSubmitted", "test"), None)).IsDone));
        await IsOneAsync("one that is joined already", async () => Assert.False((await tasks.WriteAsync(null, row, new HistoryNote("TaskSubmitted", "test"), None)).IsDone));
        var was = row.Version;
        row.State = TaskStates.Succeeded;
        await IsOneAsync("a callback that is joined", async () => Assert.True((await tasks.WriteAsync(was, row, new HistoryNote("VideoSplitCompleted", "test"), None)).IsDone));
        await IsOneAsync("a look", () => tasks.FindAsync(Guid.NewGuid(), None));
        await IsOneAsync("statements that return nothing", () => callbacks.SettleAsync("none", None));
        Assert.Equal(1, link.Connections);

        for (var i = 0; i < 10; i++)
            await tasks.FindAsync(Guid.NewGuid(), None);
        Assert.NotEqual(0, await database.RunAsync(
            "select count(*) from pg_prepared_statements where statement like 'select % from tasks where id = %'", new { }, static results => results.ReadSingleAsync<int>(), None));

        async Task IsOneAsync(string what, Func<Task> act)
        {
            var before = link.Requests;
            await act();
            Assert.True(link.Requests - before == 1, $"{what} took {link.Requests - before} requests");
        }
    }
}
