using MassTransit;

namespace Mavi.Worker.Messaging;

/// <summary>Says once that the Worker waits for the broker, and once that it is there again.</summary>
sealed partial class BrokerWatch(BrokerAddress broker, ILogger<BrokerWatch> logger) : IReceiveEndpointObserver
{
    int _isAway;

    public Task Ready(ReceiveEndpointReady ready)
    {
        if (Interlocked.Exchange(ref _isAway, 0) == 1)
            LogReady(broker);
        return Task.CompletedTask;
    }

    public Task Faulted(ReceiveEndpointFaulted faulted)
    {
        if (Interlocked.Exchange(ref _isAway, 1) == 0)
            LogWaiting(broker, faulted.Exception?.GetBaseException().Message ?? "no reason given");
        return Task.CompletedTask;
    }

    public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    [LoggerMessage(LogLevel.Warning, "Waiting for RabbitMQ at {Broker}: {Reason}")]
    partial void LogWaiting(BrokerAddress broker, string reason);

    [LoggerMessage(LogLevel.Information, "RabbitMQ at {Broker} is there")]
    partial void LogReady(BrokerAddress broker);
}
