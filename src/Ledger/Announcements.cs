namespace Mavi.Ledger;

/// <summary>
/// Events that a transition without a message owes the bus (a sweep's, an operator's). The transition marks the row; whoever takes it publishes
/// the event of the row's state and clears the mark. A crash in between leaves the mark, and the next one publishes the same message id again.
/// </summary>
public sealed class Announcements(LedgerDatabase database)
{
    const int Batch = 100;

    /// <summary>Takes requests whose event is owed; each comes again after <paramref name="hold"/> unless cleared.</summary>
    public Task<IReadOnlyList<Owed<SubmissionRow>>> TakeSubmissionsAsync(TimeSpan hold, CancellationToken cancellationToken) =>
        TakeAsync<SubmissionRow>("submissions", "request_id", SubmissionRow.Columns, hold, cancellationToken);

    /// <summary>Takes tasks whose event is owed; each comes again after <paramref name="hold"/> unless cleared.</summary>
    public Task<IReadOnlyList<Owed<TaskRow>>> TakeTasksAsync(TimeSpan hold, CancellationToken cancellationToken) =>
        TakeAsync<TaskRow>("tasks", "id", TaskRow.Columns, hold, cancellationToken);

    /// <summary>The event of the row is published; a transition since then owes its own.</summary>
    public Task ClearAsync(Owed<SubmissionRow> owed, CancellationToken cancellationToken) =>
        ClearAsync("submissions", "request_id", owed.Row.RequestId, owed.Mark, cancellationToken);

    /// <summary>The event of the row is published; a transition since then owes its own.</summary>
    public Task ClearAsync(Owed<TaskRow> owed, CancellationToken cancellationToken) =>
        ClearAsync("tasks", "id", owed.Row.Id, owed.Mark, cancellationToken);

    // What is submitting keeps its mark for the state in which that ends.
    Task<IReadOnlyList<Owed<T>>> TakeAsync<T>(string table, string key, string columns, TimeSpan hold, CancellationToken cancellationToken) => database.RunAsync(
        $$"""
        update {{table}} set announce_at = {now} + @Hold
         where {{key}} in (select {{key}} from {{table}} where announce_at <= {asOf} and state <> 'Submitting' order by announce_at limit {{Batch}}) and announce_at <= {asOf}
        returning {{columns}}, announce_at as Mark
        """,
        new { Hold = Moment.From(hold) },
        static results => Task.FromResult<IReadOnlyList<Owed<T>>>(
            [.. results.Read<T, MarkOf, Owed<T>>(static (row, mark) => new Owed<T>(row, mark.Mark), splitOn: "Mark")]),
        cancellationToken);

    Task ClearAsync(string table, string key, string id, long mark, CancellationToken cancellationToken) => database.RunAsync(
        $"update {table} set announce_at = null where {key} = @Id and announce_at = @Mark",
        new { Id = id, Mark = mark }, cancellationToken);

    sealed class MarkOf
    {
        public long Mark { get; init; }
    }
}

/// <summary>A row whose event is owed, and the mark that is cleared once it is published.</summary>
public sealed record Owed<T>(T Row, long Mark);
