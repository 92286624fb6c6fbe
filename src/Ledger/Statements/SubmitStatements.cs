using Mavi.Ledger.Scripts;

namespace Mavi.Ledger.Statements;

/// <summary>The SQL of the way of one request to Mavi. One text for PostgreSQL and SQLite; each constant is one transaction.</summary>
static class SubmitStatements
{
    const string ReadAccount = $$"""
        select {{AccountRow.Columns}}, coalesce(probe_at, 0) - {now} as ProbeIn from accounts where account = @Account;
        """;

    public static readonly Script Account = new(ReadAccount);

    public static readonly Script Find = new(ReadRow);

    /// <summary>A slot that is free at once is taken with the intent written, as by <see cref="Claim"/>, unless the account is paused. Then the row of the request.</summary>
    public static readonly Script Take = new($$"""
        update rate_slots set next_at = {now} + @Interval, last_at = {now}, last_attempt = @Attempt
         where account = @Account and operation = @Operation
           and next_at <= {now} and blocked_until <= {now} and last_at + @Spacing <= {now}
           and {{IsWanted}}
           and exists (select 1 from accounts where account = @Account and paused_kind is null)
           and {{Unanswered}} < @MostUnanswered;

        {{WriteIntent}}

        {{ReadRow}}
        """);

    /// <summary>
    /// Reserves the next slot for a request that is not known or is deferred; while the account is paused only for a probe that is due. None that is more than ten
    /// minutes away: who waits for it holds a message, which RabbitMQ takes back after half an hour. Then the row of the request.
    /// </summary>
    public static readonly Script Reserve = new($$"""
        update rate_slots
           set next_at = case when next_at > {now} then next_at else {now} end + @Interval
         where account = @Account and operation = @Operation
           and next_at <= {now} + 600000000
           and {{IsWanted}}
           and exists (select 1 from accounts where account = @Account and (paused_kind is null or probe_at <= {now}))
        returning next_at - @Interval - {now} as Wait, generation as Generation;

        {{ReadRow}}

        {{ReadAccount}}
        """);

    /// <summary>
    /// Takes the slot if it still holds, and writes the intent only then. The gate counts from the moment the last POST was let go, not from
    /// the slots: a worker that woke up late must not end up too close to the next one. While the account is paused the claim is the probe.
    /// </summary>
    public static readonly Script Claim = new($$"""
        update accounts set probe_by = @Attempt, probe_at = {now} + @ProbeEvery
         where account = @Account and paused_kind is not null and probe_at <= {now};

        update rate_slots set last_at = {now}, last_attempt = @Attempt
         where account = @Account and operation = @Operation
           and generation = @Generation and blocked_until <= {now} and last_at + @Spacing <= {now}
           and {{Unanswered}} < @MostUnanswered
           and exists (select 1 from accounts where account = @Account and (paused_kind is null or probe_by = @Attempt))
           and not exists (select 1 from submissions where request_id = @Request and (state <> 'Deferred' or operation <> @Operation or asset_id <> @AssetId));

        {{WriteIntent}}

        {{ReadRow}}

        select case when blocked_until > last_at + @Spacing then blocked_until else last_at + @Spacing end - {now} as Wait, generation as Generation,
               case when generation <> @Generation or exists (select 1 from accounts where account = @Account and paused_kind is not null and coalesce(probe_by, '') <> @Attempt) then 1 else 0 end as IsVoid,
               case when last_attempt = @Attempt then 0 else {{Unanswered}} end as Unanswered
          from rate_slots where account = @Account and operation = @Operation;
        """);

    /// <summary>
    /// Writes how an attempt ended, and what that means for the account. Gives the row, then whether <see cref="Heal"/> has something to do; neither
    /// where it is repeated.
    /// </summary>
    public static Script Finish(AccountEffect effect) => Finishes[effect];

