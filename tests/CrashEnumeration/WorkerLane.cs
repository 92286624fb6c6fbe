using System.Text.Json;
using Mavi.Tests.Support;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>The lane of a history of the worker.</summary>
/// <param name="history">The history.</param>
/// <param name="idle">What its workers do by themselves; shared by its lanes.</param>
sealed class WorkerLane(History history, HashSet<string> idle) : ILane
{
    static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    World _world = null!;
    Victim _worker = null!;

    public static async Task<ILane> StartAsync(History history, HashSet<string> idle)
    {
        var lane = new WorkerLane(history, idle);
        await lane.StartAsync();
        return lane;
    }

    public Task LearnAsync() => _worker.Watch.LearnAsync(Quiet);

    public async Task StartOverAsync()
    {
        await DisposeAsync();
        await StartAsync();
    }

    public async Task<(string End, IReadOnlyList<Point> Points, bool Died)> RunAsync(Death? death)
    {
        if (_worker.Watch.IsDead)
            _worker = await Victim.StartAsync(_world, history, idle);
        await _worker.ReadyAsync();
        await _world.ResetAsync(history.Faults);
        var dying = _worker.Watch;
        await using var stage = new Stage(_world, history, _worker, idle);
        dying.Arm(death);
        try
        {
            await history.Play(stage);
            await stage.SettledAsync();
            return (await EndAsync(stage), dying.Points, dying.IsDead);
        }
        catch (WrongEndException wrong)
        {
            throw new WrongEndException($"{wrong.Message}\n{await _world.DumpAsync()}");
        }
        finally
        {
            _worker = stage.Worker;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _world.DisposeAsync();
    }

    async Task StartAsync()
    {
        _world = await World.StartAsync();
        _worker = await Victim.StartAsync(_world, history, idle);
        await _worker.ReadyAsync();
    }

    /// <summary>Everything that must be the same: what was paid for, what was said, and how the ledger stands.</summary>
    async Task<string> EndAsync(Stage stage)
    {
        var accepted = (await _world.JournalAsync()).GetProperty("submissions").EnumerateArray().Count(static post => post.GetProperty("accepted").GetBoolean());
        var said = (await _world.HeardAsync()).GroupBy(static message => message.MessageId).Select(static same => Said([.. same])).Order();
        return $"accepted={accepted} said=[{string.Join(", ", said)}] {await _world.StandingAsync(stage.Request)}";
    }

    // Repeats of a message are the same message: one id, and one content.
    static string Said(IReadOnlyList<AmqpMessage> same)
    {
        var contents = same.Select(static message => message.Message.GetRawText()).Distinct().ToList();
        var message = same[0].Message;
        var type = same[0].Envelope.GetProperty("messageType")[0].GetString()!.Split(':')[^1];
        var reason = message.TryGetProperty("reason", out var given) ? "/" + given.GetString() : "";
        var late = message.TryGetProperty("late", out var isLate) && isLate.ValueKind == JsonValueKind.True ? " late" : "";
        return type + reason + late + (contents.Count > 1 ? $" with {contents.Count} contents under one id: {string.Join(" | ", contents)}" : "");
    }
}
