using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Mavi.Ledger.Scripts;
using Microsoft.Extensions.Logging;

namespace Mavi.Ledger;

/// <summary>
/// The database behind the ledger. Opening waits until it is there and its schema is applied, so a worker may start before it and
/// outlive its restarts; a command that fails is the caller's to repeat.
/// </summary>
public sealed partial class LedgerDatabase : IAsyncDisposable
{
    /// <summary>How long an opening waits: under the 30 minutes after which RabbitMQ takes a held message back.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    readonly Dialect _dialect;
    readonly TimeProvider? _clock;
    readonly ILogger<LedgerDatabase> _logger;
    readonly ConcurrentDictionary<string, string> _rendered = new();
    readonly SemaphoreSlim _schemaGate = new(1);
    volatile bool _schemaApplied;
    volatile string? _waitingFor = "not opened yet";

    /// <param name="connectionString"><c>Host=…</c> is PostgreSQL, <c>Data Source=…</c> is SQLite.</param>
    /// <param name="logger">Told once when the ledger waits for its database, and once when it is there.</param>
    /// <param name="clock">Null, as in production, is the database's own clock; a test gives its fake one.</param>
    /// <exception cref="ArgumentException">The connection string cannot be read.</exception>
    public LedgerDatabase(string connectionString, ILogger<LedgerDatabase> logger, TimeProvider? clock = null)
    {
        _dialect = Dialect.Create(connectionString);
        _logger = logger;
        _clock = clock;
    }

    /// <summary>Whether a connection string can be read; opens nothing.</summary>
    /// <exception cref="ArgumentException">It cannot.</exception>
    public static void Check(string connectionString) => _ = Dialect.Create(connectionString);

    /// <summary>True for SQLite: one worker on one machine.</summary>
    public bool IsSingleMachine => _dialect is SqliteDialect;

    /// <summary>Where the ledger is, without user or password.</summary>
    public string Place => _dialect.Place;

    /// <summary>Why the database cannot be used right now; null where it can.</summary>
    public string? WaitingFor => _waitingFor;

    /// <summary>
    /// Runs statements as one transaction, in one round trip on PostgreSQL, and reads what they return. The token ends only the wait for a
    /// connection: of a statement that is cancelled half way nobody would know whether it took effect.
    /// </summary>
    internal Task<T> RunAsync<T>(string statements, object parameters, Func<SqlMapper.GridReader, Task<T>> read, CancellationToken cancellationToken) =>
        TransactAsync(statements, parameters, async (connection, rendered, values) =>
        {
            await using var results = await connection.QueryMultipleAsync(rendered, values);
            return await read(results);
        }, cancellationToken);

    /// <summary>The same for statements that return nothing: a reader of nothing would end in a request to cancel, on a connection of its own.</summary>
    internal Task RunAsync(string statements, object parameters, CancellationToken cancellationToken) =>
        TransactAsync(statements, parameters, static (connection, rendered, values) => connection.ExecuteAsync(rendered, values), cancellationToken);

    /// <summary>The same for what is run for each request, read once and for all.</summary>
    internal async Task<T> RunAsync<T>(Script script, Values values, Func<Results, Task<T>> read, CancellationToken cancellationToken)
    {
        if (_clock is not null)
            values.Add("now", Moment.From(_clock.GetUtcNow()));
        using var gate = await _dialect.EnterAsync(cancellationToken);
        await using var connection = await OpenAsync(cancellationToken);
        var parts = script.For(_dialect, _clock is not null);
        return await InTransactionAsync(connection, async () =>
        {
            await using var reader = await _dialect.ReadAsync(connection, parts, values);
            var results = new Results(reader);
            var result = await read(results);
            await results.EndAsync();
            return result;
        });
    }

    async Task<T> TransactAsync<T>(string statements, object parameters, Func<DbConnection, string, object, Task<T>> run, CancellationToken cancellationToken)
    {
        if (_clock is not null)
        {
            var withNow = new DynamicParameters(parameters);
            withNow.Add("now", Moment.From(_clock.GetUtcNow()));
            parameters = withNow;
        }

        using var gate = await _dialect.EnterAsync(cancellationToken);
        await using var connection = await OpenAsync(cancellationToken);
        return await InTransactionAsync(connection, () => run(connection, Render(statements), parameters));
    }

    Task<T> InTransactionAsync<T>(DbConnection connection, Func<Task<T>> run)
    {
        return _dialect.CommandIsTransaction ? run() : WithinAsync();

        async Task<T> WithinAsync()
        {
            await connection.ExecuteAsync(_dialect.Begin);
            try
            {
                var result = await run();
                await connection.ExecuteAsync("commit");
                return result;
            }
            catch
            {
                await connection.ExecuteAsync("rollback");
                throw;
            }
        }
    }

    string Render(string statements) => _rendered.GetOrAdd(statements, static (text, self) => self._dialect.Render(text, self._clock is not null), this);

    async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var until = TimeProvider.System.GetTimestamp();
        for (var delay = TimeSpan.FromMilliseconds(100); ; delay = delay < TimeSpan.FromSeconds(5) ? delay * 2 : delay)
        {
            try
            {
                var connection = await _dialect.OpenAsync(cancellationToken);
                await EnsureSchemaAsync(connection, cancellationToken);
                if (Interlocked.Exchange(ref _waitingFor, null) is not null)
                    LogReady(Place, Schema.Version);
                return connection;
            }
            catch (Exception exception) when (exception is DbException or TimeoutException or System.Net.Sockets.SocketException)
            {
                if (TimeProvider.System.GetElapsedTime(until) > Patience)
                    throw new OperationCanceledException($"The ledger database at {Place} was away for {Patience.TotalMinutes:0} minutes; what was in hand is handed back.", exception);
                if (Interlocked.Exchange(ref _waitingFor, exception.Message) != exception.Message)
                    LogWaiting(Place, exception.Message);
                await Task.Delay(delay, cancellationToken);
            }
        }
    }

    async Task EnsureSchemaAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        if (_schemaApplied)
            return;
        await _schemaGate.WaitAsync(cancellationToken);
        try
        {
            if (!_schemaApplied)
                await Schema.ApplyAsync(connection, _dialect, cancellationToken);
            _schemaApplied = true;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
        finally
        {
            _schemaGate.Release();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _dialect.DisposeAsync();
        _schemaGate.Dispose();
    }

    [LoggerMessage(LogLevel.Warning, "Waiting for the ledger database at {Place}: {Reason}")]
    partial void LogWaiting(string place, string reason);

    [LoggerMessage(LogLevel.Information, "The ledger database at {Place} is ready, schema version {Version}")]
    partial void LogReady(string place, int version);
}
