using System.Text.Json.Serialization;

namespace Mavi.Sandbox;

/// <summary>
/// What <c>PUT /sandbox/faults</c> takes: rules, each of which spoils some of the next requests in one way. Every rule that matches a request
/// applies; only of the faults that replace the answer the first one wins, and the later ones are saved for the next request.
/// </summary>
/// <example><code>
/// { "seed": 7, "rules": [
///   { "fault": "cutAfter", "operation": "split" },
///   { "fault": "duplicated", "times": 3, "atOnce": true, "every": 5 },
///   { "fault": "429", "probability": 0.05, "retryAfterSeconds": 2 } ] }
/// </code></example>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
sealed record FaultDocument
{
    /// <summary>Start of the chance behind <c>probability</c>: the same seed and the same order of requests give the same faults. Default 0.</summary>
    public int Seed { get; init; }

    public IReadOnlyList<FaultRule> Rules { get; init; } = [];
}

/// <summary>One rule: the fault, which requests it is for, and the fault's own parameters.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
sealed record FaultRule
{
    /// <summary>A name of <see cref="FaultCatalog"/>, such as <c>cutAfter</c>.</summary>
    public string Fault { get; init; } = "";

    /// <summary>One operation; without it <c>split</c> and <c>extract-frames</c>, never the others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Operation { get; init; }

    /// <summary>One asset; without it any.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? AssetId { get; init; }

    /// <summary>Requests to let pass first. Default 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Skip { get; init; }

    /// <summary>How many requests to spoil at most. Default 1; no limit where <c>every</c> or <c>probability</c> is given.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Count { get; init; }

    /// <summary>Every so many: 1 is each request, 5 is the fifth, the tenth and so on.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Every { get; init; }

    /// <summary>Chance of each request, 0 to 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Probability { get; init; }

    /// <summary>Of <c>slow</c> and <c>delayed</c>: how long; of <c>reordered</c>: how long to wait for the others. Seconds, default 5; of <c>reordered</c> 30.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Seconds { get; init; }

    /// <summary>Of <c>duplicated</c>: how often the callback is sent in all. Default 2.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Times { get; init; }

    /// <summary>Of <c>duplicated</c>: all at the same moment rather than one after the other. Default false.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? AtOnce { get; init; }

    /// <summary>Of <c>reordered</c>: how many callbacks are collected before they are sent, last submitted first. Default 2.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Group { get; init; }

    /// <summary>Of <c>manyFrames</c>: how many frame ids. Default 20000.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Frames { get; init; }

    /// <summary>Of <c>429</c> and <c>503</c>: sent as <c>Retry-After</c>. Default: no such header, as at the vendor.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Of <c>failed</c>: the callback's message.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init; }
}
