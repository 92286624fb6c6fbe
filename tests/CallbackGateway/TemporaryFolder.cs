namespace Mavi.Tests.CallbackGateway;

/// <summary>A folder that is gone after the test.</summary>
sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mavi-gateway-").FullName;

    /// <summary>Where a gateway keeps its spool in here.</summary>
    public string Spool => System.IO.Path.Combine(Path, "spool");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
