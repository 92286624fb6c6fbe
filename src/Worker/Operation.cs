using System.Text.Json;
using Mavi.Client;
using Mavi.Ledger;
using Mavi.Worker.Joining;
using Mavi.Worker.Messaging;

namespace Mavi.Worker;

/// <summary>
/// What differs between one operation of Mavi and the next: which call submits it, and which messages carry its outcome. Everything else (the
/// ledger, the limit, the join, the deadlines) is the same for all. See <c>docs/adding-an-operation.md</c>.
/// </summary>
public abstract class Operation
{
    /// <summary>The name in messages and in the ledger, one of <see cref="Contracts.Operations"/>.</summary>
    public abstract string Name { get; }

    /// <summary>Sends the one POST. Not cancelled by a shutdown: a POST that left must have its answer recorded.</summary>
    /// <param name="mavi">The client.</param>
    /// <param name="assetId">The asset.</param>
    /// <param name="leaving">To be called by the client when the request is about to leave.</param>
    /// <exception cref="MaviException">Mavi did not accept it, or nobody knows.</exception>
    public abstract Task<AcceptedTask> SubmitAsync(MaviClient mavi, string assetId, Action leaving);

    /// <summary>The failure event of a request that has no result.</summary>
    public abstract object Failed(Failure failure);

    /// <summary>What the ledger's record of a callback means: whole, or why not.</summary>
    internal abstract Verdict Judge(TaskRow task);

    /// <summary>The success event, from the ledger's record alone.</summary>
    internal abstract object Succeeded(TaskRow task);

    /// <summary>The failure event of a task, from the ledger's record alone.</summary>
    internal virtual object Failed(TaskRow task) => Failed(Failure.Of(task));

    /// <summary>The callback event the gateway publishes.</summary>
    internal abstract Type ResultType { get; }

    /// <summary>Whether a callback of this kind can be the operation's.</summary>
    internal bool Takes(string kind) => kind == ResultType.Name;

    /// <summary>Makes the saga take the operation's callback event.</summary>
    internal abstract void Join(TaskStateMachine machine);

    internal Outgoing SucceededEvent(TaskRow task) => Outcome(task.RequestId!, "Succeeded", Succeeded(task));

    internal Outgoing FailedEvent(TaskRow task) => Outcome(task.RequestId!, "Failed", Failed(task));

    internal Outgoing FailedEvent(SubmissionRow submission) => Outcome(submission.RequestId, "Failed", Failed(Failure.Of(submission)));

    // The id is the request's and the kind's, not the content's: an outcome has one id however often and by whomever it is published.
    Outgoing Outcome(string requestId, string kind, object message) =>
        new(message, MessageIds.Of(Name + kind, requestId), Guid.Parse(requestId));
}

/// <summary>An operation whose callback the gateway publishes as <typeparamref name="TResult"/>.</summary>
/// <typeparam name="TResult">The callback event; it correlates by its task id.</typeparam>
public abstract class Operation<TResult> : Operation
    where TResult : class
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>What the join and the history need of the callback.</summary>
    public abstract CallbackFacts FactsOf(TResult result);

    /// <summary>Whether the result is whole; success is strict.</summary>
    public abstract Verdict Judge(TResult result);

    /// <summary>The success event.</summary>
    protected abstract object Succeeded(TaskRow task, TResult result);

    internal sealed override Type ResultType => typeof(TResult);

    /// <summary>The ledger's record of a callback as the event it was.</summary>
    protected static TResult Read(TaskRow task)
    {
        if (task.ResultMessage is not TResult result)
            task.ResultMessage = result = JsonSerializer.Deserialize<TResult>(task.Result!, Json)!;
        return result;
    }

    internal sealed override Verdict Judge(TaskRow task) => Judge(Read(task));

    internal sealed override object Succeeded(TaskRow task) => Succeeded(task, Read(task));

    internal sealed override void Join(TaskStateMachine machine) => machine.Joins(this);
}

/// <summary>What every callback event tells, whatever its operation.</summary>
public sealed record CallbackFacts(string TaskId, DateTimeOffset ReceivedAt, int? BodyBytes, string? BodySha256);

/// <summary>Whether a result is whole; where it is not, one sentence why.</summary>
public readonly record struct Verdict(string? Shortcoming)
{
    /// <summary>The result is whole.</summary>
    public static readonly Verdict Whole;

    /// <summary>True where nothing is wrong.</summary>
    public bool IsWhole => Shortcoming is null;
}

/// <summary>The facts of a failure, for an operation's failure event.</summary>
public sealed record Failure(
    Guid RequestId, string? AssetId, string? TaskId, string Reason, string? Code, string? Message, DateTimeOffset FailedAt)
{
    internal static Failure Of(SubmissionRow row) => new(
        row.Request, row.AssetId, row.TaskId, row.Reason ?? Contracts.FailureReasons.Rejected, row.Code, row.Message, row.UpdatedAt.ToTime());

    internal static Failure Of(TaskRow row) => new(
        Guid.Parse(row.RequestId!), row.AssetId, row.TaskId, row.Reason ?? Contracts.FailureReasons.TaskFailed, row.Code, row.Message,
        (row.EndedAt ?? row.ReceivedAt ?? row.CreatedAt).ToTime());
}
