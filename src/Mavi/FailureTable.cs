namespace Mavi.Client;

/// <summary>What one call showed, as far as it got.</summary>
/// <param name="Left">False where nothing of the request can have reached the server.</param>
/// <param name="HttpStatus">Null where no status line arrived.</param>
/// <param name="Whole">The body arrived to its end and within the limit.</param>
/// <param name="Envelope">The body, where it is a JSON object.</param>
/// <param name="Usable">Whether it holds what the call is for (a task id, for a submission); null where that is nothing but its success.</param>
/// <param name="Storage">A file store answered, not Mavi: its refusals say nothing about the account.</param>
sealed record Evidence(bool Left, int? HttpStatus, bool Whole, Envelope? Envelope, bool? Usable, bool Storage)
{
    /// <summary>The status that counts. Mavi says that both agree; where they do not, an error hidden in a success, or a finer one in a 400, wins.</summary>
    public int? Status => (HttpStatus, Envelope?.CodeNumber) switch
    {
        ( >= 200 and < 300, 0 or 200 or null) => HttpStatus,
        ( >= 200 and < 300, { } hidden) => hidden,
        (400, { } finer and > 400 and < 500) => finer,
        _ => HttpStatus,
    };

    /// <summary>A success by status, by every flag, and either by its code or by holding what was asked for.</summary>
    public bool Succeeds => Status is >= 200 and < 300 && HttpStatus is >= 200 and < 300 && Whole && Envelope?.IsNegative != true && Usable != false
        && (Usable == true || Envelope?.CodeNumber != null);

    /// <summary>An answer of Mavi's application, not of a proxy before it.</summary>
    public bool FromMavi => Envelope?.Code != null;

    public bool Says(string text) => string.Equals(Envelope?.Text?.Trim().TrimEnd('.'), text, StringComparison.OrdinalIgnoreCase);

    public bool IsGenericLimitText => Status == 400 && Says("Request has exceeded the limit");
}

/// <summary>What is certain and what is not: the one table. A row that is not sure must say <see cref="MaviFailure.Unknown"/>: a second POST costs money.</summary>
static class FailureTable
{
    /// <summary>The failure of a call, or null where it succeeded. The first row that fits counts.</summary>
    public static MaviFailure? Classify(Evidence seen) => seen switch
    {
        { Left: false, HttpStatus: null } => MaviFailure.NotSent,
        // Timed out, reset or cut after the request left.
        { HttpStatus: null } => MaviFailure.Unknown,
        { Succeeds: true } => null,
        // It says no, or says nothing, and yet names a task: it may run.
        { Usable: true } => MaviFailure.Unknown,
        // A signed URL that ran out is no reason to stop the account.
        { Storage: true, Status: 401 or 402 or 403 } => MaviFailure.Rejected,
        { Status: 401 or 402 or 403 } => MaviFailure.AccountBlocked,
        { Status: 429 } => MaviFailure.Throttled,
        { Status: 503 } => MaviFailure.Unavailable,
        // From here on the text matters, and it did not arrive.
        { Whole: false } => MaviFailure.Unknown,
        { IsGenericLimitText: true } => MaviFailure.Throttled,
        { Status: 400 } when seen.Says("Asset not found") => MaviFailure.NotFound,
        { Status: 404, FromMavi: true } => MaviFailure.NotFound,
        // A timeout by another name: a proxy may have given up on a request that Mavi has.
        { Status: 408 } => MaviFailure.Unknown,
        { Status: >= 400 and < 500 } => MaviFailure.Rejected,
        // 500, 502, 504 and every other 5xx; a success without a task id or with a negative flag; a code nobody knows. And 3xx: it is not
        // followed (a POST must not be sent twice), it is no refusal either: 302 and 303 are what a server says after it has done the work.
        _ => MaviFailure.Unknown,
    };

    /// <summary>What to do, in a sentence.</summary>
    public static string Advice(MaviFailure kind, Evidence seen, bool billed) => (kind, seen.Status) switch
    {
        (MaviFailure.NotSent, _) => "Nothing was sent: it is safe to try again; check that Mavi:BaseUrl can be reached from here.",
        (MaviFailure.Throttled, _) when seen.IsGenericLimitText =>
            "Mavi uses this text for throttling and for several invalid requests alike: try again a few times, then check the asset.",
        (MaviFailure.Throttled, _) => "Nothing was accepted: try again later, and keep the account's limit (Mavi:RequestsPerSecond).",
        (MaviFailure.Unavailable, _) => "Nothing was accepted: try again later.",
        (MaviFailure.AccountBlocked, 401) => "Nothing was accepted: check the key (Mavi:ApiKey or Mavi:ApiKeyFile) in Mavi's console.",
        (MaviFailure.AccountBlocked, 402) => "Nothing was accepted: top up the account's balance in Mavi's console.",
        (MaviFailure.AccountBlocked, _) => "Nothing was accepted: ask Mavi whether the account is disabled or this machine's address is not allowed.",
        (MaviFailure.NotFound, _) => "Nothing was accepted: check the asset id, and that the asset was uploaded with this account and not deleted.",
        (MaviFailure.Rejected, _) when seen.Storage => "The file was not stored: ask for a new signed URL and upload again.",
        (MaviFailure.Rejected, _) when seen.Says("An async request requires at least one webhook") =>
            "Nothing was accepted: configure the gateway's address as a webhook in Mavi's console.",
        (MaviFailure.Rejected, 404 or 405) => "Nothing was accepted: check Mavi:BaseUrl, the address has no such call.",
        (MaviFailure.Rejected, _) => "Nothing was accepted, and the same request will be refused again: correct it.",
        (_, >= 300 and < 400) when billed =>
            "Whether it was accepted is not known: do not send it again before someone has looked, and set Mavi:BaseUrl to the address that answers directly.",
        _ when billed => "It may have been accepted and billed: do not send it again; wait for its callback, or let someone look in Mavi's console.",
        _ => "Whether it took effect is not known: check before trying again.",
    };
}
