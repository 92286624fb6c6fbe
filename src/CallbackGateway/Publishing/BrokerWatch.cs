using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>
/// Holds one idle connection, to know at once when the broker goes and when it is back: the bus itself connects only when the first event is
/// published, and its publishes just wait when it cannot.
/// </summary>
sealed class BrokerWatch(BrokerAddress address, BrokerState broker, TimeProvider time) : BackgroundService
{
    static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var factory = new ConnectionFactory
        {
            HostName = address.Host,
            Port = address.Port,
            VirtualHost = address.VirtualHost,
            UserName = address.User,
            Password = address.Password,
            Ssl = { Enabled = address.UseTls, ServerName = address.Host },
            AutomaticRecoveryEnabled = false,
            RequestedHeartbeat = TimeSpan.FromSeconds(10),
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
            ClientProvidedName = "Mavi.CallbackGateway (watch)",
        };
        try
        {
            while (true)
            {
                broker.Lost($"{address}", await HoldAsync(factory, stoppingToken));
                await Task.Delay(RetryEvery, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end, in order. A host whose start failed would log it as a fault of ours.
        }
    }

    /// <summary>Connects and stays so until the connection ends; returns why it did.</summary>
    async Task<string> HoldAsync(ConnectionFactory factory, CancellationToken stop)
    {
        try
        {
            await using var connection = await factory.CreateConnectionAsync(stop);
            var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            connection.ConnectionShutdownAsync += (_, reason) =>
            {
                ended.TrySetResult(reason.ReplyText);
                return Task.CompletedTask;
            };
            if (connection.CloseReason is { } closed)
                return closed.ReplyText;
            broker.Reached($"{address}");
            return await ended.Task.WaitAsync(stop);
        }
        catch (Exception exception) when (exception is BrokerUnreachableException or OperationInterruptedException or IOException or TimeoutException)
        {
            return exception.GetBaseException().Message;
        }
    }
}
