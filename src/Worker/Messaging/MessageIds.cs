using System.Text;
using Mavi.Contracts;

namespace Mavi.Worker.Messaging;

/// <summary>Message ids that are the same after every crash: made from what the message says, never from chance.</summary>
static class MessageIds
{
    public static Guid Of(string message, params ReadOnlySpan<string> of)
    {
        var name = new StringBuilder(message);
        foreach (var part in of)
            name.Append(':').Append(part);
        return NameBasedGuid.Create(name.ToString());
    }

    /// <summary>The saga's correlation id: the task id itself where it is a UUID, else one made from it.</summary>
    public static Guid OfTask(string taskId) => Guid.TryParseExact(taskId, "N", out var id) ? id : NameBasedGuid.Create("task:" + taskId);
}

/// <summary>A message ready to be published: what, under which id, and for which request.</summary>
/// <param name="Message">One of the contracts.</param>
/// <param name="MessageId">The same for every repetition.</param>
/// <param name="RequestId">The message's correlation id, where the request is known.</param>
/// <param name="MustArrive">True where a queue of ours has to take it; false for events that nobody need listen to.</param>
public sealed record Outgoing(object Message, Guid MessageId, Guid? RequestId, bool MustArrive = false);
