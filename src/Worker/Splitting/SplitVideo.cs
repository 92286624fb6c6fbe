using MassTransit;
using Mavi.Client;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;
using Mavi.Worker.Submitting;

namespace Mavi.Worker.Splitting;

/// <summary>Split a video: <c>POST /video/split</c> (vendor page "Video Split").</summary>
public sealed class SplitVideo : Operation<VideoSplitCompleted>
{
    /// <inheritdoc />
    public override string Name => Operations.Split;

    /// <inheritdoc />
    public override Task<AcceptedTask> SubmitAsync(MaviClient mavi, string assetId, Action leaving) =>
        mavi.SplitAsync(assetId, leaving, CancellationToken.None);

    /// <inheritdoc />
    public override CallbackFacts FactsOf(VideoSplitCompleted result) => new(result.TaskId, result.ReceivedAt, result.BodyBytes, result.BodySha256);

    /// <inheritdoc />
    public override Verdict Judge(VideoSplitCompleted result)
    {
        if (result.Segments.Count == 0)
            return new Verdict("Mavi reported success without a single segment.");
        var broken = result.Segments.Where(static segment => segment.UploadStatus != "SUCCESS").ToList();
        return broken.Count == 0 ? Verdict.Whole : new Verdict(
            $"{broken.Count} of {result.Segments.Count} segments are not SUCCESS, the first being {broken[0].AssetId} with {broken[0].UploadStatus ?? "no status"}.");
    }

    /// <inheritdoc />
    protected override object Succeeded(TaskRow task, VideoSplitCompleted result) => new SplitVideoSucceeded
    {
        RequestId = Guid.Parse(task.RequestId!),
        AssetId = task.AssetId!,
        TaskId = task.TaskId,
        Segments = result.Segments.All(static segment => segment.Index is not null) ? [.. result.Segments.OrderBy(static segment => segment.Index)] : result.Segments,
        SubmittedAt = task.SubmittedAt!.Value.ToTime(),
        CompletedAt = result.ReceivedAt,
        Late = task.Late == 1,
    };

    /// <inheritdoc />
    public override object Failed(Failure failure) => Failed(failure, null);

    internal override object Failed(TaskRow task) =>
        Failed(Failure.Of(task), task.Reason == FailureReasons.PartialResult ? Read(task).Segments : null);

    static SplitVideoFailed Failed(Failure failure, IReadOnlyList<VideoSegment>? segments) => new()
    {
        RequestId = failure.RequestId,
        AssetId = failure.AssetId,
        TaskId = failure.TaskId,
        Reason = failure.Reason,
        Code = failure.Code,
        Message = failure.Message,
        FailedAt = failure.FailedAt,
        Segments = segments,
    };
}

/// <summary>Takes <see cref="SplitVideoRequested"/>.</summary>
public sealed class SplitVideoConsumer(CommandHandler handler, SplitVideo operation) : IConsumer<SplitVideoRequested>
{
    /// <inheritdoc />
    public Task Consume(ConsumeContext<SplitVideoRequested> context) =>
        handler.HandleAsync(operation, context, context.Message.RequestId, context.Message.AssetId, context.Message.Caller);
}

/// <summary>How <see cref="SplitVideoConsumer"/>'s queue is kept.</summary>
public sealed class SplitVideoConsumerDefinition : ConsumerDefinition<SplitVideoConsumer>
{
    /// <summary>Names the queue.</summary>
    public SplitVideoConsumerDefinition() => Endpoint(static endpoint => endpoint.Name = Queues.SplitVideo);

    /// <inheritdoc />
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpoint, IConsumerConfigurator<SplitVideoConsumer> consumer, IRegistrationContext context) =>
        endpoint.UseCommandQueue(context, typeof(SplitVideoRequested));
}
