using MassTransit;
using Mavi.Contracts;
using Mavi.Worker.Messaging;

namespace Mavi.Worker.Joining;

/// <summary>How the saga's queue is kept. No outbox: the repository publishes after its commit.</summary>
public sealed class TaskStateDefinition : SagaDefinition<TaskState>
{
    readonly Type[] _events;

    /// <summary>Names the queue.</summary>
    public TaskStateDefinition(IEnumerable<Operation> operations)
    {
        Endpoint(static endpoint => endpoint.Name = Queues.Task);
        _events = [typeof(TaskSubmitted), typeof(TaskFailed), .. operations.Select(static operation => operation.ResultType)];
    }

    /// <inheritdoc />
    protected override void ConfigureSaga(IReceiveEndpointConfigurator endpoint, ISagaConfigurator<TaskState> saga, IRegistrationContext context)
    {
        endpoint.PrefetchCount = 64;
        endpoint.ConcurrentMessageLimit = 32;
        endpoint.UseQueueDefaults(context, _events);
    }
}
