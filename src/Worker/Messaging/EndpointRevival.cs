using MassTransit;

namespace Mavi.Worker.Messaging;

/// <summary>
/// Starts a queue's consumer again that has been away for too long. MassTransit connects again after every failure but one: where the broker answers
/// an open connection with silence for longer than the client waits (20 s), it takes the cancelled wait for its own end, and never tries again.
/// </summary>
sealed partial class EndpointRevival(IBusControl bus, TimeProvider time, ILogger<EndpointRevival> logger) : BackgroundService
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Longer than MassTransit needs by itself after a crash of the broker, about 33 s.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    readonly Dictionary<Uri, long> _awaySince = [];

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, time, stoppingToken);
                await Task.WhenAll(bus.CheckHealth().Endpoints.Values.Where(HasLongBeenAway).Select(endpoint => ReviveAsync(endpoint, stoppingToken)));
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    bool HasLongBeenAway(EndpointHealthResult endpoint)
    {
        if (endpoint.Status == BusHealthStatus.Healthy)
        {
            _awaySince.Remove(endpoint.InputAddress);
            return false;
        }

        if (_awaySince.TryAdd(endpoint.InputAddress, time.GetTimestamp()) || time.GetElapsedTime(_awaySince[endpoint.InputAddress]) < Patience)
            return false;
        _awaySince[endpoint.InputAddress] = time.GetTimestamp();
        return true;
    }

    async Task ReviveAsync(EndpointHealthResult endpoint, CancellationToken stopping)
    {
        var queue = endpoint.InputAddress.AbsolutePath.Split('/')[^1];
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            limit.CancelAfter(StopLimit);
            await endpoint.ReceiveEndpoint.Stop(limit.Token);
            stopping.ThrowIfCancellationRequested();
            endpoint.ReceiveEndpoint.Start(CancellationToken.None);
            LogRevived(queue, Patience.TotalSeconds);
        }
        catch (Exception failed) when (!stopping.IsCancellationRequested)
        {
            LogNotRevived(queue, failed.Message);
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    [LoggerMessage(LogLevel.Warning, "Started the consumer of {Queue} again: it had been away from RabbitMQ for {Seconds} s")]
    partial void LogRevived(string queue, double seconds);

    [LoggerMessage(LogLevel.Warning, "The consumer of {Queue} is away from RabbitMQ and could not be started again, trying again later: {Reason}")]
    partial void LogNotRevived(string queue, string reason);
}
