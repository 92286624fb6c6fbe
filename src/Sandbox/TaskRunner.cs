using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Mavi.Sandbox;

/// <summary>A submission that was accepted: it is billed, and a callback is owed.</summary>
sealed record MaviTask(string Id, string Operation, Asset Source, long AcceptedAt, FaultPlan Plan, Action<Action<CallEntry>> Note);

/// <summary>What a task came to.</summary>
abstract record TaskResult;

/// <summary>The work failed; the message goes into the callback.</summary>
sealed record Failure(string Message) : TaskResult;

sealed record Segments(IReadOnlyList<Asset> Assets) : TaskResult;

sealed record Frames(FrameCollection Collection) : TaskResult;

/// <summary>
/// Works the accepted tasks off, <c>Sandbox:ParallelTasks</c> at a time, and sends their callbacks. A task is in memory only: with the process
/// its callback is lost, as it may be at the vendor.
/// </summary>
sealed partial class TaskRunner(
    SandboxOptions options, Ffmpeg ffmpeg, MediaFacts facts, AssetStore store, Generations generations, CallbackSender sender, Journal journal, TimeProvider time,
    IHostApplicationLifetime lifetime, ILogger<TaskRunner> logger) : IHostedService, IDisposable
{
    // The vendor publishes a price for extract-frames only ("Extract Frames").
    const double FramesUsdPerSecond = 0.01;

    readonly SemaphoreSlim slots = new(options.ParallelTasks);
    readonly ConcurrentDictionary<MaviTask, Task> running = new(ReferenceEqualityComparer.Instance);
    readonly Splitting splitting = new(options, ffmpeg, facts, store, time);
    readonly FrameExtraction frames = new(options, ffmpeg, facts, store, time);
    readonly ReorderHold hold = new(time);

    int owed;

    /// <summary>Tasks whose callback is still owed.</summary>
    public int Pending => Volatile.Read(ref owed);

    /// <summary>Makes the task; from here on it is billed, and owed a callback. It does not run before it is started.</summary>
    public MaviTask Accept(ApiCall call, Asset source)
    {
        Interlocked.Increment(ref owed);
        return new MaviTask(RandomNumberGenerator.GetHexString(32, lowercase: true), call.Operation, source, time.GetTimestamp(), call.Plan, call.Note);
    }

    /// <summary>Works in the background.</summary>
    public void Start(MaviTask task) => _ = RunAsync(task);

    /// <summary>Works until the callback was delivered, or tried often enough.</summary>
    public Task RunAsync(MaviTask task)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        running[task] = done.Task;
        return Task.Run(async () =>
        {
            try
            {
                await DeliverAsync(task, await WorkAsync(task, lifetime.ApplicationStopping), lifetime.ApplicationStopping);
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                LogStopped(task.Id);
            }
            catch (Exception e)
            {
                LogBroken(e, task.Id);
            }
            finally
            {
                Interlocked.Decrement(ref owed);
                running.TryRemove(task, out _);
                done.SetResult();
            }
        });
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The tasks see the stop through the host's own token, which comes first; here they are waited for, so that no ffmpeg is left.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(running.Values).WaitAsync(cancellationToken);

    public void Dispose() => slots.Dispose();

    async Task<TaskResult> WorkAsync(MaviTask task, CancellationToken cancel)
    {
        await slots.WaitAsync(cancel);
        try
        {
            if (task.Plan["failed"] is { } rule)
                return new Failure(rule.Message ?? "Task failed");

            var result = task.Operation == Operation.Split ? await splitting.RunAsync(task, cancel) : await frames.RunAsync(task, cancel);
            if (task.Operation == Operation.ExtractFrames && result is Frames && store.Find(task.Source.Id)?.Seconds is { } seconds)
                task.Note(e => e.CostUsd = Math.Round(seconds * FramesUsdPerSecond, 4));
            return result;
        }
        catch (MediaException e)
        {
            return new Failure(e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogBroken(e, task.Id);
            return new Failure("The Sandbox could not read or write a file; its log says which");
        }
        finally
        {
            slots.Release();
        }
    }

    async Task DeliverAsync(MaviTask task, TaskResult result, CancellationToken cancel)
    {
        var bodies = new CallbackBodies(task, result, generations[task.Operation]);
        var due = options.CallbackDelaySeconds + (task.Plan["delayed"] is { } late ? late.Seconds ?? 5 : 0);
        var left = TimeSpan.FromSeconds(due) - time.GetElapsedTime(task.AcceptedAt);
        if (left > TimeSpan.Zero)
            await Task.Delay(left, time, cancel);
        if (task.Plan["reordered"] is { } reordered)
            await hold.WaitForTurnAsync(reordered, task.AcceptedAt, cancel);

        foreach (var foreign in bodies.Foreign())
            await sender.DeliverAsync(foreign.TaskId, task.Operation, foreign.Body, cancel);
        if (task.Plan["lost"] is not null)
        {
            var entry = journal.Sending(task.Id, task.Operation, webhook: null, url: null, attempt: 0, bodies.Own());
            journal.Note(entry, e => e.Error = "lost on purpose");
            return;
        }

        var duplicated = task.Plan["duplicated"];
        var times = duplicated is null ? 1 : duplicated.Times ?? 2;
        Task Once() => sender.DeliverAsync(task.Id, task.Operation, bodies.Own(), cancel);
        if (duplicated?.AtOnce is true)
        {
            await Task.WhenAll(Enumerable.Range(0, times).Select(_ => Once()));
        }
        else
        {
            for (var sent = 0; sent < times; sent++)
                await Once();
        }

        LogDone(task.Operation, task.Id, result is Failure failure ? failure.Message : "done");
    }

    [LoggerMessage(1, LogLevel.Information, "{Operation} task {TaskId}: {Result}")]
    private partial void LogDone(string operation, string taskId, string result);

    [LoggerMessage(2, LogLevel.Warning, "Task {TaskId} was stopped with the Sandbox; its callback is lost")]
    private partial void LogStopped(string taskId);

    [LoggerMessage(3, LogLevel.Error, "Task {TaskId} broke")]
    private partial void LogBroken(Exception e, string taskId);
}
