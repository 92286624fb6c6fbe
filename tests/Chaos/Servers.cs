using Mavi.Tests.Support;
using Npgsql;

namespace Mavi.Chaos;

/// <summary>The private broker and the private PostgreSQL of a run; several installations may share them.</summary>
sealed class Servers : IAsyncDisposable
{
    Servers(Broker broker, PostgresNode database) => (Broker, Database) = (broker, database);

    public Broker Broker { get; }

    public PostgresNode Database { get; }

    public static async Task<Servers> StartAsync(RunFolder folder, int brokerNodes, CancellationToken stop)
    {
        var broker = new Broker(folder, brokerNodes);
        var started = broker.StartAsync(stop);
        var database = await PostgresNode.StartAsync();
        try
        {
            await started;
            return new Servers(broker, database);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>A virtual host and a database of an installation's own.</summary>
    public async Task MakePlaceAsync(string name)
    {
        await Broker.MakeVirtualHostAsync(name);
        await using var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"create database \"{name}\"", connection);
        await create.ExecuteNonQueryAsync();
    }

    /// <summary>Where the installation of that name is: the default virtual host and database where the name is empty.</summary>
    public (string Amqp, string Ledger) PlaceOf(string name) => name.Length == 0
        ? (Broker.Nodes[0].Amqp, Database.ConnectionString)
        : (Broker.Nodes[0].Amqp + name, new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Database = name }.ConnectionString);

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
