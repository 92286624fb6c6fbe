using Npgsql;

namespace Mavi.Tests.EndToEnd;

/// <summary>Holds a table of the ledger: every worker that needs it waits with what it has in hand, until this is disposed and all go on at the same moment.</summary>
sealed class LedgerLock : IAsyncDisposable
{
    readonly NpgsqlConnection _connection;
    readonly NpgsqlTransaction _transaction;

    LedgerLock(NpgsqlConnection connection, NpgsqlTransaction transaction) => (_connection, _transaction) = (connection, transaction);

    /// <param name="ledger">The connection string.</param>
    /// <param name="table">The table.</param>
    /// <param name="mode"><c>share</c> stops only who writes.</param>
    public static async Task<LedgerLock> TakeAsync(string ledger, string table, string mode = "access exclusive")
    {
        var connection = new NpgsqlConnection(ledger);
        await connection.OpenAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand($"lock table {table} in {mode} mode", connection);
        await command.ExecuteNonQueryAsync();
        return new LedgerLock(connection, transaction);
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
