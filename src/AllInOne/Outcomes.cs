using MassTransit;
using Mavi.Contracts;

namespace Mavi.AllInOne;

/// <summary>The demo's two requests, followed by the events anybody on the bus can hear.</summary>
sealed class Outcomes(Screen screen)
{
    public Request Split { get; } = new("split");

    public Request Frames { get; } = new("frames");

    /// <summary>Why what did not succeed did not; empty where both did.</summary>
    public string Complaint => string.Join(" ", new[] { Split, Frames }.Select(request => request.Complaint).Where(complaint => complaint is not null));

    public string Status() => $"{Split.Status}; {Frames.Status}";

    public void Submitted(TaskSubmitted submitted)
    {
        if (Of(submitted.RequestId) is { } request && request.Submit(submitted.TaskId))
            screen.Say($"{request.Name}: accepted by Mavi as task {submitted.TaskId}");
    }

    public void CalledBack(string taskId, string what)
    {
        var request = Split.TaskId == taskId ? Split : Frames.TaskId == taskId ? Frames : null;
        screen.Say($"{request?.Name ?? $"task {taskId}"}: the callback came, {what}");
    }

    public void Warn(Guid requestId, string what)
    {
        if (Of(requestId) is { } request)
            screen.Say($"{request.Name}: {what}");
    }

    public void End(Guid requestId, object outcome)
    {
        if (Of(requestId) is { } request && request.End(outcome))
            screen.Say($"{request.Name}: {outcome.GetType().Name} after {Text.Seconds(request.Took)}");
    }

    Request? Of(Guid requestId) => Split.RequestId == requestId ? Split : Frames.RequestId == requestId ? Frames : null;
}

/// <summary>One request, from the command to its outcome.</summary>
sealed class Request(string name)
{
    readonly TaskCompletionSource<object> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    long asked;

    public string Name => name;

    public Guid RequestId { get; } = Guid.NewGuid();

    public string? TaskId { get; private set; }

    public TimeSpan Took { get; private set; }

    /// <summary>The outcome event.</summary>
    public Task<object> Ended => ended.Task;

    public string Status => $"{name}: {(ended.Task.IsCompleted ? "done" : TaskId is null ? "waiting for Mavi" : "Mavi is working on it")}";

    public string? Complaint => ended.Task.IsCompletedSuccessfully
        ? ended.Task.Result switch
        {
            SplitVideoFailed failed => $"{name} ended as {failed.Reason} ({failed.Message})",
            ExtractFramesFailed failed => $"{name} ended as {failed.Reason} ({failed.Message})",
            _ => null,
        }
        : null;

    /// <summary>The command is about to be published: its time begins.</summary>
    public Guid Ask()
    {
        asked = TimeProvider.System.GetTimestamp();
        return RequestId;
    }

    public bool Submit(string taskId)
    {
        var isNew = TaskId is null;
        TaskId = taskId;
        return isNew;
    }

    public bool End(object outcome)
    {
        Took = ended.Task.IsCompleted ? Took : TimeProvider.System.GetElapsedTime(asked);
        return ended.TrySetResult(outcome);
    }
}

/// <summary>Hears what the worker and the gateway publish, as any other service would.</summary>
sealed class OutcomeConsumer(Outcomes outcomes) :
    IConsumer<TaskSubmitted>, IConsumer<VideoSplitCompleted>, IConsumer<FramesExtracted>, IConsumer<TaskFailed>, IConsumer<CallbackReceived>,
    IConsumer<TaskOverdue>, IConsumer<SubmissionUncertain>,
    IConsumer<SplitVideoSucceeded>, IConsumer<SplitVideoFailed>, IConsumer<ExtractFramesSucceeded>, IConsumer<ExtractFramesFailed>
{
    public Task Consume(ConsumeContext<TaskSubmitted> context) => Note(() => outcomes.Submitted(context.Message));

    public Task Consume(ConsumeContext<VideoSplitCompleted> context) =>
        Note(() => outcomes.CalledBack(context.Message.TaskId, Text.Plural(context.Message.Segments.Count, "segment")));

    public Task Consume(ConsumeContext<FramesExtracted> context) =>
        Note(() => outcomes.CalledBack(context.Message.TaskId, Text.Plural(context.Message.FrameIds.Count, "frame")));

    public Task Consume(ConsumeContext<TaskFailed> context) => Note(() => outcomes.CalledBack(context.Message.TaskId, $"a failure: {context.Message.Message}"));

    public Task Consume(ConsumeContext<CallbackReceived> context) => Note(() => outcomes.CalledBack(context.Message.TaskId ?? "unknown", context.Message.Reason));

    public Task Consume(ConsumeContext<TaskOverdue> context) => Note(() => outcomes.Warn(context.Message.RequestId, "overdue"));

    public Task Consume(ConsumeContext<SubmissionUncertain> context) => Note(() => outcomes.Warn(context.Message.RequestId, $"uncertain: {context.Message.Reason}"));

    public Task Consume(ConsumeContext<SplitVideoSucceeded> context) => Note(() => outcomes.End(context.Message.RequestId, context.Message));

    public Task Consume(ConsumeContext<SplitVideoFailed> context) => Note(() => outcomes.End(context.Message.RequestId, context.Message));

    public Task Consume(ConsumeContext<ExtractFramesSucceeded> context) => Note(() => outcomes.End(context.Message.RequestId, context.Message));

    public Task Consume(ConsumeContext<ExtractFramesFailed> context) => Note(() => outcomes.End(context.Message.RequestId, context.Message));

    static Task Note(Action note)
    {
        note();
        return Task.CompletedTask;
    }
}
