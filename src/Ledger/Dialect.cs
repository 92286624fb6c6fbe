using System.Data.Common;
using Dapper;
using Mavi.Ledger.Scripts;
using Microsoft.Data.Sqlite;
using Npgsql;
using NpgsqlTypes;

namespace Mavi.Ledger;

/// <summary>The few places where PostgreSQL and SQLite differ. Statements are written once with <c>{now}</c> and <c>{asOf}</c> in them.</summary>
abstract class Dialect : IAsyncDisposable
{
    const string OwnClock = "cast(@now as bigint)";

    /// <summary>The database's clock, in microseconds since 1970 UTC.</summary>
    public abstract string Now { get; }

    /// <summary>The same as of the transaction's begin: to find rows by, because only what does not change meanwhile can be looked up in an index.</summary>
    public abstract string AsOf { get; }

    /// <summary>Opens a transaction that holds everybody else off <c>@lock</c> until it ends, also where no table exists yet.</summary>
    public abstract string BeginLocked { get; }

    /// <summary>Opens a transaction for statements that change rows.</summary>
    public abstract string Begin { get; }

    /// <summary>Whether several statements sent as one command are one transaction already.</summary>
    public abstract bool CommandIsTransaction { get; }

    /// <summary>Where the ledger is, without user or password.</summary>
    public abstract string Place { get; }

    public abstract Task<DbConnection> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Taken around every use of a connection; SQLite has one writer, and waiting here is cheaper than being refused there.</summary>
    public virtual Task<IDisposable> EnterAsync(CancellationToken cancellationToken) => Task.FromResult<IDisposable>(NoGate.Instance);

    /// <summary>Sends a script, as one command: see <see cref="CommandIsTransaction"/>.</summary>
    public abstract Task<DbDataReader> ReadAsync(DbConnection connection, Script.Parts script, Values values);

    /// <summary>The text with the database's clock in it, or, for a test, with <c>@now</c>.</summary>
    public string Render(string text, bool hasOwnClock) => text
        .Replace("{now}", hasOwnClock ? OwnClock : Now, StringComparison.Ordinal)
        .Replace("{asOf}", hasOwnClock ? OwnClock : AsOf, StringComparison.Ordinal);

    public abstract ValueTask DisposeAsync();

    /// <exception cref="ArgumentException">The connection string cannot be read, or names no database.</exception>
    public static Dialect Create(string connectionString)
    {
        var parts = new DbConnectionStringBuilder { ConnectionString = connectionString };
        if (parts.ContainsKey("Data Source") || parts.ContainsKey("DataSource") || parts.ContainsKey("Filename"))
            return new SqliteDialect(new SqliteConnectionStringBuilder(connectionString));
        if (parts.ContainsKey("Host") || parts.ContainsKey("Server"))
            return new PostgresDialect(new NpgsqlConnectionStringBuilder(connectionString));
        throw new ArgumentException("it names neither a Host (PostgreSQL) nor a Data Source (SQLite)");
    }

    sealed class NoGate : IDisposable
    {
        public static readonly NoGate Instance = new();

        public void Dispose()
        {
        }
    }
}

sealed class PostgresDialect : Dialect
{
    // Every statement finds its rows by a key or in the order of an index, whatever the values are: to plan it anew for each of them costs as much as to run it. Not
    // sent with the connection's start, which a pooler may refuse.
    const string PlanOnce = "set plan_cache_mode = force_generic_plan";

    readonly NpgsqlDataSource _source;

    public PostgresDialect(NpgsqlConnectionStringBuilder settings)
    {
        // Not ContainsKey, which says yes to every setting there is.
        if (!settings.ShouldSerialize("Max Auto Prepare"))
            settings.MaxAutoPrepare = 60;
        if (!settings.ShouldSerialize("GSS Encryption Mode"))
            settings.GssEncryptionMode = GssEncryptionMode.Disable;
        // A session keeps nothing of ours from one use to the next that the next would not want: no temporary tables, no locks beyond a transaction.
        if (!settings.ShouldSerialize("No Reset On Close"))
            settings.NoResetOnClose = true;
        settings.ApplicationName ??= "mavi-worker";
        Place = $"{settings.Host}:{settings.Port}/{settings.Database}";
        _source = new NpgsqlDataSourceBuilder(settings.ToString())
            .UsePhysicalConnectionInitializer(static connection => connection.Execute(PlanOnce), static connection => connection.ExecuteAsync(PlanOnce))
            .Build();
    }

    // clock_timestamp, not now(): after waiting for a row the time of the wait has passed.
    public override string Now => "(extract(epoch from clock_timestamp()) * 1000000)::bigint";
    public override string AsOf => "(extract(epoch from now()) * 1000000)::bigint";
    public override string BeginLocked => "begin; select pg_advisory_xact_lock(@lock);";
    public override string Begin => "begin;";
    public override bool CommandIsTransaction => true;
    public override string Place { get; }

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken) => await _source.OpenConnectionAsync(cancellationToken);

    public override async Task<DbDataReader> ReadAsync(DbConnection connection, Script.Parts script, Values values)
    {
        var batch = ((NpgsqlConnection)connection).CreateBatch();
        foreach (var statement in script.Statements)
        {
            var command = new NpgsqlBatchCommand(statement.Text);
            foreach (var name in statement.Names)
                command.Parameters.Add(Parameter(values.Of(name)));
            batch.BatchCommands.Add(command);
        }

        return await batch.ExecuteReaderAsync();
    }

    // With its type, also where it is null: a statement is prepared for the types it came with.
    static NpgsqlParameter Parameter(Value value) =>
        value.IsText ? new NpgsqlParameter<string?> { NpgsqlDbType = NpgsqlDbType.Text, TypedValue = value.Text }
        : value.Number is { } number ? new NpgsqlParameter<long> { NpgsqlDbType = NpgsqlDbType.Bigint, TypedValue = number }
        : new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bigint, Value = DBNull.Value };

    public override ValueTask DisposeAsync() => _source.DisposeAsync();
}

sealed class SqliteDialect(SqliteConnectionStringBuilder settings) : Dialect
{
    readonly SemaphoreSlim _gate = new(1);
    readonly string _connectionString = settings.ToString();

    public override string Now => "cast(unixepoch('subsec') * 1000000 as integer)";
    public override string AsOf => Now;
    public override string BeginLocked => "begin immediate;";
    public override string Begin => "begin immediate;";
    public override bool CommandIsTransaction => false;
    public override string Place => settings.DataSource;

    public override async Task<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override async Task<DbDataReader> ReadAsync(DbConnection connection, Script.Parts script, Values values)
    {
        var command = ((SqliteConnection)connection).CreateCommand();
        command.CommandText = script.Whole;
        foreach (var name in script.Names)
        {
            var value = values.Of(name);
            command.Parameters.Add(new SqliteParameter(name, (object?)value.Text ?? (object?)value.Number ?? DBNull.Value));
        }

        return await command.ExecuteReaderAsync();
    }

    public override async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        return new Releaser(_gate);
    }

    public override ValueTask DisposeAsync()
    {
        using (var connection = new SqliteConnection(_connectionString))
            SqliteConnection.ClearPool(connection);
        _gate.Dispose();
        return ValueTask.CompletedTask;
    }

    sealed class Releaser(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
