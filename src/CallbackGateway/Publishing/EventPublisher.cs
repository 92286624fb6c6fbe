using Mavi.CallbackGateway.Classifying;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>Publishes within <see cref="GatewayOptions.PublishTimeout"/>, whatever the channel does, and tells <see cref="BrokerState"/> how it went.</summary>
sealed class EventPublisher(IEventChannel channel, GatewayOptions options, BrokerState broker, TimeProvider time) : IDisposable
{
    // A confirm takes milliseconds, so this many are enough for thousands a second; a broker that is slow must not be given ever more.
    const int MostUnconfirmed = 64;

    // An event and the client's copy of it take twice its size: of large ones few at once are as fast, and the rest wait as the bodies they are.
    const int Large = 512 * 1024;
    const int MostLarge = 2;

    readonly SemaphoreSlim _slots = new(MostUnconfirmed);
    readonly SemaphoreSlim _largeSlots = new(MostLarge);

    /// <summary>One attempt for a callback whose sender is waiting.</summary>
    public async Task<PublishResult> PublishAsync(CallbackEvent callback, Guid messageId, int size)
    {
        var begin = time.GetTimestamp();
        var slots = size < Large ? _slots : _largeSlots;
        if (!slots.Wait(0))
        {
            using var deadline = new CancellationTokenSource(options.PublishTimeout, time);
            try
            {
                await slots.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                return new(PublishOutcome.Unanswered, $"{(size < Large ? MostUnconfirmed : MostLarge)} events already wait for their confirm.");
            }
        }

        return await AttemptAsync(HoldSlotAsync(), options.PublishTimeout - time.GetElapsedTime(begin));

        // A publish that we no longer wait for keeps its slot until its answer comes.
        async Task<PublishResult> HoldSlotAsync()
        {
            try
            {
                return await channel.PublishAsync(callback, messageId);
            }
            finally
            {
                slots.Release();
            }
        }
    }

    /// <summary>One attempt for a callback out of the spool: it must get through even while every slot is held by a publish that hangs.</summary>
    public Task<PublishResult> PublishSpooledAsync(CallbackEvent callback, Guid messageId) => AttemptAsync(channel.PublishAsync(callback, messageId), options.PublishTimeout);

    public void Dispose()
    {
        _slots.Dispose();
        _largeSlots.Dispose();
    }

    async Task<PublishResult> AttemptAsync(Task<PublishResult> publish, TimeSpan limit)
    {
        var result = await EndedAsync(publish, limit);
        if (result.Outcome is PublishOutcome.Unanswered)
            broker.Failed(result.Reason!);
        else if (result.Outcome is not PublishOutcome.Refused)
            broker.Took();
        return result;
    }

    async Task<PublishResult> EndedAsync(Task<PublishResult> publish, TimeSpan limit)
    {
        try
        {
            return await publish.WaitAsync(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, time);
        }
        catch (TimeoutException)
        {
            return new(PublishOutcome.Unanswered, $"No confirm within {options.PublishTimeout.TotalSeconds:0.###} s.");
        }
    }
}
