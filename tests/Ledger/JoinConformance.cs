using System.Data.Common;
using System.Runtime.ExceptionServices;
using Mavi.Ledger;

namespace Mavi.Tests.Ledger;

/// <summary>The row of a task is changed by whoever knows it as it is, and by nobody else: what was presumed wrongly writes nothing, and is no error.</summary>
public abstract class JoinConformance(Func<Task<string>> newDatabase) : LedgerSuite(newDatabase)
{
    static readonly AsyncLocal<List<Exception>?> Thrown = new();

    TaskLedger Tasks => new(Database);

    [Fact]
    public async Task Everybody_who_changes_a_new_task_at_once_gets_his_change_in_and_nothing_is_thrown()
    {
        Thrown.Value = [];
        AppDomain.CurrentDomain.FirstChanceException += Note;
        try
        {
            for (var round = 0; round < 20; round++)
            {
                var id = Guid.NewGuid();
                var inserts = await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(() => AddAsync(id, writer))));
                Assert.Single(inserts, inserted => inserted);
                Assert.Equal("01234567", string.Concat((await Tasks.FindAsync(id, None))!.Message!.Order()));
                Assert.Equal(8, await HistoryOfAsync(id.ToString("N")));
            }
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Note;
        }

        Assert.Empty(Thrown.Value);

        static void Note(object? sender, FirstChanceExceptionEventArgs thrown)
        {
            if (thrown.Exception is DbException && Thrown.Value is { } list)
                lock (list)
                    list.Add(thrown.Exception);
        }
    }

    [Fact]
    public async Task A_row_that_was_written_is_as_it_would_be_read()
    {
        var written = await RecordedAsync(Waiting());
        await SameAsync(written);

        var was = written.Version;
        (written.State, written.ResultKind, written.Result, written.ReceivedAt, written.EndedAt) = (TaskStates.Succeeded, "VideoSplitCompleted", "{}", 5, 6);
        Assert.True(await WriteAsync(was, written));
        await SameAsync(written);

        async Task SameAsync(TaskRow row) => Assert.Equal(
            System.Text.Json.JsonSerializer.Serialize(await Tasks.FindAsync(Guid.Parse(row.Id), None)), System.Text.Json.JsonSerializer.Serialize(row));
    }

    [Theory]
    [InlineData("it is there already")]
    [InlineData("another event came")]
    [InlineData("it is overdue")]
    [InlineData("it is lost")]
    [InlineData("retention forgot it")]
    [InlineData("it was forgotten and is there again")]
    [InlineData("a worker of before changed it")]
    public async Task A_change_made_from_a_row_that_is_another_by_now_writes_nothing(string because)
    {
        var row = because == "retention forgot it" || because == "it was forgotten and is there again"
            ? new TaskRow { TaskId = "t", State = TaskStates.AwaitingSubmission, ResultKind = "VideoSplitCompleted", Result = "{}" }
            : Waiting();
        await RecordedAsync(row);
        var presumed = (TaskVersion?)row.Version;
        switch (because)
        {
            case "it is there already":
                presumed = null;
                break;
            case "another event came":
                Assert.True(await WriteAsync(presumed, Ended(row.Id)));
                break;
            case "it is overdue" or "it is lost":
                await ExpireAsync();
                if (because == "it is lost")
                    await ExpireAsync();
                break;
            case "a worker of before changed it":
                await Database.RunAsync("update tasks set state = 'Failed' where id = @Id", new { row.Id }, None);
                break;
            default:
                Clock.Advance(TimeSpan.FromDays(31));
                await new Retention(Database).PurgeAsync(TimeSpan.FromDays(30), None);
                if (because == "it was forgotten and is there again")
                    Assert.True(await WriteAsync(null, new TaskRow { Id = row.Id, TaskId = "t", State = TaskStates.AwaitingSubmission }));
                break;
        }

        var (before, history) = (await Tasks.FindAsync(Guid.Parse(row.Id), None), await HistoryOfAsync("t"));
        Assert.False(await WriteAsync(presumed, Ended(row.Id)));
        var after = await Tasks.FindAsync(Guid.Parse(row.Id), None);
        Assert.Equal((before?.State, before?.Transition, before?.Message), (after?.State, after?.Transition, after?.Message));
        Assert.Equal(history, await HistoryOfAsync("t"));
    }

    [Fact]
    public async Task A_row_of_before_transitions_were_kept_is_changed_once()
    {
        var row = await RecordedAsync(Waiting());
        await Database.RunAsync("update tasks set transition = null where id = @Id", new { row.Id }, None);
        var read = (await Tasks.FindAsync(Guid.Parse(row.Id), None))!.Version;
        Assert.Null(read.Transition);
        Assert.True(await WriteAsync(read, Ended(row.Id)));
        Assert.False(await WriteAsync(read, Ended(row.Id)));
    }

    static TaskRow Waiting() => new()
    {
        TaskId = "t",
        State = TaskStates.AwaitingCallback,
        Operation = "Split",
        RequestId = Guid.NewGuid().ToString(),
        AssetId = "re_1",
        SubmittedAt = 3,
        DueIn = TimeSpan.FromHours(2),
    };

    static TaskRow Ended(string id) => new() { Id = id, TaskId = "t", State = TaskStates.Succeeded, Message = "ended" };

    async Task ExpireAsync()
    {
        Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await new TaskSweeps(Database).ExpireAsync(TimeSpan.FromHours(2), TimeSpan.FromDays(1), "sweep", None));
    }

    async Task<bool> WriteAsync(TaskVersion? was, TaskRow row) => (await Tasks.WriteAsync(was, row, new HistoryNote("Test", "test"), None)).IsDone;

    /// <summary>As an event does it: made from the row as it was last seen, again and again.</summary>
    async Task<bool> AddAsync(Guid id, int writer)
    {
        for (TaskRow? row = null; ; row = await Tasks.FindAsync(id, None))
        {
            var was = row?.Version;
            row ??= new TaskRow { Id = id.ToString(), TaskId = id.ToString("N"), State = TaskStates.AwaitingCallback };
            row.Message += writer;
            if (await WriteAsync(was, row))
                return was is null;
        }
    }

    Task<long> HistoryOfAsync(string task) => Database.RunAsync(
        "select count(*) from history where task_id = @Task", new { Task = task }, static results => results.ReadSingleAsync<long>(), None);
}

/// <inheritdoc />
public sealed class PostgresJoinTests() : JoinConformance(Databases.PostgresAsync);

/// <inheritdoc />
public sealed class SqliteJoinTests() : JoinConformance(Databases.SqliteAsync);
