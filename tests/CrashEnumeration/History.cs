namespace Mavi.Tests.CrashEnumeration;

/// <summary>A story with one process in it that may die anywhere; everything else lives on and does its part.</summary>
/// <param name="Name">A sentence.</param>
/// <param name="Faults">The Sandbox's, as JSON rules.</param>
/// <param name="Play">What the world does: publish, wait, age the ledger, publish again. It must be right wherever the process dies and is started again.</param>
sealed record History(string Name, string Faults, Func<Stage, Task> Play)
{
    /// <summary>The worker's settings beside the usual ones.</summary>
    public (string Name, string Value)[] Settings { get; init; } = [];

    /// <summary>The worker is a process of its own.</summary>
    public bool IsProcess { get; init; }

    /// <summary>Whether Mavi accepted the POST tells the operator what to do about a request in doubt.</summary>
    public Func<bool, Decision> Operator { get; init; } = static accepted => accepted ? Decision.Adopt : Decision.Resubmit;

    /// <summary>The operator does nothing before the story says so.</summary>
    public bool OperatorWaits { get; init; }

    public override string ToString() => Name;
}

/// <summary>What an operator does about a request in doubt.</summary>
enum Decision
{
    Nothing,
    Adopt,
    Resubmit,
    Abandon,
}
