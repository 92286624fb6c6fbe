using System.Diagnostics;
using Testcontainers.PostgreSql;

namespace Mavi.Tests.Support;

/// <summary>
/// One PostgreSQL in a container, in the place of <see cref="PostgresNode"/> where the tests are built with <c>UseTestcontainers</c>. Its port is chosen
/// here, not by the engine, so that a server that was stopped or killed comes back where it was.
/// </summary>
sealed class PostgresContainer : IAsyncDisposable
{
    const string Image = "postgres:17";

    readonly PostgreSqlContainer _container = new PostgreSqlBuilder(Image)
        .WithPortBinding(FreePorts.Next(), PostgreSqlBuilder.PostgreSqlPort)
        .WithCommand("-c", "max_connections=500")
        .Build();

    public string ConnectionString => $"{_container.GetConnectionString()};GSS Encryption Mode=Disable";

    public static async Task<PostgresContainer> StartAsync()
    {
        var container = new PostgresContainer();
        try
        {
            await container.RunAsync();
            return container;
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it, with the data it had; returns when it takes connections.</summary>
    public Task RunAsync() => _container.StartAsync();

    /// <summary>In order: sessions are ended, then the server.</summary>
    public Task StopAsync() => _container.StopAsync();

    /// <summary>SIGKILL; returns when it has ended. The library itself knows only how to stop, and is told so afterwards.</summary>
    public async Task KillAsync()
    {
        using var kill = Process.Start("docker", ["kill", _container.Id]);
        await kill.WaitForExitAsync();
        await _container.StopAsync();
    }

    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
