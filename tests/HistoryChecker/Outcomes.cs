using System.Text.Json;

namespace Mavi.HistoryChecker;

/// <summary>What one request's terminal events must not say.</summary>
static class Outcomes
{
    /// <summary>After these a success may still come, as late.</summary>
    static readonly string[] InDoubt = ["CallbackLost", "SubmissionUncertain", "Abandoned"];

    static readonly string[] NothingAccepted = ["InvalidRequest", "AssetNotFound", "Rejected", "GaveUp"];

    public static bool IsOutcome(Message message) => message.Kind is "SplitVideoSucceeded" or "SplitVideoFailed" or "ExtractFramesSucceeded" or "ExtractFramesFailed";

    public static bool IsSuccess(Message message) => message.Kind is "SplitVideoSucceeded" or "ExtractFramesSucceeded";

    public static string Describe(Message outcome) => IsSuccess(outcome) ? $"{outcome.Kind} of task {outcome.Text("taskId")}" : $"{outcome.Kind} because of {outcome.Text("reason")}";

    public static IEnumerable<string> Conflicts(Request request, ILookup<string, Result> resultsOfTask, HashSet<string> contradicted)
    {
        foreach (var sameId in request.Outcomes.GroupBy(static outcome => outcome.MessageId).Where(static group => !AreEqual(group)))
            yield return $"Message id {sameId.Key} was published with different contents.";

        var distinct = request.Outcomes.DistinctBy(static outcome => outcome.MessageId).ToList();
        var failures = distinct.Where(static outcome => !IsSuccess(outcome)).ToList();
        var successes = distinct.Where(IsSuccess).ToList();
        if (failures.Count > 1 || successes.Count > 1)
            yield return $"It has {distinct.Count} terminal events: {string.Join(", ", distinct.Select(Describe))}.";
        else if (failures is [var failure] && successes is [var after] && !(InDoubt.Contains(failure.Text("reason")) && after.Flag("late")))
            yield return $"It has {Describe(failure)} and {Describe(after)}, which is {(after.Flag("late") ? "" : "not ")}marked as late.";
        else if (failures.Count == 0 && successes is [var alone] && alone.Flag("late"))
            yield return "Its success is marked as late, and no failure came before.";

        foreach (var outcome in distinct)
        {
            var sentence = outcome.Kind.StartsWith(request.Operation == "Split" ? "Split" : "Extract", StringComparison.Ordinal) && outcome.Text("assetId") == request.AssetId
                ? IsSuccess(outcome) ? OfSuccess(request, outcome, resultsOfTask) : OfFailure(request, outcome, successes.Count, resultsOfTask, contradicted)
                : $"{outcome.Kind} of {outcome.Text("assetId")} answers {request.Operation} of {request.AssetId}.";
            if (sentence is not null)
                yield return sentence;
        }
    }

    static string? OfSuccess(Request request, Message outcome, ILookup<string, Result> resultsOfTask)
    {
        var task = outcome.Text("taskId");
        if (!request.Made(task))
            return $"The success names task {task}; the journal has no such task for {request.Operation} of {request.AssetId}.";
        return resultsOfTask[task!].Contains(Result.OfOutcome(outcome)) ? null : $"The success of task {task} does not say what Mavi's callback said.";
    }

    static string? OfFailure(Request request, Message outcome, int successes, ILookup<string, Result> resultsOfTask, HashSet<string> contradicted)
    {
        var reason = outcome.Text("reason");
        var task = outcome.Text("taskId");
        if (NothingAccepted.Contains(reason))
            return request.Accepted == 0 ? null : $"It failed because of {reason}, which says that nothing was accepted; the journal has {request.Accepted} accepted POST(s).";
        if (InDoubt.Contains(reason))
            return reason != "CallbackLost" || request.Made(task) ? null : $"The callback of task {task} is said to be lost; the journal has no such task for it.";
        if (!request.Made(task))
            return $"The failure names task {task}; the journal has no such task for {request.Operation} of {request.AssetId}.";
        return successes == 0 && !contradicted.Contains(task!) && resultsOfTask[task!].Any(result => result.Operation == request.Operation)
            ? $"It failed because of {reason}; Mavi's callback of task {task} was a whole success." : null;
    }

    static bool AreEqual(IEnumerable<Message> repeats)
    {
        var first = repeats.First();
        return repeats.All(repeat => repeat.Kind == first.Kind && JsonElement.DeepEquals(repeat.Content, first.Content));
    }
}
