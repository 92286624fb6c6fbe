namespace Mavi.HistoryChecker;

/// <summary>Every transition has its row in the history, and every POST its intent before it.</summary>
static class HistoryRules
{
    public static IEnumerable<Finding> Check(Evidence evidence, IEnumerable<Request> requests)
    {
        var ids = evidence.Ledger.History.Select(static note => note.Id).ToHashSet();
        var ofRequest = evidence.Ledger.History.Where(static note => note.RequestId is not null).ToLookup(static note => note.RequestId!, static note => note.Kind);
        var ofTask = evidence.Ledger.History.Where(static note => note.TaskId is not null).ToLookup(static note => note.TaskId!, static note => note.Kind);

        foreach (var row in evidence.Ledger.Submissions)
        {
            if (!ids.Contains(row.Transition))
                yield return Missing(row.RequestId, $"its last transition, to {row.State}");
            if (row.State == "Submitted" && !ofRequest[row.RequestId].Any(static kind => kind is "Submitted" or "Adopted"))
                yield return Missing(row.RequestId, "Submitted or Adopted");
        }

        foreach (var row in evidence.Ledger.Tasks)
        {
            var kinds = ofTask[row.TaskId].ToHashSet();
            if (row.RequestId is { } claimed && !kinds.Contains("TaskSubmitted"))
                yield return Missing(claimed, $"TaskSubmitted of task {row.TaskId}");
            if (row.ResultKind is { } result && !kinds.Contains(result))
                yield return Missing(row.RequestId ?? row.TaskId, $"{result} of task {row.TaskId}");
            if (row.State == "Lost" && !kinds.Contains("Lost"))
                yield return Missing(row.RequestId ?? row.TaskId, $"Lost of task {row.TaskId}");
        }

        foreach (var request in requests)
        {
            var intents = ofRequest[request.Id].Count(static kind => kind == "Submitting");
            if (request.Posts.Count > intents)
                yield return new Finding(Violation.History, request.Id, $"{request.Posts.Count} POSTs reached Mavi, and the history holds {intents} intents (Submitting).");
        }
    }

    static Finding Missing(string subject, string what) => new(Violation.History, subject, $"The history has no row for {what}.");
}
