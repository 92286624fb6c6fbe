using Mavi.Ledger;

namespace Mavi.Worker.Joining;

/// <summary>
/// The rows that this process wrote and that wait for their other half, so that it needs no read. It only saves time: whatever is made from a
/// remembered row is written on the condition that the ledger's row is still the same.
/// </summary>
public sealed class TaskMemory
{
    /// <summary>Rows that wait for their callback: under 1 KB each, for they have no result yet. Beyond it the oldest are forgotten: another worker took their callback, or it is late.</summary>
    public const int Most = 10_000;

    /// <summary>Rows that wait for their submission, which follows within milliseconds if it comes here at all.</summary>
    const int MostEarly = 256;

    /// <summary>Of the result of such a row, in characters; a larger one is read again.</summary>
    const int LongestEarly = 16 * 1024;

    /// <summary>Many more than events are joined at once, so that a task seldom waits for another.</summary>
    const int Turns = 512;

    readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, Turns).Select(static _ => new SemaphoreSlim(1))];
    readonly Newest _waiting = new(Most);
    readonly Newest _early = new(MostEarly);

    /// <summary>Held while an event of the task is joined. It only saves time, too: other processes do not know of it.</summary>
    public SemaphoreSlim TurnOf(Guid id) => _turns[(uint)id.GetHashCode() % Turns];

    /// <summary>Remembers a row as it was committed, where it still waits; nobody else may hold it.</summary>
    public void Keep(Guid id, TaskRow row)
    {
        if (row.State == TaskStates.AwaitingCallback)
            _waiting.Keep(id, row);
        else if (row is { State: TaskStates.AwaitingSubmission, Result.Length: <= LongestEarly })
            _early.Keep(id, row);
    }

    /// <summary>Gives the row away, to be changed; null where it is not remembered.</summary>
    public TaskRow? Take(Guid id) => _waiting.Take(id) ?? _early.Take(id);

    sealed class Newest(int most)
    {
        readonly Lock _lock = new();
        readonly Dictionary<Guid, TaskRow> _rows = [];
        readonly Queue<Guid> _order = [];

        public void Keep(Guid id, TaskRow row)
        {
            lock (_lock)
            {
                _rows[id] = row;
                _order.Enqueue(id);
                if (_order.Count > most)
                    _rows.Remove(_order.Dequeue());
            }
        }

        public TaskRow? Take(Guid id)
        {
            lock (_lock)
                return _rows.Remove(id, out var row) ? row : null;
        }
    }
}
