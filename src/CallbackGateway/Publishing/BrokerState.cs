namespace Mavi.CallbackGateway.Publishing;

/// <summary>
/// What is known of the broker: whether it can be reached (told by <see cref="BrokerConnection"/>; an in-memory bus always can) and whether it took
/// the last event. While it is away no sender waits for it. Each change is said once.
/// </summary>
sealed partial class BrokerState(ILogger<BrokerState> logger)
{
    readonly Lock _lock = new();
    bool _unreachable;
    bool _failing;

    /// <summary>False from the moment the connection is lost until it is there again.</summary>
    public bool IsReachable => !Volatile.Read(ref _unreachable);

    /// <summary>True while callbacks go to the spool without an attempt to publish.</summary>
    public bool IsAway => Volatile.Read(ref _unreachable) || Volatile.Read(ref _failing);

    public void Reached(string broker)
    {
        if (Change(ref _unreachable, false))
            LogReached(broker);
    }

    public void Lost(string broker, string reason)
    {
        if (Change(ref _unreachable, true))
            LogLost(broker, reason);
    }

    public void Took()
    {
        if (Change(ref _failing, false))
            LogTook();
    }

    public void Failed(string reason)
    {
        if (Change(ref _failing, true))
            LogFailed(reason);
    }

    bool Change(ref bool state, bool to)
    {
        lock (_lock)
        {
            if (state == to)
                return false;
            state = to;
            return true;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Waiting for the broker at {Broker}; callbacks go to the spool meanwhile. {Reason}")]
    partial void LogLost(string broker, string reason);

    [LoggerMessage(LogLevel.Information, "The broker at {Broker} is there")]
    partial void LogReached(string broker);

    [LoggerMessage(LogLevel.Warning, "The broker does not take events; callbacks go to the spool meanwhile. {Reason}")]
    partial void LogFailed(string reason);

    [LoggerMessage(LogLevel.Information, "The broker takes events again")]
    partial void LogTook();
}
