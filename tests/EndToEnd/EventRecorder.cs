using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.EndToEnd;

/// <summary>
/// A caller that listens to everything the installation tells: one queue for the outcomes, one for the rest. Queues of its own for what a test
/// waits for would miss what it does not expect.
/// </summary>
sealed class EventRecorder : IAsyncDisposable
{
    const string OutcomeQueue = "test-outcomes";
    const string OtherQueue = "test-others";

    static readonly string[] Outcomes =
        [nameof(SplitVideoSucceeded), nameof(SplitVideoFailed), nameof(ExtractFramesSucceeded), nameof(ExtractFramesFailed)];

    static readonly string[] Others =
        [nameof(TaskSubmitted), nameof(SubmissionUncertain), nameof(TaskOverdue), nameof(VideoSplitCompleted), nameof(FramesExtracted), nameof(TaskFailed), nameof(CallbackReceived)];

    readonly string _broker;
    readonly List<Event> _outcomes = [];
    readonly List<Event> _others = [];

    EventRecorder(string broker, AmqpClient bus) => (_broker, Bus) = (broker, bus);

    public AmqpClient Bus { get; private set; }

    /// <summary>Binds its queues in a virtual host before anybody publishes there.</summary>
    public static async Task<EventRecorder> StartAsync(string broker)
    {
        var recorder = new EventRecorder(broker, await AmqpClient.ConnectAsync(broker));
        foreach (var name in Outcomes)
            await recorder.Bus.BindQueueAsync($"Mavi.Contracts:{name}", OutcomeQueue);
        foreach (var name in Others)
            await recorder.Bus.BindQueueAsync($"Mavi.Contracts:{name}", OtherQueue);
        return recorder;
    }

    /// <summary>After the broker was away.</summary>
    public async Task ReconnectAsync()
    {
        await Bus.DisposeAsync();
        Bus = await AmqpClient.ConnectAsync(_broker);
    }

    /// <summary>Waits until each of the requests has an outcome; returns the first of each.</summary>
    public async Task<IReadOnlyDictionary<Guid, Event>> OutcomesAsync(IEnumerable<Request> requests, TimeSpan? limit = null)
    {
        var wanted = requests.Select(request => request.Id).ToHashSet();
        await Eventually.TrueAsync(
            $"an outcome of each of {wanted.Count} requests",
            async () =>
            {
                await TakeAsync(OutcomeQueue, _outcomes);
                return wanted.IsSubsetOf(_outcomes.Select(outcome => outcome.RequestId));
            },
            limit);
        return _outcomes.Where(outcome => wanted.Contains(outcome.RequestId)).DistinctBy(outcome => outcome.RequestId).ToDictionary(outcome => outcome.RequestId);
    }

    /// <summary>Waits for an event of another kind.</summary>
    public Task<Event> OtherAsync<T>(Guid requestId) => Eventually.GetAsync($"{typeof(T).Name} of {requestId}", async () =>
    {
        await TakeAsync(OtherQueue, _others);
        return _others.Find(other => other.Name == typeof(T).Name && other.RequestId == requestId);
    });

    /// <summary>Every outcome so far, repeats included.</summary>
    public async Task<IReadOnlyList<Event>> AllOutcomesAsync()
    {
        await TakeAsync(OutcomeQueue, _outcomes);
        return _outcomes;
    }

    /// <summary>Every other event so far.</summary>
    public async Task<IReadOnlyList<Event>> AllOthersAsync()
    {
        await TakeAsync(OtherQueue, _others);
        return _others;
    }

    public ValueTask DisposeAsync() => Bus.DisposeAsync();

    async Task TakeAsync(string queue, List<Event> to)
    {
        for (var left = await Bus.CountAsync(queue); left > 0; left--)
            to.Add(new Event(await Bus.TakeAsync(queue)));
    }
}

/// <summary>An event as it lay in the queue.</summary>
sealed record Event(AmqpMessage Message)
{
    /// <summary>Its type, without the namespace.</summary>
    public string Name { get; } = Message.Envelope.GetProperty("messageType")[0].GetString()!.Split(':')[^1];

    /// <summary>The request it is about; empty for callbacks, which know only their task.</summary>
    public Guid RequestId { get; } = Message.CorrelationId ?? Guid.Empty;

    public Guid Id => Message.MessageId;

    public T Read<T>()
    {
        Assert.Equal(typeof(T).Name, Name);
        return Message.Read<T>();
    }
}
