using System.Security.Cryptography;
using Mavi.Contracts;

namespace Mavi.CallbackGateway.Classifying;

/// <summary>A classified callback: <see cref="Message"/> is one of the four events that the gateway publishes.</summary>
readonly record struct CallbackEvent(object Message, string? TaskId)
{
    /// <summary>The event's name, such as <c>VideoSplitCompleted</c>.</summary>
    public string Name => Message.GetType().Name;

    /// <summary>The same for the same callback, today and when it leaves the spool after a restart.</summary>
    public Guid MessageId(string bodyHash) => NameBasedGuid.Create($"{Name}:{TaskId ?? "-"}:{bodyHash}");

    /// <summary>The event with the size and the hash of its body, by which the history knows it.</summary>
    public CallbackEvent Of(int bodyBytes, string bodyHash) => new(
        Message switch
        {
            VideoSplitCompleted split => split with { BodyBytes = bodyBytes, BodySha256 = bodyHash },
            FramesExtracted frames => frames with { BodyBytes = bodyBytes, BodySha256 = bodyHash },
            TaskFailed failed => failed with { BodyBytes = bodyBytes, BodySha256 = bodyHash },
            CallbackReceived received => received with { BodyBytes = bodyBytes, BodySha256 = bodyHash },
            _ => Message,
        },
        TaskId);

    /// <summary>The event in memory of its own; else it may be good only as long as the callback's body is.</summary>
    public object Detached() => Message is FramesExtracted frames ? frames with { FrameIds = [.. frames.FrameIds] } : Message;

    /// <summary>The SHA-256 of a body in lower-case hex digits.</summary>
    public static string HashOf(ReadOnlySpan<byte> body) => Convert.ToHexStringLower(SHA256.HashData(body));
}
