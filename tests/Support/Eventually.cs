using System.Diagnostics;

namespace Mavi.Tests.Support;

/// <summary>The one place where tests wait: for something with a name, up to a limit.</summary>
public static class Eventually
{
    static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until <paramref name="condition"/> holds. <paramref name="what"/> completes "Waited in vain for …".</summary>
    public static Task TrueAsync(string what, Func<bool> condition, TimeSpan? limit = null) =>
        TrueAsync(what, () => Task.FromResult(condition()), limit);

    /// <inheritdoc cref="TrueAsync(string, Func{bool}, TimeSpan?)" />
    public static async Task TrueAsync(string what, Func<Task<bool>> condition, TimeSpan? limit = null) =>
        await GetAsync(what, async () => await condition() ? condition : null, limit);

    /// <summary>Waits until <paramref name="probe"/> gives something. Its exceptions are the test's: a probe that may fail for a while catches that itself.</summary>
    public static Task<T> GetAsync<T>(string what, Func<T?> probe, TimeSpan? limit = null)
        where T : class => GetAsync(what, () => Task.FromResult(probe()), limit);

    /// <inheritdoc cref="GetAsync{T}(string, Func{T}, TimeSpan?)" />
    public static async Task<T> GetAsync<T>(string what, Func<Task<T?>> probe, TimeSpan? limit = null)
        where T : class
    {
        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Interval);
        while (true)
        {
            if (await probe() is { } found)
                return found;
            if (waited.Elapsed > (limit ?? DefaultLimit))
                Assert.Fail($"Waited in vain for {what}, for {waited.Elapsed.TotalSeconds:0.0} s.");
            await timer.WaitForNextTickAsync();
        }
    }

    /// <summary>Waits for a task that something else completes, such as a signal of a server in the test.</summary>
    public static async Task<T> GetAsync<T>(string what, Task<T> signal, TimeSpan? limit = null)
    {
        try
        {
            return await signal.WaitAsync(limit ?? DefaultLimit);
        }
        catch (TimeoutException) when (!signal.IsCompleted)
        {
            Assert.Fail($"Waited in vain for {what}, for {(limit ?? DefaultLimit).TotalSeconds:0.0} s.");
            throw;
        }
    }

    /// <inheritdoc cref="GetAsync{T}(string, Task{T}, TimeSpan?)" />
    public static Task DoneAsync(string what, Task signal, TimeSpan? limit = null) => GetAsync(what, Completed(signal), limit);

    static async Task<bool> Completed(Task signal)
    {
        await signal;
        return true;
    }
}
