using System.Diagnostics;
using Mavi.Contracts;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>One run of a history: the world, the worker that may die, and the one that is started after it.</summary>
sealed class Stage : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(30);

    readonly History _history;
    readonly HashSet<string> _idle;
    readonly HashSet<string> _decided = [];
    readonly Task _raising;
    readonly CancellationTokenSource _end = new();
    Victim _worker;
    bool _operatorDecides;

    public Stage(World world, History history, Victim worker, HashSet<string> idle)
    {
        (World, _history, _worker, _idle, _operatorDecides) = (world, history, worker, idle, !history.OperatorWaits);
        _raising = RaiseAsync();
    }

    public World World { get; }

    public Guid Request { get; } = Guid.NewGuid();

    /// <summary>The worker that lives.</summary>
    public Victim Worker => Volatile.Read(ref _worker);

    public Task SplitAsync(string? asset = null) => World.PublishAsync<SplitVideoRequested>(new { requestId = Request, assetId = asset ?? World.Asset });

    public Task ExtractFramesAsync() => World.PublishAsync<ExtractFramesRequested>(new { requestId = Request, assetId = World.Asset });

    /// <summary>Waits until the request stands so. Meanwhile the operator does what the history says about doubt, once per POST in doubt.</summary>
    public async Task<Standing> UntilAsync(string what, Func<Standing, bool> condition, Func<Standing, Task>? meanwhile = null)
    {
        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Interval);
        while (true)
        {
            await RaisedAsync();
            var standing = await World.StandingAsync(Request);
            if (condition(standing))
                return standing;
            if (waited.Elapsed > Limit)
                throw new WrongEndException($"it waited in vain for {what}: {standing}");
            if (_operatorDecides && standing is { State: "Uncertain", Attempt: { } attempt } && !_decided.Contains(attempt))
                await DecideAsync(attempt);
            if (meanwhile is not null)
                await meanwhile(standing);
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>From now on the operator does what the history says.</summary>
    public void OperatorDecides() => _operatorDecides = true;

    public Task EndedAsync() => UntilAsync("the end", static standing => standing.HasEnded);

    /// <summary>Waits until nothing is left to do anywhere. An error queue with something in it never is.</summary>
    public async Task SettledAsync()
    {
        var quiet = 0;
        var left = "";
        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Interval);
        while (quiet < 3)
        {
            if (waited.Elapsed > Limit)
                throw new WrongEndException($"something is left: {left}");
            left = await LeftAsync();
            quiet = left.Length == 0 ? quiet + 1 : 0;
            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _raising;
        _end.Dispose();
    }

    async Task<string> LeftAsync()
    {
        await RaisedAsync();
        if (await World.StandingAsync(Request) is { Open: > 0 } open)
            return $"{open.Open} open rows, {open}";
        if (!await Worker.IsReadyAsync())
            return "the worker is not ready";
        if (await World.WaitingAsync() is { Count: > 0 } waiting)
        {
            foreach (var queue in waiting.Keys.Where(static queue => queue.Contains('_', StringComparison.Ordinal)))
                throw new WrongEndException($"{queue} holds {(await World.Bus.PeekAsync(queue)).Header("MT-Fault-Message")}");
            return string.Join(", ", waiting);
        }

        if (Worker.Unacknowledged is > 0 and var count)
            return $"{count} messages in the worker's hand";
        if ((await World.JournalAsync()).GetProperty("pending").GetInt32() is > 0 and var pending)
            return $"{pending} callbacks that Mavi owes";
        return World.Gateway.SpoolDepth is > 0 and var spooled ? $"{spooled} callbacks in the spool" : "";
    }

    async Task DecideAsync(string attempt)
    {
        var task = await World.AcceptedTaskAsync();
        var decision = _history.Operator(task is not null);
        if (decision == Decision.Nothing)
            return;
        _decided.Add(attempt);
        await (decision switch
        {
            Decision.Adopt => World.PublishAsync<AdoptTask>(new { requestId = Request, taskId = task, actor = "operator" }, Guid.NewGuid()),
            Decision.Resubmit => World.PublishAsync<ResubmitRequest>(new { requestId = Request, actor = "operator" }),
            _ => World.PublishAsync<AbandonRequest>(new { requestId = Request, actor = "operator" }, Guid.NewGuid()),
        });
    }

    Task RaisedAsync() => _raising.IsFaulted ? _raising : Task.CompletedTask;

    /// <summary>What keeps a service running: when it has died, a new one is started.</summary>
    async Task RaiseAsync()
    {
        var first = _worker;
        try
        {
            await first.Watch.Died.WaitAsync(_end.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await World.HoldsPassAsync();
        Volatile.Write(ref _worker, await Victim.StartAsync(World, _history, _idle));
        Funeral.Of(first);
    }
}

/// <summary>The dead are put away aside: a worker without links may take seconds to end.</summary>
static class Funeral
{
    static readonly List<Task> Running = [];

    public static void Of(Victim worker)
    {
        lock (Running)
        {
            Running.RemoveAll(static task => task.IsCompleted);
            Running.Add(worker.DisposeAsync().AsTask());
        }
    }

    public static async Task DoneAsync()
    {
        Task[] running;
        lock (Running)
            running = [.. Running];
        await Task.WhenAll(running);
    }
}
