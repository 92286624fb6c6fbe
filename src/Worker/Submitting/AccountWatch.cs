using Mavi.Ledger;

namespace Mavi.Worker.Submitting;

/// <summary>Says in each worker's log, once, that the account is paused and why, and once that it is over: the worker that was refused is not the only one that stops.</summary>
public sealed partial class AccountWatch(ILogger<AccountWatch> logger)
{
    readonly Lock _lock = new();
    long? _pausedAt;

    /// <summary>Tells how the account stands now.</summary>
    public void Saw(AccountRow account)
    {
        lock (_lock)
        {
            if (account.PausedAt == _pausedAt)
                return;
            _pausedAt = account.PausedAt;
        }

        if (account.PausedAt is { } since)
            LogPaused(account.PausedKind, since.ToTime(), account.PausedReason);
        else
            LogOpen();
    }

    [LoggerMessage(LogLevel.Warning, "The account is paused for every worker ({Kind}, since {Since:O}), one request at a time finds out when that is over: {Reason}")]
    partial void LogPaused(PauseKind? kind, DateTimeOffset since, string? reason);

    [LoggerMessage(LogLevel.Information, "The account is open again")]
    partial void LogOpen();
}
