namespace Mavi.Chaos;

/// <summary>One after the other, in the order they came.</summary>
sealed class Turns
{
    readonly Lock _lock = new();
    Task _last = Task.CompletedTask;

    public Task<T> TakeAsync<T>(Func<Task<T>> what)
    {
        lock (_lock)
        {
            var mine = AfterAsync(_last);
            _last = mine;
            return mine;
        }

        async Task<T> AfterAsync(Task before)
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await what();
        }
    }
}
