using MassTransit;
using Mavi.Client;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;
using Mavi.Worker.Submitting;

namespace Mavi.Worker.ExtractingFrames;

/// <summary>Extract the frames of a video: <c>POST /video/extract-frames</c> (vendor page "Extract Frames").</summary>
public sealed class ExtractFrames : Operation<FramesExtracted>
{
    /// <inheritdoc />
    public override string Name => Operations.ExtractFrames;

    /// <inheritdoc />
    public override Task<AcceptedTask> SubmitAsync(MaviClient mavi, string assetId, Action leaving) =>
        mavi.ExtractFramesAsync(assetId, leaving, CancellationToken.None);

    /// <inheritdoc />
    public override CallbackFacts FactsOf(FramesExtracted result) => new(result.TaskId, result.ReceivedAt, result.BodyBytes, result.BodySha256);

    /// <inheritdoc />
    public override Verdict Judge(FramesExtracted result) =>
        result.FrameIds.Count == 0 ? new Verdict($"Mavi reported success without a single frame in {result.CollectionId}.") : Verdict.Whole;

    /// <inheritdoc />
    protected override object Succeeded(TaskRow task, FramesExtracted result) => new ExtractFramesSucceeded
    {
        RequestId = Guid.Parse(task.RequestId!),
        AssetId = task.AssetId!,
        TaskId = task.TaskId,
        CollectionId = result.CollectionId,
        FrameIds = result.FrameIds,
        SubmittedAt = task.SubmittedAt!.Value.ToTime(),
        CompletedAt = result.ReceivedAt,
        Late = task.Late == 1,
    };

    /// <inheritdoc />
    public override object Failed(Failure failure) => new ExtractFramesFailed
    {
        RequestId = failure.RequestId,
        AssetId = failure.AssetId,
        TaskId = failure.TaskId,
        Reason = failure.Reason,
        Code = failure.Code,
        Message = failure.Message,
        FailedAt = failure.FailedAt,
    };
}

/// <summary>Takes <see cref="ExtractFramesRequested"/>.</summary>
public sealed class ExtractFramesConsumer(CommandHandler handler, ExtractFrames operation) : IConsumer<ExtractFramesRequested>
{
    /// <inheritdoc />
    public Task Consume(ConsumeContext<ExtractFramesRequested> context) =>
        handler.HandleAsync(operation, context, context.Message.RequestId, context.Message.AssetId, context.Message.Caller);
}

/// <summary>How <see cref="ExtractFramesConsumer"/>'s queue is kept.</summary>
public sealed class ExtractFramesConsumerDefinition : ConsumerDefinition<ExtractFramesConsumer>
{
    /// <summary>Names the queue.</summary>
    public ExtractFramesConsumerDefinition() => Endpoint(static endpoint => endpoint.Name = Queues.ExtractFrames);

    /// <inheritdoc />
    protected override void ConfigureConsumer(
        IReceiveEndpointConfigurator endpoint, IConsumerConfigurator<ExtractFramesConsumer> consumer, IRegistrationContext context) =>
        endpoint.UseCommandQueue(context, typeof(ExtractFramesRequested));
}
