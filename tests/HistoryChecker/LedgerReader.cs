using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Mavi.HistoryChecker;

/// <summary>The ledger's tables, by SQL that both databases understand.</summary>
static class LedgerReader
{
    public static async Task<LedgerRecords> ReadAsync(string connectionString)
    {
        await using var connection = Open(connectionString);
        await connection.OpenAsync();
        // The four must tell of one moment.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.Serializable);
        return new LedgerRecords(
            [.. (await connection.QueryAsync<SubmissionLine>("""
                select request_id as RequestId, state as State, task_id as TaskId, transition as Transition, case when announce_at is null then 0 else 1 end as Owed
                  from submissions
                """, transaction: transaction)).Select(static line => new SubmissionRecord(line.RequestId, line.State, line.TaskId, line.Transition, line.Owed == 1))],
            [.. (await connection.QueryAsync<TaskLine>("""
                select task_id as TaskId, state as State, request_id as RequestId, result_kind as ResultKind, case when announce_at is null then 0 else 1 end as Owed
                  from tasks
                """, transaction: transaction)).Select(static line => new TaskRecord(line.TaskId, line.State, line.RequestId, line.ResultKind, line.Owed == 1))],
            [.. (await connection.QueryAsync<CallbackLine>("select task_id as TaskId, body as Body from callbacks", transaction: transaction))
                .Select(static line => new KeptRecord(line.TaskId, line.Body))],
            [.. (await connection.QueryAsync<HistoryLine>(
                    "select id as Id, request_id as RequestId, task_id as TaskId, kind as Kind, actor as Actor, at as At, detail as Detail from history", transaction: transaction))
                .Select(static line => new HistoryRecord(line.Id, line.RequestId, line.TaskId, line.Kind, line.Actor, line.At, line.Detail))]);
    }

    static DbConnection Open(string connectionString)
    {
        if (connectionString.TrimStart().StartsWith("Data Source", StringComparison.OrdinalIgnoreCase))
            return new SqliteConnection(connectionString);
        return new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, GssEncryptionMode = GssEncryptionMode.Disable }.ConnectionString);
    }

    sealed class SubmissionLine
    {
        public string RequestId { get; init; } = "";
        public string State { get; init; } = "";
        public string? TaskId { get; init; }
        public string Transition { get; init; } = "";
        public long Owed { get; init; }
    }

    sealed class TaskLine
    {
        public string TaskId { get; init; } = "";
        public string State { get; init; } = "";
        public string? RequestId { get; init; }
        public string? ResultKind { get; init; }
        public long Owed { get; init; }
    }

    sealed class CallbackLine
    {
        public string? TaskId { get; init; }
        public string Body { get; init; } = "";
    }

    sealed class HistoryLine
    {
        public string Id { get; init; } = "";
        public string? RequestId { get; init; }
        public string? TaskId { get; init; }
        public string Kind { get; init; } = "";
        public string Actor { get; init; } = "";
        public long At { get; init; }
        public string? Detail { get; init; }
    }
}
