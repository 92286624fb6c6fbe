using System.Text.Json.Serialization;
using Mavi.Contracts;

namespace Mavi.Bench.References;

/// <summary>MassTransit's envelope, written by hand.</summary>
sealed record RawEnvelope<T>(
    Guid MessageId, Guid ConversationId, string SourceAddress, string DestinationAddress, IReadOnlyList<string> MessageType, T Message, DateTime SentTime,
    IReadOnlyDictionary<string, string> Headers, RawHost Host);

/// <summary>Who sends: the same in every envelope.</summary>
sealed record RawHost(
    string MachineName, string ProcessName, int ProcessId, string Assembly, string AssemblyVersion, string FrameworkVersion, string MassTransitVersion,
    string OperatingSystemVersion);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RawEnvelope<VideoSplitCompleted>), TypeInfoPropertyName = "Split")]
[JsonSerializable(typeof(RawEnvelope<FramesExtracted>), TypeInfoPropertyName = "Frames")]
[JsonSerializable(typeof(RawEnvelope<TaskFailed>), TypeInfoPropertyName = "Failed")]
[JsonSerializable(typeof(RawEnvelope<CallbackReceived>), TypeInfoPropertyName = "Received")]
sealed partial class RawJson : JsonSerializerContext;
