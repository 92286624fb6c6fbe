namespace Mavi.Sandbox;

/// <summary>What a fault spoils.</summary>
enum FaultStage
{
    /// <summary>The answer, and nothing was done: no task exists.</summary>
    AnswerBefore,

    /// <summary>The answer, after the request was carried out: the task exists and is billed.</summary>
    AnswerAfter,

    /// <summary>The time of the answer.</summary>
    Pace,

    /// <summary>What the callback says.</summary>
    Result,

    /// <summary>When and how often the callback is sent.</summary>
    Delivery,
}

/// <summary>Every fault by its name, what it spoils, and the parameters it takes.</summary>
static class FaultCatalog
{
    static readonly Dictionary<string, (FaultStage Stage, string[] Parameters)> Faults = new()
    {
        ["cutBefore"] = (FaultStage.AnswerBefore, []),
        ["401"] = (FaultStage.AnswerBefore, []),
        ["402"] = (FaultStage.AnswerBefore, []),
        ["403"] = (FaultStage.AnswerBefore, []),
        ["409"] = (FaultStage.AnswerBefore, []),
        ["429"] = (FaultStage.AnswerBefore, [nameof(FaultRule.RetryAfterSeconds)]),
        ["throttle400"] = (FaultStage.AnswerBefore, []),
        ["hidden400"] = (FaultStage.AnswerBefore, []),
        ["500"] = (FaultStage.AnswerBefore, []),
        ["502"] = (FaultStage.AnswerBefore, []),
        ["503"] = (FaultStage.AnswerBefore, [nameof(FaultRule.RetryAfterSeconds)]),
        ["504"] = (FaultStage.AnswerBefore, []),
        ["cutAfter"] = (FaultStage.AnswerAfter, []),
        ["cutBody"] = (FaultStage.AnswerAfter, []),
        ["badJson"] = (FaultStage.AnswerAfter, []),
        ["500After"] = (FaultStage.AnswerAfter, []),
        ["502After"] = (FaultStage.AnswerAfter, []),
        ["504After"] = (FaultStage.AnswerAfter, []),
        ["slow"] = (FaultStage.Pace, [nameof(FaultRule.Seconds)]),
        ["failed"] = (FaultStage.Result, [nameof(FaultRule.Message)]),
        ["failedSegment"] = (FaultStage.Result, []),
        ["empty"] = (FaultStage.Result, []),
        ["negativeFlag"] = (FaultStage.Result, []),
        ["malformed"] = (FaultStage.Result, []),
        ["drift"] = (FaultStage.Result, []),
        ["manyFrames"] = (FaultStage.Result, [nameof(FaultRule.Frames)]),
        ["early"] = (FaultStage.Delivery, []),
        ["delayed"] = (FaultStage.Delivery, [nameof(FaultRule.Seconds)]),
        ["lost"] = (FaultStage.Delivery, []),
        ["duplicated"] = (FaultStage.Delivery, [nameof(FaultRule.Times), nameof(FaultRule.AtOnce)]),
        ["reordered"] = (FaultStage.Delivery, [nameof(FaultRule.Group), nameof(FaultRule.Seconds)]),
        ["foreignTask"] = (FaultStage.Delivery, []),
        ["foreignOperation"] = (FaultStage.Delivery, []),
        ["foreignId"] = (FaultStage.Delivery, []),
        ["forged"] = (FaultStage.Delivery, []),
    };

    public static FaultStage StageOf(string fault) => Faults[fault].Stage;

    public static bool ReplacesAnswer(FaultRule rule) => StageOf(rule.Fault) is FaultStage.AnswerBefore or FaultStage.AnswerAfter;

    /// <summary>False for a fault that would leave the operation as it is.</summary>
    public static bool CanSpoil(string fault, string operation) => fault switch
    {
        "failedSegment" => operation == Operation.Split,
        "manyFrames" => operation == Operation.ExtractFrames,
        _ => Operation.IsSubmission(operation) || StageOf(fault) is not (FaultStage.Result or FaultStage.Delivery),
    };

    /// <summary>One sentence that says what is wrong with a rule; null where nothing is. A rule that could never apply is wrong.</summary>
    public static string? Complaint(FaultRule rule)
    {
        if (!Faults.TryGetValue(rule.Fault, out var known))
            return $"fault is \"{rule.Fault}\"; expected one of {string.Join(", ", Faults.Keys)}.";
        if (rule.Operation is { } operation && !Operation.All.Contains(operation))
            return $"operation is \"{operation}\"; expected one of {string.Join(", ", Operation.All)}, or none for split and extract-frames.";
        if (rule.Operation is { } named && !CanSpoil(rule.Fault, named))
            return $"fault {rule.Fault} changes nothing about {named}; name another operation, or none for split and extract-frames.";

        string[] given =
        [
            .. rule.Seconds is null ? [] : new[] { nameof(rule.Seconds) },
            .. rule.Times is null ? [] : new[] { nameof(rule.Times) },
            .. rule.AtOnce is null ? [] : new[] { nameof(rule.AtOnce) },
            .. rule.Group is null ? [] : new[] { nameof(rule.Group) },
            .. rule.Frames is null ? [] : new[] { nameof(rule.Frames) },
            .. rule.RetryAfterSeconds is null ? [] : new[] { nameof(rule.RetryAfterSeconds) },
            .. rule.Message is null ? [] : new[] { nameof(rule.Message) },
        ];
        if (given.Except(known.Parameters).FirstOrDefault() is { } superfluous)
            return $"fault {rule.Fault} takes no {JsonName(superfluous)}; leave it out.";

        return Bound("skip", rule.Skip, 0, int.MaxValue)
            ?? Bound("count", rule.Count, 1, int.MaxValue)
            ?? Bound("every", rule.Every, 1, int.MaxValue)
            ?? Bound("probability", rule.Probability, 0, 1)
            ?? Bound("seconds", rule.Seconds, 0, 86400)
            ?? Bound("times", rule.Times, 2, 100)
            ?? Bound("group", rule.Group, 2, 1000)
            ?? Bound("frames", rule.Frames, 1, 1_000_000)
            ?? Bound("retryAfterSeconds", rule.RetryAfterSeconds, 0, 86400)
            ?? (rule is { Every: not null, Probability: not null } ? "every and probability are both given; expected one of them at most." : null);
    }

    static string? Bound(string name, double? received, double least, double most) =>
        received is null || (received >= least && received <= most)
            ? null
            : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name} is {received}; expected {least} to {most}.");

    static string JsonName(string property) => char.ToLowerInvariant(property[0]) + property[1..];
}
