namespace Mavi.HistoryChecker;

/// <summary>Which promise is broken.</summary>
enum Violation
{
    /// <summary>More accepted POSTs than requests that asked for them, an operator's resubmission included: money is money.</summary>
    DoublePaid,

    /// <summary>A callback that was answered 2xx and is nowhere, or whose request has no outcome that says so.</summary>
    Lost,

    /// <summary>A request without a terminal event.</summary>
    OutcomeMissing,

    /// <summary>More than one terminal event, or one that the journal refutes.</summary>
    OutcomeConflicting,

    /// <summary>A queue that is not empty.</summary>
    LeftInQueue,

    /// <summary>A row of the ledger that is not at its end.</summary>
    UncertainOpen,

    /// <summary>A transition without its row in the history. Not one of the line's counts, and FAIL all the same.</summary>
    History,

    /// <summary>There was nothing to judge.</summary>
    NoRequests,
}

/// <summary>One offence: what is broken, by which request, task or queue, in one sentence; <paramref name="Weight"/> is what it counts.</summary>
sealed record Finding(Violation Kind, string Subject, string Sentence, long Weight = 1);

/// <summary>What the evidence comes to.</summary>
sealed record Verdict(int Requests, int Posts, int Accepted, IReadOnlyList<Finding> Findings)
{
    public bool IsPass => Findings.Count == 0;

    public string Line =>
        $"requests={Requests} posts={Posts} accepted={Accepted} double_paid={Count(Violation.DoublePaid)} lost={Count(Violation.Lost)} " +
        $"outcomes_missing={Count(Violation.OutcomeMissing)} outcomes_conflicting={Count(Violation.OutcomeConflicting)} " +
        $"left_in_queues={Count(Violation.LeftInQueue)} uncertain_open={Count(Violation.UncertainOpen)} verdict={(IsPass ? "PASS" : "FAIL")}";

    /// <summary>A request counts once, however many sentences are about it; queues count their messages.</summary>
    public long Count(Violation kind) => Findings.Where(finding => finding.Kind == kind).GroupBy(static finding => finding.Subject).Sum(static group => group.Max(static finding => finding.Weight));
}
