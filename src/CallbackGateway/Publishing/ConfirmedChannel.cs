using RabbitMQ.Client;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>
/// A channel on which every publish is mandatory and ends with the broker's answer to it: any number at once, sent in the order of the calls. The client's
/// own tracking costs a header in each message, and a look at all that are open for each answer; here an answer costs what it answers.
/// </summary>
sealed class ConfirmedChannel : IAsyncDisposable
{
    sealed class Publish(string messageId)
    {
        public string MessageId => messageId;

        /// <summary>The broker gave it back before it confirmed it: no queue has it.</summary>
        public bool IsReturned { get; set; }

        public TaskCompletionSource<PublishResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    readonly IChannel _channel;
    readonly SemaphoreSlim _turn = new(1);
    readonly Lock _lock = new();
    readonly Dictionary<ulong, Publish> _open = [];
    readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    ulong _lowest = 1;
    ulong _next = 1;

    ConfirmedChannel(IChannel channel) => _channel = channel;

    /// <summary>Ends when the channel does, with the reason.</summary>
    public Task<string> Ended => _ended.Task;

    public static async Task<ConfirmedChannel> OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false), cancellationToken);
        var confirmed = new ConfirmedChannel(channel);
        channel.BasicAcksAsync += (_, ack) => confirmed.OnAnswer(ack.DeliveryTag, ack.Multiple, isTaken: true);
        channel.BasicNacksAsync += (_, nack) => confirmed.OnAnswer(nack.DeliveryTag, nack.Multiple, isTaken: false);
        channel.BasicReturnAsync += (_, returned) => confirmed.OnReturn(returned.BasicProperties.MessageId);
        channel.ChannelShutdownAsync += (_, reason) => confirmed.OnEnd(reason.ReplyText);
        if (channel.CloseReason is { } closed)
            await confirmed.OnEnd(closed.ReplyText);
        return confirmed;
    }

    /// <summary>Publishes; ends with the broker's answer, or as unanswered with the channel. The body is not read any more once <paramref name="sent"/> was called.</summary>
    public async Task<PublishResult> PublishAsync(string exchange, BasicProperties properties, ReadOnlyMemory<byte> body, Action sent)
    {
        Publish publish;
        try
        {
            await _turn.WaitAsync();
            try
            {
                if (_ended.Task.IsCompleted)
                    return new(PublishOutcome.Unanswered, _ended.Task.Result);
                publish = Begin(properties.MessageId!);
                await _channel.BasicPublishAsync(exchange, routingKey: "", mandatory: true, properties, body);
            }
            finally
            {
                _turn.Release();
            }
        }
#pragma warning disable CA1031 // Whatever went wrong: the client's count and ours may differ from here on, so this channel is over.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await OnEnd(exception.GetBaseException().Message);
            return new(PublishOutcome.Unanswered, exception.GetBaseException().Message);
        }
        finally
        {
            sent();
        }

        return await publish.Answer.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await OnEnd("The channel was closed.");
        await _channel.DisposeAsync();
    }

    Publish Begin(string messageId)
    {
        var publish = new Publish(messageId);
        lock (_lock)
            _open.Add(_next++, publish);
        return publish;
    }

    Task OnAnswer(ulong tag, bool multiple, bool isTaken)
    {
        lock (_lock)
        {
            if (multiple)
            {
                for (; _lowest <= tag; _lowest++)
                    Answer(_lowest, isTaken);
            }
            else
            {
                Answer(tag, isTaken);
            }
        }

        return Task.CompletedTask;
    }

    void Answer(ulong tag, bool isTaken)
    {
        if (_open.Remove(tag, out var publish))
            publish.Answer.TrySetResult(!isTaken ? new(PublishOutcome.Refused, "The broker refused it (nack).") : publish.IsReturned ? PublishResult.Returned : PublishResult.Confirmed);
    }

    /// <summary>What is returned is confirmed after it. The broker names it by its properties; an event that is published twice at once is returned twice.</summary>
    Task OnReturn(string? messageId)
    {
        lock (_lock)
        {
            foreach (var publish in _open.Values)
                publish.IsReturned |= publish.MessageId == messageId;
        }

        return Task.CompletedTask;
    }

    Task OnEnd(string reason)
    {
        lock (_lock)
        {
            _ended.TrySetResult(reason);
            foreach (var publish in _open.Values)
                publish.Answer.TrySetResult(new(PublishOutcome.Unanswered, reason));
            _open.Clear();
        }

        return Task.CompletedTask;
    }
}