    /// <summary>Mavi works: what counted throttles and failures is forgotten, and a pause is over.</summary>
    public static readonly Script Heal = new("""
        update rate_slots set throttles = 0 where account = @Account and operation = @Operation and throttles <> 0;
        update accounts set failures = 0, paused_kind = null, paused_reason = null, paused_at = null, probe_at = null, probe_by = null
         where account = @Account and (failures <> 0 or paused_kind is not null);
        """);

    public static readonly Script ProbeFailed = new($$"""
        update accounts
           set failures = failures + 1, probe_at = {now} + @ProbeEvery * (1 << case when failures > 7 then 4 when failures < 4 then 1 else failures - 3 end)
         where account = @Account and paused_kind is not null;

        {{ReadAccount}}
        """);

    /// <summary>A request that is not submitted now; an existing row stays as it is.</summary>
    public static readonly Script Record = new($$"""
        insert into submissions (request_id, account, operation, asset_id, caller, state, deferrals, due_at, reason, message, transition, created_at, updated_at)
        values (@Request, @Account, @Operation, @AssetId, @Caller, @State, case when @State = 'Deferred' then 1 else 0 end,
                {now} + @Delay, @Reason, @Message, @Transition, {now}, {now})
        on conflict (request_id) do nothing
        returning request_id;

        insert into history (id, account, request_id, at, kind, actor, detail)
        select @Transition, account, request_id, {now}, @Kind, @Actor, @Detail from submissions where request_id = @Request and transition = @Transition
        on conflict (id) do nothing;

        select {{SubmissionRow.Columns}} from submissions where request_id = @Request;
        """);

    /// <summary>The command is about to be acknowledged while somebody else's POST is on its way. Past the lease the row is uncertain, and owes that.</summary>
    public static readonly Script LeaveToOwner = new($$"""
        update submissions set announce_at = lease_until + 60000000 where request_id = @Request and state = 'Submitting' and announce_at is null;

        select {{SubmissionRow.Columns}} from submissions where request_id = @Request;
        """);

    // Nobody brings it to Mavi already. A deferred one is left to its time, unless that has come.
    const string IsWanted = "not exists (select 1 from submissions where request_id = @Request and (state <> 'Deferred' or @EvenDeferred = 0))";

    // Of whoever has the slot, and as of the moment that the next POST is counted from. A request id that was used for something else before is not taken over: its
    // second command is refused. What was put off has no command any more: even where a worker has
    // one in hand, another may have had the broker's next copy, put the request off and acknowledged it. So the ledger owes the event.
    const string WriteIntent = """
        insert into submissions (request_id, account, operation, asset_id, caller, state, attempts, attempt_id, worker, attempted_at, lease_until,
                                 transition, created_at, updated_at)
        select @Request, @Account, @Operation, @AssetId, @Caller, 'Submitting', 1, @Attempt, @Worker, last_at, last_at + @Lease,
               @Attempt, last_at, last_at
          from rate_slots where account = @Account and operation = @Operation and last_attempt = @Attempt
        on conflict (request_id) do update
           set state = 'Submitting', attempts = submissions.attempts + 1, attempt_id = @Attempt, worker = @Worker, attempted_at = excluded.attempted_at,
               lease_until = excluded.lease_until, announce_at = excluded.lease_until + 60000000, due_at = null, transition = @Attempt, updated_at = excluded.updated_at
         where submissions.state = 'Deferred' and submissions.operation = excluded.operation and submissions.asset_id = excluded.asset_id;

        insert into history (id, account, request_id, at, kind, actor, detail)
        select @Attempt, account, request_id, attempted_at, 'Submitting', @Worker, @Detail from submissions where request_id = @Request and transition = @Attempt
        on conflict (id) do nothing;
        """;

    // POSTs of the operation that left over two seconds ago and have no answer yet: while Mavi hangs, only so many may be in doubt. In the order of its
    // index, because PostgreSQL then remembers which entries are dead; each request leaves one, and a scan of another kind meets them all again.
    const string Unanswered = $$"""
        (select count(*) from (
           select 1 from submissions
            where state = 'Submitting' and lease_until > {asOf} and account = @Account and operation = @Operation and attempted_at < {asOf} - 2000000
            order by lease_until limit @MostUnanswered) as hanging)
        """;

