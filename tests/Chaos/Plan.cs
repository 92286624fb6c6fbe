namespace Mavi.Chaos;

/// <summary>What an installation consists of, and what its workers are told beyond where everything is.</summary>
sealed record Plan
{
    /// <summary>Before the name of every process, folder, virtual host and database of it, where several share a broker and a database server; else empty.</summary>
    public string Prefix { get; init; } = "";

    public int Workers { get; init; } = 3;

    public int Gateways { get; init; } = 2;

    /// <summary>A link of ours on every wire, which can be cut; without it they talk to each other directly.</summary>
    public bool HasLinks { get; init; } = true;

    /// <summary>Of each operation, in requests per second; 0 is no limit.</summary>
    public string SandboxRate { get; init; } = "0";

    /// <summary>At most so many connections of a worker to the database.</summary>
    public int LedgerConnections { get; init; } = 60;

    /// <summary>Settings of every worker, in their environment form.</summary>
    public IReadOnlyDictionary<string, string> Worker { get; init; } = new Dictionary<string, string>
    {
        ["Mavi__RequestsPerSecond"] = "200",
        ["Mavi__Timeout"] = "00:00:05",
        ["Worker__SweepInterval"] = "00:00:01",
        ["Worker__ExclusiveAccount"] = "true",
    };
}
