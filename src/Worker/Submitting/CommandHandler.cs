using System.Text.RegularExpressions;
using MassTransit;
using MassTransit.Serialization;
using Mavi.Contracts;
using Mavi.Ledger;
using Mavi.Worker.Messaging;

namespace Mavi.Worker.Submitting;

/// <summary>What every command of every operation goes through: who asks for what, is it usable, is it known, submit it, say how it stands.</summary>
public sealed partial class CommandHandler(Submitter submitter, SubmissionLedger ledger, Announcer announcer, WorkerIdentity identity)
{
    const int LongestAssetId = 128;
    const int LongestCaller = 200;

    /// <summary>Handles one command; returns when everything it led to is recorded and published.</summary>
    /// <exception cref="UnusableMessageException">It has no request id, or one that is taken: to the error queue.</exception>
    public async Task HandleAsync(Operation operation, ConsumeContext context, Guid? requestId, string? assetId, string? caller)
    {
        var request = new SubmissionRequest(
            RequestIdOf(context, requestId), operation.Name, PlainText.Clean(assetId ?? "", LongestAssetId), PlainText.Clean(caller ?? CallerOf(context), LongestCaller));

        var row = AssetId().IsMatch(assetId ?? "")
            ? await submitter.SubmitAsync(operation, request, SubmitFrom.Command, context.CancellationToken)
            : await RefuseAsync(request, assetId, context.CancellationToken);

        if (row.Operation != operation.Name || row.AssetId != request.AssetId)
            throw new UnusableMessageException(
                $"Request id {row.RequestId} was used before for {row.Operation} of asset {row.AssetId}, and now came for {operation.Name} of asset {request.AssetId}; a request id names one request for ever. Publish this command again under a new one.");

        if (row.State == SubmissionState.Submitting)
            row = await ledger.LeaveToOwnerAsync(row.Request, context.CancellationToken);
        await announcer.PublishAsync(row);
    }

    async Task<SubmissionRow> RefuseAsync(SubmissionRequest request, string? assetId, CancellationToken cancellationToken)
    {
        var received = string.IsNullOrEmpty(assetId) ? "missing or empty" : assetId.Length > LongestAssetId ? $"{assetId.Length} characters long" : $"\"{request.AssetId}\"";
        var message = $"assetId is {received}; expected the id of an uploaded asset, 1 to {LongestAssetId} letters, digits, '_' or '-', such as re_700000000000000001. Nothing was submitted: publish the command again under a new request id.";
        return (await ledger.RecordAsync(
            request, SubmissionState.Rejected, null, FailureReasons.InvalidRequest, message, new HistoryNote("Rejected", identity.Name), cancellationToken)).Row;
    }

    // Only in plain JSON: an envelope's message id is made by the sender's library, and nobody would know it as the request's.
    static Guid RequestIdOf(ConsumeContext context, Guid? requestId)
    {
        if (requestId is { } given && given != Guid.Empty)
            return given;
        if (context.SerializerContext is SystemTextJsonRawSerializerContext && context.MessageId is { } messageId && messageId != Guid.Empty)
            return messageId;
        throw new UnusableMessageException(
            "The command has no requestId; expected a UUID in the body's requestId or, in plain JSON, in the AMQP message_id. Publish it again with one: the outcome is told by it.");
    }

    static string CallerOf(ConsumeContext context)
    {
        var appId = context.TryGetPayload(out RabbitMqBasicConsumeContext? delivery) ? delivery.Properties.AppId : null;
        return context.Host?.MachineName ?? appId ?? "unknown";
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{1,128}\\z")]
    private static partial Regex AssetId();
}