    // A late answer may find its request held as uncertain already: it is certain again. The command may be gone by then, as it is where LeaveToOwner or
    // the intent marked the row: no redelivery would publish the event of a worker that dies before it does, so the ledger owes it.
    // Nearly always there is nothing to heal: to ask on the way costs less than two statements that find nothing.
    const string FinishRow = $$"""
        update submissions
           set state = @State, task_id = @TaskId, reason = @Reason, code = @Code, message = @Message,
               submitted_at = case when @State = 'Submitted' then {now} else submitted_at end,
               uncertain_at = case when @State = 'Uncertain' then coalesce(uncertain_at, attempted_at)
                                   when uncertain_at = attempted_at then null else uncertain_at end,
               due_at = {now} + @Delay,
               deferrals = deferrals + case when @State = 'Deferred' then 1 else 0 end,
               limit_texts = limit_texts + @LimitText,
               lease_until = null,
               announce_at = case when (announce_at is not null or state = 'Uncertain') and @State <> 'Deferred' then {now} end,
               transition = @Transition, updated_at = {now}
         where request_id = @Request and attempt_id = @Attempt
           and (state = 'Submitting' or (state = 'Uncertain' and @State <> 'Uncertain'))
           and not exists (select 1 from submissions where account = @Account and task_id = @TaskId)
        returning {{SubmissionRow.Columns}};

        insert into history (id, account, request_id, task_id, at, kind, actor, detail)
        select @Transition, account, request_id, task_id, {now}, @Kind, @Actor, @Detail from submissions where request_id = @Request and transition = @Transition
        on conflict (id) do nothing
        returning case when exists (select 1 from accounts where account = @Account and (failures <> 0 or paused_kind is not null))
                         or exists (select 1 from rate_slots where account = @Account and operation = @Operation and throttles <> 0) then 1 else 0 end;

        """;

    const string ReadRow = $"select {SubmissionRow.Columns} from submissions where request_id = @Request;";

    // A raised generation voids the slots reserved before: those who wait for them reserve again, behind the push back.
    const string Throttled = $$"""
        update rate_slots
           set blocked_until = {now} + coalesce(@PushBack, 1000000 * (1 << case when throttles > 5 then 5 else throttles end)),
               next_at = {now} + coalesce(@PushBack, 1000000 * (1 << case when throttles > 5 then 5 else throttles end)),
               throttles = throttles + 1, generation = generation + 1
         where account = @Account and operation = @Operation;

        """;

    // Probes are rarer the longer an outage lasts: each may leave a request in doubt.
    const string Failing = $$"""
        update accounts
           set failures = failures + 1,
               paused_kind = case when paused_kind is null and failures + 1 >= @FailuresAllowed then 'Outage' else paused_kind end,
               paused_reason = case when failures + 1 >= @FailuresAllowed then @PauseReason else paused_reason end,
               paused_at = case when paused_kind is null and failures + 1 >= @FailuresAllowed then {now} else paused_at end,
               probe_at = case when failures + 1 >= @FailuresAllowed
                               then {now} + @ProbeEvery * (1 << cast(case when failures + 1 - @FailuresAllowed > 4 then 4 else failures + 1 - @FailuresAllowed end as integer))
                               else probe_at end
         where account = @Account;

        """;

    const string Blocked = $$"""
        update accounts
           set paused_kind = 'Blocked', paused_reason = @PauseReason, paused_at = coalesce(paused_at, {now}), probe_at = {now} + @ProbeEvery
         where account = @Account;

        """;

    static readonly Dictionary<AccountEffect, Script> Finishes = new()
    {
        [AccountEffect.Healthy] = new(FinishRow),
        [AccountEffect.Throttled] = new(FinishRow + Throttled),
        [AccountEffect.Failing] = new(FinishRow + Failing),
        [AccountEffect.Blocked] = new(FinishRow + Blocked),
    };
}
