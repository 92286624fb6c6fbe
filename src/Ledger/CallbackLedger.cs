namespace Mavi.Ledger;

/// <summary>A callback that is no typed event: another operation of the account, or one that could not be read.</summary>
public sealed class KeptCallback
{
    /// <summary>The message id; the same body is kept once.</summary>
    public string Id { get; init; } = "";
    /// <summary>The callback's task id, or null.</summary>
    public string? TaskId { get; init; }
    /// <summary>The body as it came.</summary>
    public string Body { get; init; } = "";
    /// <summary>Why it is no typed event.</summary>
    public string Reason { get; init; } = "";
    /// <summary>When the gateway received it.</summary>
    public long ReceivedAt { get; init; }
}

/// <summary>Keeps what came on the account's webhook and is no typed event, and finds out whether it belongs to a task of ours all the same.</summary>
public sealed class CallbackLedger(LedgerDatabase database)
{
    const string Columns = "id as Id, task_id as TaskId, body as Body, reason as Reason, received_at as ReceivedAt";

    /// <summary>A task of ours that still waits: whatever came for it is its answer.</summary>
    const string IsOurs = "exists (select 1 from tasks t where t.task_id = c.task_id and t.account = c.account and t.state in ('AwaitingCallback', 'Lost'))";

    /// <summary>Keeps the callback, once.</summary>
    /// <param name="callback">The callback.</param>
    /// <param name="recheckIn">When to look again whether it is ours: its submission may not be recorded yet. Null: never.</param>
    /// <param name="actor">Who keeps it.</param>
    /// <param name="cancellationToken">Ends the wait for the database.</param>
    /// <returns>True where a task of ours waits under its task id.</returns>
    public Task<bool> KeepAsync(KeptCallback callback, TimeSpan? recheckIn, string actor, CancellationToken cancellationToken) => database.RunAsync(
        $$"""
        insert into callbacks (id, account, task_id, body, reason, received_at, recheck_at, created_at)
        values (@Id, @Account, @TaskId, @Body, @Reason, @ReceivedAt, case when @TaskId is null then null else {now} + @Recheck end, {now})
        on conflict (id) do nothing;

        insert into history (id, account, task_id, at, kind, actor, detail)
        select @Id, @Account, @TaskId, {now}, 'CallbackKept', @Actor, null from callbacks where id = @Id
        on conflict (id) do nothing;

        select count(*) from callbacks c where c.id = @Id and {{IsOurs}};
        """,
        new { callback.Id, Account = AccountRow.Default, callback.TaskId, callback.Body, callback.Reason, callback.ReceivedAt, Recheck = recheckIn is { } recheck ? Moment.From(recheck) : (long?)null, Actor = actor },
        static async results => await results.ReadSingleAsync<int>() == 1, cancellationToken);

    /// <summary>Takes kept callbacks that turned out to be ours; each comes again after <paramref name="hold"/> until <see cref="SettleAsync"/>.</summary>
    public Task<IReadOnlyList<KeptCallback>> TakeOursAsync(TimeSpan hold, CancellationToken cancellationToken) => database.RunAsync(
        $$"""
        update callbacks as c set recheck_at = {now} + @Hold where c.recheck_at <= {asOf} and {{IsOurs}} returning {{Columns}};

        update callbacks set recheck_at = null where recheck_at <= {asOf};
        """,
        new { Hold = Moment.From(hold) },
        static async results => (IReadOnlyList<KeptCallback>)[.. await results.ReadAsync<KeptCallback>()], cancellationToken);

    /// <summary>Whose the callback is, is known: do not look again.</summary>
    public Task SettleAsync(string id, CancellationToken cancellationToken) => database.RunAsync(
        "update callbacks set recheck_at = null where id = @Id", new { Id = id }, cancellationToken);
}
