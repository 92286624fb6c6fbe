using System.Data.Common;
using Dapper;

namespace Mavi.Ledger;

/// <summary>Applies the schema at start, under a lock: any number of workers may start at once, on an empty database or a filled one.</summary>
static class Schema
{
    /// <summary>Raised with every change of <c>schema.sql</c>.</summary>
    public const int Version = 1;

    /// <summary>Any constant serves, as long as every worker uses the same.</summary>
    const long Lock = 0x6D617669; // "mavi"

    static readonly string Statements = Read();

    /// <exception cref="SchemaTooNewException">A newer worker has been here.</exception>
    public static async Task ApplyAsync(DbConnection connection, Dialect dialect, CancellationToken cancellationToken)
    {
        if (dialect is SqliteDialect)
            await connection.ExecuteAsync("pragma journal_mode = wal");

        await connection.ExecuteAsync(new CommandDefinition(dialect.BeginLocked, new { @lock = Lock }, cancellationToken: cancellationToken));
        try
        {
            await connection.ExecuteAsync("create table if not exists schema_version (version integer not null)");
            var found = await connection.ExecuteScalarAsync<int?>("select max(version) from schema_version");
            if (found > Version)
                throw new SchemaTooNewException(dialect.Place, found.Value);
            if (found is null || found < Version)
            {
                await connection.ExecuteAsync(new CommandDefinition(Statements, cancellationToken: cancellationToken));
                await connection.ExecuteAsync("delete from schema_version");
                await connection.ExecuteAsync("insert into schema_version (version) values (@Version)", new { Version });
            }

            await connection.ExecuteAsync("commit");
        }
        catch
        {
            await connection.ExecuteAsync("rollback");
            throw;
        }
    }

    static string Read()
    {
        using var stream = typeof(Schema).Assembly.GetManifestResourceStream("Mavi.Ledger.schema.sql")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>The ledger was written by a newer worker: an older one must not touch it.</summary>
public sealed class SchemaTooNewException(string place, int found) : Exception(
    $"The ledger at {place} has schema version {found}, this worker knows {Schema.Version}: start the newer worker, or restore the ledger that belongs to this one.");
