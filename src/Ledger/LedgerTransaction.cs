using System.Data.Common;
using Dapper;

namespace Mavi.Ledger;

/// <summary>A transaction under one lock: the first statements travel with its begin, the last with its commit, two round trips in all.</summary>
sealed class LedgerTransaction(LedgerDatabase database, IDisposable gate, DbConnection connection, string begin, long key) : IAsyncDisposable
{
    enum Phase
    {
        New,
        Open,
        Ended,
    }

    Phase _phase;

    public Task<T> ReadAsync<T>(string statements, DynamicParameters parameters, Func<SqlMapper.GridReader, Task<T>> read)
    {
        var first = _phase == Phase.New;
        _phase = Phase.Open;
        if (!first)
            return database.QueryAsync(connection, statements, parameters, read);

        parameters.Add("lock", key);
        return database.QueryAsync(connection, begin + statements, parameters, async results =>
        {
            if (begin.Contains("select", StringComparison.Ordinal))
                await results.ReadAsync<object>();
            return await read(results);
        });
    }

    public async Task CommitAsync(string statements, object parameters)
    {
        await database.QueryAsync(connection, statements + "commit;", parameters, static _ => Task.FromResult(0));
        _phase = Phase.Ended;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_phase == Phase.Open && connection.State == System.Data.ConnectionState.Open)
                await connection.ExecuteAsync("rollback");
        }
        catch (DbException)
        {
            // The connection is gone, and the transaction with it.
        }
        finally
        {
            await connection.DisposeAsync();
            gate.Dispose();
        }
    }
}
