namespace Mavi.Worker;

/// <summary>Which worker this is, for leases and history: machine, process, and something that no earlier process of the same number had.</summary>
public sealed class WorkerIdentity
{
    /// <summary>Such as <c>host-1/4711/9f2c</c>.</summary>
    public string Name { get; } = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():N}"[..^28];
}
