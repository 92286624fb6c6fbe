using Mavi.CallbackGateway.Classifying;
using RabbitMQ.Client;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>
/// The gateway's one connection: declares the events' exchanges, publishes, and tells <see cref="BrokerState"/> at once when the broker goes and when it is
/// back. A channel that an event ended is opened again, and a deleted exchange declared again.
/// </summary>
sealed class BrokerConnection(BrokerAddress address, BrokerState broker, TimeProvider time) : BackgroundService, IEventChannel
{
    static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    TaskCompletionSource<ConfirmedChannel> _channel = NewChannel();

    /// <inheritdoc />
    public async Task<PublishResult> PublishAsync(CallbackEvent callback, Guid messageId)
    {
        // Before anything is waited for: the event may read the callback's memory, and who waits for us may give up and let go of that.
        var body = Envelope.Of(callback, messageId, time.GetUtcNow());
        using var span = GatewayTraces.StartSend(callback);
        var properties = new BasicProperties
        {
            MessageId = messageId.ToString(),
            ContentType = Envelope.ContentType,
            Persistent = true,
            Headers = span?.Id is { } id ? new Dictionary<string, object?> { [Envelope.TraceHeader] = id } : null,
        };
        // At start an event may come before the connection is there; later on nobody tries while it is not.
        var channel = await Volatile.Read(ref _channel).Task;
        return await channel.PublishAsync(Envelope.ExchangeOf(callback.Name), properties, body.Memory, sent: body.Dispose);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var reason = await HoldAsync(stoppingToken);
                broker.Lost($"{address}", reason);
                await Task.Delay(RetryEvery, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end, in order. A host whose start failed would log it as a fault of ours.
        }
    }

    /// <summary>Connects and stays so until the connection ends; returns why it did.</summary>
    async Task<string> HoldAsync(CancellationToken stop)
    {
        try
        {
            await using var connection = await Factory().CreateConnectionAsync(stop);
            var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            connection.ConnectionShutdownAsync += (_, reason) =>
            {
                ended.TrySetResult(reason.ReplyText);
                return Task.CompletedTask;
            };
            while (connection.IsOpen)
                await PublishThroughAsync(connection, ended.Task, stop);
            return connection.CloseReason?.ReplyText ?? "The connection was closed.";
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            // Whatever it is, a cancelled wait too, by which the client says that the broker kept silent: the connection is over, and the gateway goes on.
            return exception.GetBaseException().Message;
        }
    }

    /// <summary>Lets events through one channel until it or its connection ends.</summary>
    async Task PublishThroughAsync(IConnection connection, Task ended, CancellationToken stop)
    {
        await DeclareAsync(connection, stop);
        await using var channel = await ConfirmedChannel.OpenAsync(connection, stop);
        _channel.TrySetResult(channel);
        broker.Reached($"{address}");
        try
        {
            await Task.WhenAny(channel.Ended, ended).WaitAsync(stop);
        }
        finally
        {
            Volatile.Write(ref _channel, NewChannel());
        }
    }

    static async Task DeclareAsync(IConnection connection, CancellationToken stop)
    {
        await using var channel = await connection.CreateChannelAsync(cancellationToken: stop);
        foreach (var exchange in Envelope.Exchanges)
            await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: stop);
    }

    ConnectionFactory Factory() => new()
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
        ClientProvidedName = "Mavi.CallbackGateway",
    };

    static TaskCompletionSource<ConfirmedChannel> NewChannel() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
