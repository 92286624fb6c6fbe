using System.Data.Common;
using Mavi.Ledger.Scripts;

namespace Mavi.Ledger;

/// <summary>Why a whole account is paused.</summary>
public enum PauseKind
{
    /// <summary>Several unknown or unavailable answers in a row: Mavi is probably down.</summary>
    Outage,

    /// <summary>401, 402 or 403: the key, the balance or the account; a person has to act.</summary>
    Blocked,
}

/// <summary>The account that all workers share.</summary>
public sealed class AccountRow
{
    /// <summary>The one account of an installation today; every row carries it, so that several need no migration.</summary>
    public const string Default = "default";

    internal const string Columns = "paused_kind as PausedKind, paused_reason as PausedReason, paused_at as PausedAt, failures as Failures";

    /// <summary>From a row of exactly <see cref="Columns"/> and <see cref="ProbeIn"/>.</summary>
    internal static AccountRow Of(DbDataReader row) => new()
    {
        PausedKind = row.Text(0) is { } kind ? Enum.Parse<PauseKind>(kind) : null,
        PausedReason = row.Text(1),
        PausedAt = row.Number(2),
        Failures = row.GetInt32(3),
        ProbeIn = row.GetInt64(4),
    };

    /// <summary>Null where it is not paused.</summary>
    public PauseKind? PausedKind { get; init; }
    /// <summary>One sentence for the operator.</summary>
    public string? PausedReason { get; init; }
    /// <summary>Since when.</summary>
    public long? PausedAt { get; init; }
    /// <summary>Unknown or unavailable answers in a row.</summary>
    public int Failures { get; init; }
    /// <summary>Microseconds until the next single probe may leave; 0 or less is now.</summary>
    public long ProbeIn { get; init; }
}
