namespace Mavi.AllInOne;

/// <summary>What reached Mavi, by the Sandbox's own journal rather than by what we believe to have sent.</summary>
sealed record Postings(int Split, int ExtractFrames, int Accepted, double CostUsd)
{
    public static async Task<Postings> ReadAsync(string sandboxUrl, CancellationToken cancel)
    {
        using var control = LocalStack.NewControl(sandboxUrl);
        var journal = (await control.GetFromJsonAsync<Journal>("/sandbox/journal?bodies=false", cancel))!;
        return new Postings(
            journal.Submissions.Count(submission => submission.Operation == "split"),
            journal.Submissions.Count(submission => submission.Operation == "extract-frames"),
            journal.Submissions.Count(submission => submission.Accepted),
            journal.CostUsd);
    }

    sealed record Journal(IReadOnlyList<Submission> Submissions, double CostUsd);

    sealed record Submission(string Operation, bool Accepted);
}
