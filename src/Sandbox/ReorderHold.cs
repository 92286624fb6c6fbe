using System.Collections.Concurrent;

namespace Mavi.Sandbox;

/// <summary>Holds callbacks back until a group is complete, then lets them go one by one, last submitted first.</summary>
sealed class ReorderHold(TimeProvider time)
{
    // Long enough for the one before to have arrived, even where both take different connections.
    static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(50);

    readonly ConcurrentDictionary<FaultRule, List<Held>> groups = new(ReferenceEqualityComparer.Instance);

    /// <summary>Returns when it is this callback's turn; at the latest after the rule's seconds, when the rest of the group never came.</summary>
    public async Task WaitForTurnAsync(FaultRule rule, long acceptedAt, CancellationToken cancel)
    {
        var held = new Held(acceptedAt, new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
        var group = groups.GetOrAdd(rule, _ => []);
        lock (group)
        {
            group.Add(held);
            if (group.Count >= (rule.Group ?? 2))
                Release(group);
        }

        try
        {
            await held.Turn.Task.WaitAsync(TimeSpan.FromSeconds(rule.Seconds ?? 30), time, cancel);
        }
        catch (TimeoutException)
        {
            lock (group)
                Release(group);
        }

        await Task.Delay(Apart * await held.Turn.Task, time, cancel);
    }

    static void Release(List<Held> group)
    {
        foreach (var (position, held) in group.OrderByDescending(held => held.AcceptedAt).Index())
            held.Turn.TrySetResult(position);
        group.Clear();
    }

    sealed record Held(long AcceptedAt, TaskCompletionSource<int> Turn);
}
