using System.Diagnostics;
using MassTransit;
using MassTransit.Configuration;
using MassTransit.Saga;
using Mavi.Ledger;
using Mavi.Worker.Messaging;
using Mavi.Worker.Operating;

namespace Mavi.Worker.Joining;

/// <summary>
/// The saga's storage behind MassTransit's extension points: one row of the ledger, one round trip for an event. A behaviour changes nothing but its
/// instance. So it may run on a row that is only presumed: what it changed is written if the ledger's row is that one, and else it runs again, on the row as it is.
/// </summary>
public sealed class LedgerSagaRepository(
    TaskLedger ledger, TaskMemory memory, CallbackLedger callbacks, Lazy<IBus> bus, WorkerIdentity identity, WorkerMetrics metrics,
    ISagaConsumeContextFactory<TaskLedger, TaskState> factory) :
    ISagaRepositoryContextFactory<TaskState>,
    ILoadSagaRepositoryContextFactory<TaskState>
{
    /// <summary>Every run but the first follows a change of somebody else's, and after four of them at most a task is final.</summary>
    const int MostRuns = 10;

    /// <summary>Makes it the storage of the saga.</summary>
    public static void Register(ISagaRepositoryRegistrationConfigurator<TaskState> configurator)
    {
        configurator.RegisterLoadSagaRepository<TaskState, LedgerSagaRepository>();
        configurator.RegisterSagaRepository<TaskState, TaskLedger, SagaConsumeContextFactory<TaskLedger, TaskState>, LedgerSagaRepository>();
    }

    /// <inheritdoc />
    public async Task Send<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TaskState, T>> next)
        where T : class
    {
        using var span = Traces.StartJoin();
        var task = await JoinInTurnAsync(context, next, span);

        // After the commit. A crash right here is healed by the message's redelivery.
        if (task.Contradiction is { } callback)
            await callbacks.KeepAsync(callback, recheckIn: null, identity.Name, context.CancellationToken);
        if (task.Outcome is { } outcome)
            await bus.Value.PublishAsync(outcome);
        if (task is { Outcome: not null, Change: not null })
            metrics.OutcomePublished(task.Row);
    }

    /// <inheritdoc />
    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TaskState> query, IPipe<SagaRepositoryQueryContext<TaskState, T>> next)
        where T : class => throw new NotSupportedException("Tasks are found by their id only; every event correlates by it.");

    /// <inheritdoc />
    public async Task<T> Execute<T>(Func<LoadSagaRepositoryContext<TaskState>, Task<T>> asyncMethod, CancellationToken cancellationToken = default)
        where T : class => await asyncMethod(new LoadContext(ledger, cancellationToken));

    /// <inheritdoc />
    public void Probe(ProbeContext context) => context.Add("persistence", "ledger");

    /// <summary>Events of one task that come to this process at once go one after the other: the second then finds the row remembered instead of in its way.</summary>
    async Task<TaskState> JoinInTurnAsync<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TaskState, T>> next, Activity? span)
        where T : class
    {
        var turn = memory.TurnOf(context.CorrelationId!.Value);
        await turn.WaitAsync(context.CancellationToken);
        try
        {
            var (task, firstTrace) = await JoinAsync(context, next);
            span?.About(task.Row);
            // Mavi carries no trace from the POST to the callback: this is where the two meet.
            if (firstTrace is { } first)
                span?.AddLink(new ActivityLink(first));
            // From here on the row may be another event's to change, unless it is final.
            if (task.Change is not null)
                memory.Keep(task.CorrelationId, task.Row);
            return task;
        }
        finally
        {
            turn.Release();
        }
    }

    async Task<(TaskState Task, ActivityContext? FirstTrace)> JoinAsync<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TaskState, T>> next)
        where T : class
    {
        for (var runs = 0; runs < MostRuns; runs++)
        {
            var run = new LedgerSagaRepositoryContext<T>(context, mayPresume: runs == 0, ledger, memory, factory);
            await next.Send(run);
            if (await run.WriteAsync() is { IsDone: true } write)
                return (run.Instance, write.FirstTrace);
        }

        throw new TimeoutException($"The row of task {context.CorrelationId} was changed by somebody else {MostRuns} times while {typeof(T).Name} was joined to it; the message is handed back.");
    }

    sealed class LoadContext(TaskLedger ledger, CancellationToken cancellationToken) : MassTransit.Middleware.BasePipeContext(cancellationToken), LoadSagaRepositoryContext<TaskState>
    {
        public async Task<TaskState> Load(Guid correlationId) =>
            await ledger.FindAsync(correlationId, CancellationToken) is { } row ? new TaskState { CorrelationId = correlationId, Row = row } : null!;
    }
}
