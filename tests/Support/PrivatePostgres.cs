using Npgsql;
#if TESTCONTAINERS
using Node = Mavi.Tests.Support.PostgresContainer;
#else
using Node = Mavi.Tests.Support.PostgresNode;
#endif

namespace Mavi.Tests.Support;

/// <summary>
/// A real PostgreSQL for tests: <see cref="SharedAsync"/> is the one of the test run (or the server that <c>TEST_LEDGER</c> names, a connection string),
/// <see cref="StartOwnAsync"/> one that the test may stop and kill. Each test asks for its own database, so none sees another's rows.
/// </summary>
sealed class PrivatePostgres : IAsyncDisposable
{
    static readonly Lazy<Task<PrivatePostgres>> Shared = new(StartSharedAsync);

    readonly string server;
    readonly Node? node;

    PrivatePostgres(string server, Node? node) => (this.server, this.node) = (server, node);

    /// <summary>The test run's server, started when first asked for; it ends with the test process.</summary>
    public static Task<PrivatePostgres> SharedAsync() => Shared.Value;

    /// <summary>A node of the test's own, for outages.</summary>
    public static async Task<PrivatePostgres> StartOwnAsync()
    {
        var node = await Node.StartAsync();
        return new(node.ConnectionString, node);
    }

    /// <summary>The connection string of a new, empty database.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        await using var connection = await OpenAsync();
        var name = $"{NameAt(TimeProvider.System.GetUtcNow())}{Guid.NewGuid():N}";
        // Copying files is several times faster than writing everything to the log; before version 15 there was no other way, nor a word for it.
        var strategy = connection.PostgreSqlVersion.Major >= 15 ? " strategy file_copy" : "";
        await using var create = new NpgsqlCommand($"create database {name}{strategy}", connection);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(server)
        {
            Database = name,
            // One pool per test: what a test leaves idle must not use up the server's connections.
            ConnectionIdleLifetime = 10,
            ConnectionPruningInterval = 5,
        }.ConnectionString;
    }

    /// <summary>Stops the node in order, its sessions are ended; returns when it has stopped.</summary>
    public Task StopAsync() => Own.StopAsync();

    /// <summary>Kills the node (SIGKILL, every process of it); returns when it has ended. What was committed is there after the next start.</summary>
    public Task KillAsync() => Own.KillAsync();

    /// <summary>Starts the node again: same port, same data.</summary>
    public Task StartAsync() => Own.RunAsync();

    public async ValueTask DisposeAsync()
    {
        if (node != null)
            await node.DisposeAsync();
    }

    Node Own => node ?? throw new NotSupportedException(
        "This server is the one of TEST_LEDGER and is not ours to stop; a test of outages uses PrivatePostgres.StartOwnAsync().");

    /// <summary>Somebody else's server does not fill up: what runs before the last hour left behind goes. (At the end of a process there is no time for it.)</summary>
    async Task DropOldDatabasesAsync()
    {
        await using var connection = await OpenAsync();
        var old = new List<string>();
        await using (var command = new NpgsqlCommand("select datname from pg_database where datname >= 'mavi_test_2' and datname < $1", connection))
        {
            command.Parameters.Add(new() { Value = NameAt(TimeProvider.System.GetUtcNow().AddHours(-1)) });
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                old.Add(reader.GetString(0));
        }

        foreach (var name in old)
        {
            await using var drop = new NpgsqlCommand($"drop database if exists {name} with (force)", connection);
            await drop.ExecuteNonQueryAsync();
        }
    }

    static string NameAt(DateTimeOffset time) => FormattableString.Invariant($"mavi_test_{time:yyyyMMddHHmmss}_");

    async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    static async Task<PrivatePostgres> StartSharedAsync()
    {
        if (Environment.GetEnvironmentVariable("TEST_LEDGER") is not { Length: > 0 } given)
            return await StartOwnAsync();

        var server = new NpgsqlConnectionStringBuilder(given) { GssEncryptionMode = GssEncryptionMode.Disable };
        var postgres = new PrivatePostgres(server.ConnectionString, node: null);
        await postgres.DropOldDatabasesAsync();
        return postgres;
    }
}
