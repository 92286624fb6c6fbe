namespace Mavi.Ledger;

/// <summary>What happens to tasks by time alone: the alarm, then the loss. Safe on any number of workers.</summary>
public sealed class TaskSweeps(LedgerDatabase database)
{
    const int Batch = 100;

    /// <summary>Moves tasks past their time on: overdue first, lost <paramref name="lostAfter"/> after the submission.</summary>
    /// <returns>How many were moved.</returns>
    public async Task<int> ExpireAsync(TimeSpan overdueAfter, TimeSpan lostAfter, string actor, CancellationToken cancellationToken)
    {
        var due = await database.RunAsync(
            $$"""select {{TaskRow.Columns}} from tasks where due_at <= {asOf} and state = 'AwaitingCallback' order by due_at limit {{Batch}}""",
            new { }, static async results => (IReadOnlyList<TaskRow>)[.. await results.ReadAsync<TaskRow>()], cancellationToken);

        var moved = 0;
        foreach (var row in due)
        {
            var change = row.Overdue == 0
                ? "overdue = 1, due_at = due_at + @Rest"
                : "state = 'Lost', reason = 'CallbackLost', message = @Message, ended_at = {now}, due_at = null";
            moved += await database.RunAsync(
                $$"""
                update tasks set {{change}}, announce_at = {now}, transition = @Transition, updated_at = {now}
                 where id = @Id and state = 'AwaitingCallback' and due_at <= {asOf} and overdue = @Overdue;

                insert into history (id, account, request_id, task_id, at, kind, actor)
                select @Transition, account, request_id, task_id, {now}, @Kind, @Actor from tasks where id = @Id and transition = @Transition;

                select count(*) from tasks where id = @Id and transition = @Transition;
                """,
                new
                {
                    row.Id,
                    row.Overdue,
                    Rest = Moment.From(lostAfter - overdueAfter),
                    Message = $"Mavi accepted the request, but no callback came within {lostAfter}. A result that comes later is published as late.",
                    Transition = SubmissionLedger.NewId(),
                    Kind = row.Overdue == 0 ? "Overdue" : "Lost",
                    Actor = actor,
                },
                static results => results.ReadSingleAsync<int>(), cancellationToken);
        }

        return moved;
    }
}
