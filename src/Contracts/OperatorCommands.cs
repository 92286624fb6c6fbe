namespace Mavi.Contracts;

/// <summary>An operator found the task of an uncertain request (in Mavi's console, or among the orphans): join them. Nothing is submitted.</summary>
public sealed record AdoptTask
{
    /// <summary>The uncertain request.</summary>
    [JsonConverter(typeof(RequestIdConverter))]
    public Guid? RequestId { get; init; }

    /// <summary>The task that is its own.</summary>
    [JsonConverter(typeof(IdConverter))]
    public string? TaskId { get; init; }

    /// <summary>Who decides, for the history.</summary>
    public string? Actor { get; init; }

    /// <summary>Why, for the history.</summary>
    public string? Reason { get; init; }
}

/// <summary>An operator is sure that Mavi did not accept an uncertain request, or accepts to pay twice: submit it again.</summary>
public sealed record ResubmitRequest
{
    /// <summary>The uncertain request.</summary>
    [JsonConverter(typeof(RequestIdConverter))]
    public Guid? RequestId { get; init; }

    /// <summary>Who decides, for the history.</summary>
    public string? Actor { get; init; }

    /// <summary>Why, for the history.</summary>
    public string? Reason { get; init; }
}

/// <summary>An operator gives an uncertain or deferred request up: it ends as failed with <see cref="FailureReasons.Abandoned"/>.</summary>
public sealed record AbandonRequest
{
    /// <summary>The request to give up.</summary>
    [JsonConverter(typeof(RequestIdConverter))]
    public Guid? RequestId { get; init; }

    /// <summary>Who decides, for the history.</summary>
    public string? Actor { get; init; }

    /// <summary>Why, for the history and the failure's message.</summary>
    public string? Reason { get; init; }
}
