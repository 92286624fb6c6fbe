using System.Diagnostics;

namespace Mavi.Chaos;

/// <summary>Waits for something with a name, up to a limit.</summary>
static class Waiting
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <exception cref="TimeoutException">It did not come.</exception>
    public static async Task ForAsync(string what, Func<Task<bool>> condition, TimeSpan limit, CancellationToken stop)
    {
        var waited = Stopwatch.StartNew();
        var last = "";
        while (true)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (Exception failed) when (IsTheWorlds(failed) && !stop.IsCancellationRequested)
            {
                last = $" The last attempt ended with: {failed.Message}";
            }

            if (waited.Elapsed > limit)
                throw new TimeoutException($"Waited {limit.TotalSeconds:0} s in vain for {what}.{last}");
            await Task.Delay(Interval, stop);
        }
    }

    /// <summary>What the faults do to the runner itself, and time heals.</summary>
    public static bool IsTheWorlds(Exception failed) => failed is HttpRequestException or IOException or System.Net.Sockets.SocketException or System.Data.Common.DbException
        or TimeoutException or OperationCanceledException or RabbitMQ.Client.Exceptions.RabbitMQClientException or ObjectDisposedException or System.Text.Json.JsonException;
}
