using System.Text.Json;
using MassTransit;
using Mavi.Contracts;
using Mavi.Worker.Messaging;
using Mavi.Worker.Submitting;
using Microsoft.Extensions.Options;

namespace Mavi.Worker.Joining;

/// <summary>
/// Joins a submission and its callback, which come in either order, and publishes the one outcome. Every state answers every event; a final row stays.
/// <c>docs/flow.md</c> has the diagram.
/// </summary>
public sealed class TaskStateMachine : MassTransitStateMachine<TaskState>
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    readonly Dictionary<string, Operation> _operations;
    readonly Announcer _announcer;
    readonly WorkerIdentity _identity;

    /// <summary>The machine for these operations.</summary>
    public TaskStateMachine(IEnumerable<Operation> operations, Announcer announcer, WorkerIdentity identity, IOptions<WorkerOptions> options)
    {
        _operations = operations.ToDictionary(static operation => operation.Name);
        _announcer = announcer;
        _identity = identity;
        var overdueAfter = options.Value.OverdueAfter;

        InstanceState(static task => task.CurrentState);
        Event(() => Submitted, static submitted => submitted.CorrelateById(static context => MessageIds.OfTask(context.Message.TaskId)));

        Initially(
            When(Submitted).Then(context => context.Saga.Claim(context.Message, overdueAfter, identity.Name)).TransitionTo(AwaitingCallback));
        During(AwaitingSubmission,
            End(When(Submitted).Then(context => context.Saga.Claim(context.Message, overdueAfter, identity.Name))));
        During(AwaitingCallback, Ignore(Submitted));
        During(Lost, Ignore(Submitted));
        During([Succeeded, Failed], When(Submitted).Then(Repeat));

        AddResult<TaskFailed>(nameof(TaskFailed), null, static failed => new CallbackFacts(failed.TaskId, failed.ReceivedAt, failed.BodyBytes, failed.BodySha256), judge: null);
        foreach (var operation in _operations.Values)
            operation.Join(this);
    }

    /// <summary>Mavi accepted a request.</summary>
    public Event<TaskSubmitted> Submitted { get; } = null!;

    /// <summary>Submitted; the callback has not come.</summary>
    public State AwaitingCallback { get; } = null!;
    /// <summary>The callback came; no submission claims it yet.</summary>
    public State AwaitingSubmission { get; } = null!;
    /// <summary>The result is whole; final.</summary>
    public State Succeeded { get; } = null!;
    /// <summary>The task failed; final.</summary>
    public State Failed { get; } = null!;
    /// <summary>The callback did not come in time; a success is still published, as late.</summary>
    public State Lost { get; } = null!;

    /// <summary>Called by each operation: the machine takes its callback event.</summary>
    internal void Joins<TResult>(Operation<TResult> operation)
        where TResult : class => AddResult<TResult>(typeof(TResult).Name, operation.Name, operation.FactsOf, operation.Judge);

    void AddResult<TResult>(string kind, string? operation, Func<TResult, CallbackFacts> factsOf, Func<TResult, Verdict>? judge)
        where TResult : class
    {
        var came = Event<TResult>(kind, configure => configure.CorrelateById(context => MessageIds.OfTask(factsOf(context.Message).TaskId)));

        void Keep(BehaviorContext<TaskState, TResult> context) =>
            context.Saga.Keep(kind, context.Message, factsOf(context.Message), context.MessageId, _identity.Name);

        void Contradict(BehaviorContext<TaskState, TResult> context) =>
            context.Saga.Contradict(kind, JsonSerializer.Serialize(context.Message, Json), factsOf(context.Message), context.MessageId);

        bool IsWhole(BehaviorContext<TaskState, TResult> context) =>
            judge is not null && context.Saga.Row.Operation == operation && judge(context.Message).IsWhole;

        Initially(When(came).Then(Keep).Then(context => context.Saga.Row.Operation = operation).TransitionTo(AwaitingSubmission));
        During(AwaitingCallback, End(When(came).Then(Keep)));
        During(Lost,
            When(came, context => !IsWhole(context)).Then(Contradict),
            When(came, IsWhole)
                .Then(Keep)
                .Then(static context => context.Saga.Row.Late = 1)
                .Then(static context => context.Saga.End(null, null, null))
                .TransitionTo(Succeeded)
                .Then(Announce));
        During(AwaitingSubmission, When(came).Then(Contradict));
        During([Succeeded, Failed], When(came).Then(Contradict).Then(Repeat));
    }

    /// <summary>Both events are there: judge strictly, publish the outcome, keep the row.</summary>
    EventActivityBinder<TaskState, T> End<T>(EventActivityBinder<TaskState, T> binder)
        where T : class => binder
        .Then(context => Judge(context.Saga))
        .IfElse(static context => context.Saga.Row.Reason is null, whole => whole.TransitionTo(Succeeded), failed => failed.TransitionTo(Failed))
        .Then(Announce);

    void Judge(TaskState task)
    {
        var row = task.Row;
        if (row.ResultKind == nameof(TaskFailed))
        {
            var failed = JsonSerializer.Deserialize<TaskFailed>(row.Result!, Json)!;
            task.End(FailureReasons.TaskFailed, failed.Code, failed.Message ?? "Mavi reported the task as failed without saying why.");
            return;
        }

        var operation = _operations[row.Operation!];
        if (!operation.Takes(row.ResultKind!))
        {
            task.End(FailureReasons.TaskFailed, null, $"Mavi's callback was of another operation ({row.ResultKind}) than the request ({row.Operation}); the ledger keeps it.");
            return;
        }

        var verdict = operation.Judge(row);
        task.End(verdict.IsWhole ? null : FailureReasons.PartialResult, null, verdict.Shortcoming);
    }

    void Announce<T>(BehaviorContext<TaskState, T> context)
        where T : class => context.Saga.Outcome = _announcer.EventOf(context.Saga.Row);

    // A first delivery of a repeat is silent. A redelivered or retried message may be the one whose outcome was stored but not published.
    void Repeat<T>(BehaviorContext<TaskState, T> context)
        where T : class
    {
        if (context.ReceiveContext.Redelivered || context.GetRetryAttempt() > 0)
            Announce(context);
    }
}
