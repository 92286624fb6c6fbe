namespace Mavi.HistoryChecker;

/// <summary>Weighs the evidence. Pure: the same evidence is always judged the same.</summary>
sealed class Judge
{
    readonly Evidence _evidence;
    readonly List<Finding> _findings = [];
    readonly Dictionary<string, Request> _requests;
    readonly ILookup<(string, string?), Post> _posts;
    readonly Dictionary<string, Request> _requestOfTask = [];
    readonly ILookup<string, Result> _resultsOfTask;
    readonly HashSet<string> _contradicted = [];

    Judge(Evidence evidence)
    {
        _evidence = evidence;
        _requests = evidence.Messages
            .Where(static message => message is { Kind: "SplitVideoRequested" or "ExtractFramesRequested", RequestId: not null })
            .GroupBy(static message => message.RequestId!)
            .ToDictionary(static group => group.Key, static group => Request.Of(group.First()));
        _posts = evidence.Posts.ToLookup(static post => (post.Operation, post.AssetId));
        foreach (var request in _requests.Values)
        {
            request.Posts = [.. _posts[(request.Operation, request.AssetId)]];
            foreach (var post in request.Posts.Where(static post => post.TaskId is not null))
                _requestOfTask[post.TaskId!] = request;
        }

        foreach (var outcome in evidence.Messages.Where(static message => Outcomes.IsOutcome(message) && message.RequestId is not null))
        {
            if (_requests.TryGetValue(outcome.RequestId!, out var request))
                request.Outcomes.Add(outcome);
            else
                Find(Violation.OutcomeConflicting, outcome.RequestId!, $"{outcome.Kind} names a request that nobody made.");
        }

        _resultsOfTask = evidence.Callbacks
            .Where(static callback => callback.TaskId is not null)
            .Select(static callback => (callback.TaskId, Result: Result.OfCallback(callback.Body)))
            .Where(static callback => callback.Result is not null)
            .ToLookup(static callback => callback.TaskId!, static callback => callback.Result!);

        // Callbacks that contradict each other under one task id (one of them is forged): whichever the ledger saw first may decide.
        foreach (var callback in evidence.Callbacks.Where(callback => callback.TaskId is { } task && _requestOfTask.ContainsKey(task)))
        {
            if (Result.OfCallback(callback.Body)?.Operation != _requestOfTask[callback.TaskId!].Operation)
                _contradicted.Add(callback.TaskId!);
        }
    }

    public static Verdict Judged(Evidence evidence)
    {
        var judge = new Judge(evidence);
        judge.CountMoney();
        judge.FollowCallbacks();
        judge.CompareOutcomes();
        judge.LookForRemains();
        judge._findings.AddRange(HistoryRules.Check(evidence, judge._requests.Values));
        if (judge._requests.Count == 0)
            judge.Find(Violation.NoRequests, "run", "No command is in the taps; a run without requests proves nothing: bind them with listen before the run.");
        return new Verdict(judge._requests.Count, evidence.Posts.Count, evidence.Posts.Count(static post => post.IsAccepted), judge._findings);
    }

    void Find(Violation kind, string subject, string sentence, long weight = 1) => _findings.Add(new Finding(kind, subject, sentence, weight));

    void CountMoney()
    {
        var wanted = _requests.Values.ToLookup(static request => (request.Operation, (string?)request.AssetId));
        foreach (var group in _posts)
        {
            var accepted = group.Count(static post => post.IsAccepted);
            var requests = wanted[group.Key].ToList();
            if (accepted <= requests.Count)
                continue;
            var subject = requests.Count > 0 ? requests[0].Id : $"{group.Key.Item1} of {group.Key.Item2}";
            var resubmitted = _evidence.Ledger.History.FirstOrDefault(note => note.Kind == "Resubmitted" && note.RequestId == subject);
            Find(
                Violation.DoublePaid, subject,
                $"{accepted} accepted POSTs ({string.Join(", ", group.Where(static post => post.IsAccepted).Select(static post => post.TaskId))}) for {requests.Count} request(s)" +
                (resubmitted is null ? "; nobody asked for a second." : $"; {resubmitted.Actor} had it submitted again."));
        }
    }

    void FollowCallbacks()
    {
        var tasks = _evidence.Ledger.Tasks.Where(static task => task.ResultKind is not null).Select(static task => task.TaskId).ToHashSet();
        var keptBodies = _evidence.Ledger.Kept.Select(static kept => kept.Body).ToHashSet();
        foreach (var callback in _evidence.Callbacks.Where(static callback => callback.IsDelivered).Distinct())
        {
            var request = callback.TaskId is { } task ? _requestOfTask.GetValueOrDefault(task) : null;
            var subject = request?.Id ?? $"task {callback.TaskId}";
            if (!(callback.TaskId is { } id && tasks.Contains(id)) && !keptBodies.Contains(callback.Body.Replace('\0', '\uFFFD')))
            {
                Find(Violation.Lost, subject, $"The callback of task {callback.TaskId} was answered 2xx and is in neither tasks nor callbacks of the ledger.");
                continue;
            }

            // A request that ended in doubt keeps its orphan; somebody may still adopt it, and is told late.
            if (request is null || request.Outcomes.Count == 0 || Result.OfCallback(callback.Body)?.Operation != request.Operation
                || _contradicted.Contains(callback.TaskId!)
                || request.Outcomes.Any(outcome => Outcomes.IsSuccess(outcome) || outcome.Text("reason") is "SubmissionUncertain" or "Abandoned"))
                continue;
            Find(Violation.Lost, subject, $"A whole result of task {callback.TaskId} was answered 2xx; the request's outcome is {Outcomes.Describe(request.Outcomes[0])}.");
        }
    }

    void CompareOutcomes()
    {
        foreach (var request in _requests.Values)
        {
            if (request.Outcomes.Count == 0)
                Find(Violation.OutcomeMissing, request.Id, $"{request.Operation} of {request.AssetId} has no terminal event; {request.Posts.Count} POSTs, {request.Accepted} accepted.");
            foreach (var sentence in Outcomes.Conflicts(request, _resultsOfTask, _contradicted))
                Find(Violation.OutcomeConflicting, request.Id, sentence);
        }
    }

    void LookForRemains()
    {
        foreach (var queue in _evidence.Queues.Where(static queue => queue.Messages > 0))
            Find(Violation.LeftInQueue, queue.Name, $"{queue.Messages} messages are left in it.", queue.Messages);
        foreach (var row in _evidence.Ledger.Submissions.Where(static row => row.State is "Submitting" or "Deferred" or "Uncertain" || row.IsOwed))
            Find(Violation.UncertainOpen, row.RequestId, $"The submission is {row.State}{(row.IsOwed ? " and its event is not published" : "")}.");
        foreach (var row in _evidence.Ledger.Tasks)
        {
            var request = _requestOfTask.GetValueOrDefault(row.TaskId);
            var isOurOrphan = row.State == "AwaitingSubmission" && request is { Outcomes.Count: 0 };
            if (row.State == "AwaitingCallback" || row.IsOwed || isOurOrphan)
                Find(Violation.UncertainOpen, request?.Id ?? row.RequestId ?? row.TaskId, $"Task {row.TaskId} is {row.State}{(row.IsOwed ? " and its event is not published" : "")}.");
        }
    }
}
