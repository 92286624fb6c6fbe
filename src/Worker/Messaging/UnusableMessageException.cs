namespace Mavi.Worker.Messaging;

/// <summary>A message that can never be used: it goes to the error queue with this sentence, and is not tried again.</summary>
public sealed class UnusableMessageException(string message) : Exception(message);
