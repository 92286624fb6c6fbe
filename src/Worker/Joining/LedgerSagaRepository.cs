using System.Diagnostics;
using MassTransit;
using MassTransit.Configuration;
using MassTransit.Context;
using MassTransit.Saga;
using Mavi.Ledger;
using Mavi.Worker.Messaging;
using Mavi.Worker.Operating;

namespace Mavi.Worker.Joining;

/// <summary>The saga's storage behind MassTransit's extension points: one row of the ledger, held from its first read to its commit.</summary>
public sealed class LedgerSagaRepository(
    TaskLedger ledger, CallbackLedger callbacks, WorkerIdentity identity, WorkerMetrics metrics, ISagaConsumeContextFactory<TaskHold, TaskState> factory) :
    ISagaRepositoryContextFactory<TaskState>,
    ILoadSagaRepositoryContextFactory<TaskState>
{
    /// <summary>Makes it the storage of the saga.</summary>
    public static void Register(ISagaRepositoryRegistrationConfigurator<TaskState> configurator)
    {
        configurator.RegisterLoadSagaRepository<TaskState, LedgerSagaRepository>();
        configurator.RegisterSagaRepository<TaskState, TaskHold, SagaConsumeContextFactory<TaskHold, TaskState>, LedgerSagaRepository>();
    }

    /// <inheritdoc />
    public async Task Send<T>(ConsumeContext<T> context, IPipe<SagaRepositoryContext<TaskState, T>> next)
        where T : class
    {
        using var span = Traces.StartJoin();
        var hold = new TaskHold(ledger, span);
        await using (hold)
            await next.Send(new LedgerSagaRepositoryContext<T>(hold, context, factory));

        // After the commit, and without a connection in hand. A crash right here is healed by the message's redelivery.
        if (hold.Contradiction is { } callback)
            await callbacks.KeepAsync(callback, recheckIn: null, identity.Name, context.CancellationToken);
        if (hold.Outcome is not { } outcome)
            return;
        await context.PublishAsync(outcome);
        if (hold.Joined is { } task)
            metrics.OutcomePublished(task);
    }

    /// <inheritdoc />
    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TaskState> query, IPipe<SagaRepositoryQueryContext<TaskState, T>> next)
        where T : class => throw new NotSupportedException("Tasks are found by their id only; every event correlates by it.");

    /// <inheritdoc />
    public async Task<T> Execute<T>(Func<LoadSagaRepositoryContext<TaskState>, Task<T>> asyncMethod, CancellationToken cancellationToken = default)
        where T : class => await asyncMethod(new LoadContext(ledger, cancellationToken));

    /// <inheritdoc />
    public void Probe(ProbeContext context) => context.Add("persistence", "ledger");

    sealed class LoadContext(TaskLedger ledger, CancellationToken cancellationToken) : MassTransit.Middleware.BasePipeContext(cancellationToken), LoadSagaRepositoryContext<TaskState>
    {
        public async Task<TaskState> Load(Guid correlationId) =>
            await ledger.FindAsync(correlationId, CancellationToken) is { } row ? new TaskState { CorrelationId = correlationId, Row = row } : null!;
    }
}

/// <summary>One event's hold on one task's row, from the read to the commit.</summary>
public sealed class TaskHold(TaskLedger ledger, Activity? span) : IAsyncDisposable
{
    TaskSession? _session;

    internal async Task<TaskRow?> ReadAsync(Guid id, CancellationToken cancellationToken)
    {
        _session = await ledger.OpenAsync(id, cancellationToken);
        return _session.Row;
    }

    internal Task WriteAsync(TaskState task)
    {
        (Outcome, Contradiction) = (task.Outcome, task.Contradiction);
        span?.About(task.Row);
        if (task.Change is not { } change)
            return Task.CompletedTask;

        // Mavi carries no trace from the POST to the callback: this is where the two meet.
        if (_session!.FirstTrace is { } first)
            span?.AddLink(new ActivityLink(first));
        Joined = task.Row;
        return _session.SaveAsync(task.Row, change);
    }

    /// <summary>What to publish once the row is committed.</summary>
    internal Outgoing? Outcome { get; private set; }

    /// <summary>What to keep beside the row.</summary>
    internal KeptCallback? Contradiction { get; private set; }

    /// <summary>The row that this event changed; null where it changed nothing.</summary>
    internal TaskRow? Joined { get; private set; }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _session?.DisposeAsync() ?? ValueTask.CompletedTask;
}

sealed class LedgerSagaRepositoryContext<TMessage>(
    TaskHold hold, ConsumeContext<TMessage> context, ISagaConsumeContextFactory<TaskHold, TaskState> factory) :
    ConsumeContextScope<TMessage>(context, hold),
    SagaRepositoryContext<TaskState, TMessage>
    where TMessage : class
{
    readonly ConsumeContext<TMessage> _context = context;

    public async Task<SagaConsumeContext<TaskState, TMessage>> Load(Guid correlationId) =>
        await hold.ReadAsync(correlationId, CancellationToken) is { } row
            ? await factory.CreateSagaConsumeContext(hold, _context, new TaskState { CorrelationId = correlationId, Row = row }, SagaConsumeContextMode.Load)
            : null!;

    public Task<SagaConsumeContext<TaskState, TMessage>> Add(TaskState instance) =>
        factory.CreateSagaConsumeContext(hold, _context, instance, SagaConsumeContextMode.Add);

    public Task<SagaConsumeContext<TaskState, T>> CreateSagaConsumeContext<T>(ConsumeContext<T> consumeContext, TaskState instance, SagaConsumeContextMode mode)
        where T : class => factory.CreateSagaConsumeContext(hold, consumeContext, instance, mode);

    // No event inserts before it is handled: the lock already keeps a second one off.
    public Task<SagaConsumeContext<TaskState, TMessage>> Insert(TaskState instance) => Task.FromResult<SagaConsumeContext<TaskState, TMessage>>(null!);

    public Task Save(SagaConsumeContext<TaskState> context) => hold.WriteAsync(context.Saga);

    public Task Update(SagaConsumeContext<TaskState> context) => hold.WriteAsync(context.Saga);

    public Task Delete(SagaConsumeContext<TaskState> context) => Task.CompletedTask;

    public Task Discard(SagaConsumeContext<TaskState> context) => Task.CompletedTask;

    public Task Undo(SagaConsumeContext<TaskState> context) => Task.CompletedTask;
}
