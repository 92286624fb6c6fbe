namespace Mavi.Client;

/// <summary>Ends a call that stands still: the caller's token, and a time limit that every movement starts anew.</summary>
sealed class Deadline : IDisposable
{
    readonly TimeSpan limit;
    readonly CancellationTokenSource timer;
    readonly CancellationTokenSource either;

    public Deadline(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        this.limit = limit;
        timer = new(limit, time);
        either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, caller);
    }

    public CancellationToken Token => either.Token;

    public bool Passed => timer.IsCancellationRequested;

    public void Moved() => timer.CancelAfter(limit);

    public void Dispose()
    {
        either.Dispose();
        timer.Dispose();
    }
}
