using System.Text.Json;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Tests.Support;
using Mavi.Worker.Joining;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using RabbitMQ.Client;

namespace Mavi.Tests.Worker;

/// <summary>Events of one task that meet each other, or what a process remembers of the task, or a ledger whose answer is lost.</summary>
public sealed class JoinTests
{
    const string Queue = "mavi-task";
    const int Many = 120;

    /// <summary>The submission, the result and a contradicting failure of each task, each twice, in any order and at once.</summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    [InlineData(true, 1)]
    public async Task Whatever_comes_of_a_task_at_once_and_again_is_one_outcome_and_nothing_throws(bool sqlite, int workers)
    {
        await using var system = await WorkerSystem.StartAsync(workers, sqlite);
        var (random, requests) = (new Random(1), new List<Guid>());
        await Task.WhenAll(Enumerable.Range(0, Many).SelectMany(_ =>
        {
            var (request, task) = (Guid.NewGuid(), Guid.NewGuid().ToString("N"));
            requests.Add(request);
            Func<Task>[] events = [.. EventsOf(system, request, task)];
            random.Shuffle(events);
            return events.Select(static publish => publish());
        }));

        await Eventually.TrueAsync("an outcome of every task", async () => await OutcomesAsync(system) >= Many && await system.Bus.CountAsync(Queue) == 0, TimeSpan.FromSeconds(60));
        await system.DrainAsync();
        Assert.Equal((uint)Many, await OutcomesAsync(system));
        Assert.Equal(0u, await system.Bus.CountAsync(Queue + "_error"));
        Assert.DoesNotContain(system.Logs.All, static line => line.Contains("Exception", StringComparison.Ordinal));

        await using var ledger = new LedgerDatabase(system.LedgerAddress, NullLogger<LedgerDatabase>.Instance);
        Assert.Equal(Many, await CountAsync(ledger, "tasks where state in ('Succeeded', 'Failed')"));
        Assert.Equal(Many, await CountAsync(ledger, "callbacks"));
        Assert.Equal(Many, await CountAsync(ledger, "history where kind = 'TaskSubmitted'"));
        Assert.Equal(Many, await CountAsync(ledger, "history where kind in ('VideoSplitCompleted', 'TaskFailed')"));
        Assert.Equal(Many, await CountAsync(ledger, "tasks t join history h on h.id = t.transition"));
        var told = new HashSet<Guid>();
        for (var succeeded = await system.CountAsync<SplitVideoSucceeded>(); succeeded > 0; succeeded--)
            Assert.True(told.Add((await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId));
        for (var failed = await system.CountAsync<SplitVideoFailed>(); failed > 0; failed--)
            Assert.True(told.Add((await system.TakeAsync<SplitVideoFailed>()).Read<SplitVideoFailed>().RequestId));
        Assert.Equal(requests.Order(), told.Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_is_lost_in_the_commit_loses_and_doubles_no_outcome(bool tookEffect)
    {
        var real = new NpgsqlConnectionStringBuilder(await (await PrivatePostgres.SharedAsync()).CreateDatabaseAsync());
        await using var link = new Link("ledger", [real.Port]);
        // On a clock of its own, so that nothing else of the worker asks the ledger meanwhile.
        var clock = new FakeClock();
        await using var system = await WorkerSystem.StartAsync(
            clock: clock, ledger: new NpgsqlConnectionStringBuilder(real.ConnectionString) { Host = "127.0.0.1", Port = link.Port }.ConnectionString);
        await using var ledger = new LedgerDatabase(real.ConnectionString, NullLogger<LedgerDatabase>.Instance);
        var (request, task) = (Guid.NewGuid(), Guid.NewGuid().ToString("N"));
        await SubmittedAsync(system, request, task);
        await Eventually.TrueAsync("the task to wait for its callback", async () => await CountAsync(ledger, "tasks where state = 'AwaitingCallback'") == 1);

        // Its commit has been answered, too: what passes from here on is the callback's.
        var (memory, id) = (system.Worker.GetRequiredService<TaskMemory>(), Guid.Parse(task));
        await Eventually.TrueAsync("the worker to remember the task", () =>
        {
            if (memory.Take(id) is not { } row)
                return false;
            memory.Keep(id, row);
            return true;
        });

        // Nothing of the callback's command gets to the database, or none of its answer gets back.
        var stalled = tookEffect ? link.StallAfterAsync(1, TimeSpan.FromDays(1)) : Task.CompletedTask;
        if (!tookEffect)
            link.Stall();
        await CompletedAsync(system, task);
        await Eventually.TrueAsync("the callback to be in hand", async () => await system.Bus.CountAsync(Queue) == 0);
        await Eventually.TrueAsync("the commit", async () => await CountAsync(ledger, "tasks where state = 'Succeeded'") == (tookEffect ? 1 : 0));
        Assert.Equal(0u, await OutcomesAsync(system));
        link.Cut();
        link.Open();

        await Eventually.TrueAsync("the message to be handed back and its outcome to be there", async () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return await OutcomesAsync(system) > 0;
        });
        Assert.Equal(request, (await system.TakeAsync<SplitVideoSucceeded>()).Read<SplitVideoSucceeded>().RequestId);
        await system.DrainAsync();
        Assert.Equal(0u, await OutcomesAsync(system));
        Assert.Equal(1, await CountAsync(ledger, "history where kind = 'VideoSplitCompleted'"));
        _ = stalled;
    }

    [Fact]
    public void The_newest_rows_are_remembered_and_each_is_given_away_once()
    {
        var memory = new TaskMemory();
        var ids = Enumerable.Range(0, TaskMemory.Most + 1).Select(static _ => Guid.NewGuid()).ToList();
        foreach (var id in ids)
            memory.Keep(id, new TaskRow { TaskId = id.ToString("N"), State = TaskStates.AwaitingCallback });
        Assert.Null(memory.Take(ids[0]));
        Assert.Equal(ids[1].ToString("N"), memory.Take(ids[1])!.TaskId);
        Assert.Null(memory.Take(ids[1]));
        Assert.NotNull(memory.Take(ids[^1]));

        // A callback that came first is remembered for its submission, unless that takes much memory; what is final waits for nothing.
        memory.Keep(ids[0], new TaskRow { State = TaskStates.AwaitingSubmission, Result = "{}" });
        memory.Keep(ids[1], new TaskRow { State = TaskStates.AwaitingSubmission, Result = new string('x', 20_000) });
        memory.Keep(ids[2], new TaskRow { State = TaskStates.Succeeded, Result = "{}" });
        Assert.NotNull(memory.Take(ids[0]));
        Assert.Null(memory.Take(ids[1]));
        Assert.Equal(TaskStates.AwaitingCallback, memory.Take(ids[2])!.State);
    }

    static IEnumerable<Func<Task>> EventsOf(WorkerSystem system, Guid request, string task)
    {
        for (var times = 0; times < 2; times++)
        {
            yield return () => SubmittedAsync(system, request, task);
            yield return () => CompletedAsync(system, task);
            yield return () => PublishAsync(system, new TaskFailed { TaskId = task, Code = "500", Message = "no", Body = "{}", BodySha256 = "f", ReceivedAt = DateTimeOffset.UtcNow }, "f" + task[1..]);
        }
    }

    static Task SubmittedAsync(WorkerSystem system, Guid request, string task) => PublishAsync(
        system, new TaskSubmitted { RequestId = request, Operation = Operations.Split, AssetId = "re_1", TaskId = task, SubmittedAt = DateTimeOffset.UtcNow }, "a" + task[1..]);

    static Task CompletedAsync(WorkerSystem system, string task) => PublishAsync(
        system, new VideoSplitCompleted { TaskId = task, Segments = [new VideoSegment { AssetId = "re_2", UploadStatus = "SUCCESS" }], BodySha256 = "c", ReceivedAt = DateTimeOffset.UtcNow }, "c" + task[1..]);

    /// <summary>As the Gateway and the Worker publish: a repeat has the same message id.</summary>
    static Task PublishAsync<T>(WorkerSystem system, T message, string messageId) => system.PublishBodyAsync<T>(
        JsonSerializer.Serialize(new { messageId = Guid.Parse(messageId), messageType = new[] { $"urn:message:Mavi.Contracts:{typeof(T).Name}" }, message }, JsonSerializerOptions.Web),
        new BasicProperties { ContentType = "application/vnd.masstransit+json" });

    static async Task<uint> OutcomesAsync(WorkerSystem system) => await system.CountAsync<SplitVideoSucceeded>() + await system.CountAsync<SplitVideoFailed>();

    static Task<int> CountAsync(LedgerDatabase ledger, string of) =>
        ledger.RunAsync($"select count(*) from {of}", new { }, static results => results.ReadSingleAsync<int>(), CancellationToken.None);
}
