using MassTransit;
using MassTransit.Context;
using MassTransit.Saga;
using Mavi.Contracts;
using Mavi.Ledger;

namespace Mavi.Worker.Joining;

/// <summary>One run of an event's behaviour on the row of its task: as it may be presumed, which takes no read, or as it is.</summary>
sealed class LedgerSagaRepositoryContext<TMessage>(
    ConsumeContext<TMessage> context, bool mayPresume, TaskLedger ledger, TaskMemory memory, ISagaConsumeContextFactory<TaskLedger, TaskState> factory) :
    ConsumeContextScope<TMessage>(context),
    SagaRepositoryContext<TaskState, TMessage>
    where TMessage : class
{
    readonly ConsumeContext<TMessage> _context = context;

    TaskVersion? _was;
    bool _isRead;

    /// <summary>The instance, as the behaviour left it.</summary>
    public TaskState Instance { get; private set; } = null!;

    /// <summary>Writes what the behaviour changed. It is not done where the row is another than the behaviour ran on, and where it found nothing to do on a row that was only presumed.</summary>
    public async Task<TaskWrite> WriteAsync() => Instance.Change is { } change
        ? await ledger.WriteAsync(_was, Instance.Row, change, CancellationToken)
        : new TaskWrite(_isRead, null);

    public async Task<SagaConsumeContext<TaskState, TMessage>> Load(Guid correlationId)
    {
        if (await RowAsync(correlationId) is not { } row)
            return null!;
        _was = row.Version;
        return await RunOnAsync(new TaskState { CorrelationId = correlationId, Row = row }, SagaConsumeContextMode.Load);
    }

    public Task<SagaConsumeContext<TaskState, TMessage>> Add(TaskState instance)
    {
        instance.Row.Id = instance.CorrelationId.ToString();
        return RunOnAsync(instance, SagaConsumeContextMode.Add);
    }

    public Task<SagaConsumeContext<TaskState, T>> CreateSagaConsumeContext<T>(ConsumeContext<T> consumeContext, TaskState instance, SagaConsumeContextMode mode)
        where T : class => factory.CreateSagaConsumeContext(ledger, consumeContext, instance, mode);

    // No event inserts before it is handled: whoever is second finds out when it writes.
    public Task<SagaConsumeContext<TaskState, TMessage>> Insert(TaskState instance) =>
        Task.FromResult<SagaConsumeContext<TaskState, TMessage>>(null!);

    // Written when the behaviour is through, see WriteAsync.
    public Task Save(SagaConsumeContext<TaskState> context) => Task.CompletedTask;

    public Task Update(SagaConsumeContext<TaskState> context) => Task.CompletedTask;

    public Task Delete(SagaConsumeContext<TaskState> context) => Task.CompletedTask;

    public Task Discard(SagaConsumeContext<TaskState> context) => Task.CompletedTask;

    public Task Undo(SagaConsumeContext<TaskState> context) => Task.CompletedTask;

    Task<SagaConsumeContext<TaskState, TMessage>> RunOnAsync(TaskState instance, SagaConsumeContextMode mode)
    {
        Instance = instance;
        return factory.CreateSagaConsumeContext(ledger, _context, instance, mode);
    }

    // A callback comes to whoever took the submission, unless there are many; a submission of which nothing is remembered is nearly always the first that is
    // heard of its task.
    async Task<TaskRow?> RowAsync(Guid id)
    {
        if (mayPresume && memory.Take(id) is { } remembered)
            return remembered;
        if (mayPresume && _context.Message is TaskSubmitted)
            return null;
        _isRead = true;
        return await ledger.FindAsync(id, CancellationToken);
    }
}
