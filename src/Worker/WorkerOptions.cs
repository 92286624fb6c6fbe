using Microsoft.Extensions.Options;

namespace Mavi.Worker;

/// <summary>What to do with a request of which nobody knows whether Mavi accepted it.</summary>
public enum OnUncertain
{
    /// <summary>Hold it until somebody decides: never pay twice.</summary>
    Hold,

    /// <summary>Submit it again at once, at the price that Mavi may be paid twice.</summary>
    Resubmit,
}

/// <summary>Section <c>Worker</c>: deadlines and the treatment of doubt. Every worker of an installation must have the same.</summary>
public sealed class WorkerOptions
{
    /// <summary>After this time without a callback <c>TaskOverdue</c> is published. Default 2 hours; 1 second or more, less than <see cref="LostAfter"/>.</summary>
    public TimeSpan OverdueAfter { get; set; } = TimeSpan.FromHours(2);

    /// <summary>After this time without a callback, or in doubt, a request ends as failed. Default 1 day; up to 365 days.</summary>
    public TimeSpan LostAfter { get; set; } = TimeSpan.FromDays(1);

    /// <summary>After this time without being accepted a request ends as failed. Default 1 day; 1 second to 365 days.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Ended requests, orphans and history are forgotten after this time. Default 30 days; more than <see cref="LostAfter"/> and <see cref="GiveUpAfter"/>, up to 3650 days.</summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Default <see cref="OnUncertain.Hold"/>.</summary>
    public OnUncertain OnUncertain { get; set; } = OnUncertain.Hold;

    /// <summary>True only where no other program submits on the account: an unclaimed callback is then adopted by the one uncertain request it fits. Default false.</summary>
    public bool ExclusiveAccount { get; set; }

    /// <summary>How often the ledger is looked through for what is due. Default 5 seconds; 100 ms to 10 minutes.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(5);
}

sealed class WorkerOptionsValidator : IValidateOptions<WorkerOptions>
{
    static readonly TimeSpan Year = TimeSpan.FromDays(365);

    public ValidateOptionsResult Validate(string? name, WorkerOptions options)
    {
        List<string> wrong = [];
        Check(wrong, nameof(options.LostAfter), options.LostAfter, TimeSpan.FromSeconds(1), Year);
        Check(wrong, nameof(options.GiveUpAfter), options.GiveUpAfter, TimeSpan.FromSeconds(1), Year);
        Check(wrong, nameof(options.SweepInterval), options.SweepInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10));
        // The rest is measured against these: where one of them is wrong, that is what to correct.
        if (wrong.Count == 0 && (options.OverdueAfter < TimeSpan.FromSeconds(1) || options.OverdueAfter >= options.LostAfter))
            wrong.Add($"Worker:OverdueAfter is {options.OverdueAfter}; expected at least 00:00:01 and less than Worker:LostAfter ({options.LostAfter}): set Worker__OverdueAfter.");
        if (wrong.Count == 0 && (options.Retention <= options.LostAfter || options.Retention <= options.GiveUpAfter || options.Retention > 10 * Year))
            wrong.Add($"Worker:Retention is {options.Retention}; expected more than Worker:LostAfter ({options.LostAfter}) and Worker:GiveUpAfter ({options.GiveUpAfter}), up to 3650 days: set Worker__Retention.");
        if (!Enum.IsDefined(options.OnUncertain))
            wrong.Add($"Worker:OnUncertain is {options.OnUncertain}; expected Hold or Resubmit: set Worker__OnUncertain.");
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    static void Check(List<string> wrong, string setting, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
            wrong.Add($"Worker:{setting} is {value}; expected a time from {least} to {most}: set Worker__{setting}.");
    }
}
