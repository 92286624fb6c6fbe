using Mavi.Ledger;
using Mavi.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mavi.Tests.Ledger;

/// <summary>A new, prepared ledger on a clock that stands still, for each test of a suite.</summary>
public abstract class LedgerSuite(Func<Task<string>> newDatabase) : IAsyncLifetime
{
    protected static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    protected static readonly CancellationToken None = CancellationToken.None;

    protected FakeClock Clock { get; } = new();

    protected LedgerDatabase Database { get; private set; } = null!;

    protected SubmissionLedger Ledger => new(Database);

    protected SubmissionSweeps Sweeps => new(Database);

    protected string ConnectionString { get; private set; } = "";

    public async Task InitializeAsync()
    {
        ConnectionString = await newDatabase();
        Database = Open(Clock);
        await Ledger.PrepareAsync(["Split", "ExtractFrames"], None);
    }

    public async Task DisposeAsync() => await Database.DisposeAsync();

    protected Task<string> NewDatabaseAsync() => newDatabase();

    protected LedgerDatabase Open(FakeClock? clock) => new(ConnectionString, NullLogger<LedgerDatabase>.Instance, clock);

    protected static SubmissionRequest Request(string operation = "Split") => new(Guid.NewGuid(), operation, "re_1", "test");

    protected static Attempt AttemptOf(SubmissionRequest request, TimeSpan? spacing = null) => new(
        SubmissionLedger.NewId(), request, "worker", TimeSpan.FromMinutes(1), spacing ?? Second, TimeSpan.FromSeconds(15), MostUnanswered: 4);

    /// <summary>The next slot, which is not taken yet even where it is free at once.</summary>
    protected Task<Reservation> ReserveAsync(SubmissionRequest request) =>
        Ledger.ReserveAsync(AttemptOf(request), evenDeferred: true, Second, None);

    protected static AttemptEnd End(SubmissionState state, AccountEffect effect) => new(state, effect, new HistoryNote(state.ToString(), "worker"));

    protected static AttemptEnd Accepted(string taskId) => End(SubmissionState.Submitted, AccountEffect.Healthy) with { TaskId = taskId };

    /// <summary>The first event of a task is recorded.</summary>
    protected async Task<TaskRow> RecordedAsync(TaskRow row)
    {
        row.Id = Guid.NewGuid().ToString();
        Assert.True((await new TaskLedger(Database).WriteAsync(null, row, new HistoryNote("Test", "test"), None)).IsDone);
        return row;
    }

    /// <summary>The POST is let go; a deferred request's again.</summary>
    protected async Task<Attempt> ClaimedAsync(SubmissionRequest request)
    {
        var attempt = AttemptOf(request);
        if ((await Ledger.TakeAsync(attempt, evenDeferred: true, Second, None)).IsOurs)
            return attempt;
        var reservation = await Ledger.ReserveAsync(attempt, evenDeferred: true, Second, None);
        Clock.Advance(Moment.ToSpan(Math.Max(reservation.Slot!.Wait, 0)));
        Assert.True((await Ledger.ClaimAsync(attempt, reservation.Slot.Generation, None)).IsOurs);
        return attempt;
    }
}

/// <summary>The databases a suite runs on.</summary>
static class Databases
{
    public static async Task<string> PostgresAsync() => await (await PrivatePostgres.SharedAsync()).CreateDatabaseAsync();

    public static Task<string> SqliteAsync() => Task.FromResult($"Data Source={Path.Combine(Directory.CreateTempSubdirectory("mavi-ledger-").FullName, "mavi.db")}");
}
