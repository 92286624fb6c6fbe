using System.Diagnostics;

namespace Mavi.Ledger;

/// <summary>
/// The trace in which a transition happened, kept in the detail of its history row as <c>traceparent</c>: whoever reads the row finds the trace, and what
/// happens to the request later points back to it. Nothing is kept, or read, while nobody traces.
/// </summary>
static class HistoryTrace
{
    const string Member = "\"traceparent\":\"";
    const int Length = 55;

    public static bool IsOn => Activity.Current is { Recorded: true };

    /// <summary><paramref name="detail"/>, a JSON object or null, with the current trace where there is one.</summary>
    public static string? AddTo(string? detail)
    {
        if (!IsOn || Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id })
            return detail;
        return detail is null or "{}" ? $"{{{Member}{id}\"}}" : $"{detail[..^1]},{Member}{id}\"}}";
    }

    /// <summary>The trace that a detail names; null where it names none.</summary>
    public static ActivityContext? Of(string? detail)
    {
        var at = detail?.LastIndexOf(Member, StringComparison.Ordinal) ?? -1;
        if (at < 0 || at + Member.Length + Length > detail!.Length)
            return null;
        return ActivityContext.TryParse(detail.Substring(at + Member.Length, Length), null, isRemote: true, out var context) ? context : null;
    }
}
