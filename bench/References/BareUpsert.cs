using System.Text.Json;
using MassTransit;
using Mavi.Contracts;
using Npgsql;

namespace Mavi.Bench.References;

/// <summary>
/// The join as one would write it without a saga: each of the two events is one command to the database that stores the same rows, the task's and the
/// history's, and tells whether the other one is there already; whoever comes second publishes the outcome. Nothing else is handled: no other event, no
/// deadline, no doubt, no repeat.
/// </summary>
sealed class BareUpsert(NpgsqlDataSource database) : IConsumer<TaskSubmitted>, IConsumer<VideoSplitCompleted>, IConsumer<FramesExtracted>
{
    const string Now = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

    const string Submitted = $"""
        insert into tasks (id, account, task_id, state, operation, request_id, asset_id, submitted_at, due_at, transition, created_at, updated_at)
        values ($1, 'default', $2, 'AwaitingCallback', $3, $4, $5, $6, {Now} + 7200000000, $7, {Now}, {Now})
        on conflict (id) do update set state = 'Succeeded', operation = $3, request_id = $4, asset_id = $5, submitted_at = $6, ended_at = tasks.received_at,
          transition = $7, updated_at = {Now}
        returning result_kind, result
        """;

    const string Completed = $"""
        insert into tasks (id, account, task_id, state, operation, result_kind, result, received_at, transition, created_at, updated_at)
        values ($1, 'default', $2, 'AwaitingSubmission', $3, $4, $5, $6, $7, {Now}, {Now})
        on conflict (id) do update set state = 'Succeeded', result_kind = $4, result = $5, received_at = $6, ended_at = $6, due_at = null,
          transition = $7, updated_at = {Now}
        returning request_id, asset_id, submitted_at
        """;

    public const string History = $"""
        insert into history (id, account, request_id, task_id, at, kind, actor, detail) values ($1, 'default', $2, $3, {Now}, $4, 'bench', $5)
        """;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public async Task Consume(ConsumeContext<TaskSubmitted> context)
    {
        var submitted = context.Message;
        var transition = Guid.NewGuid().ToString("N");
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Command(
            Submitted, Guid.Parse(submitted.TaskId).ToString(), submitted.TaskId, submitted.Operation, submitted.RequestId.ToString(), submitted.AssetId,
            submitted.SubmittedAt.ToUnixTimeMilliseconds() * 1000, transition));
        batch.BatchCommands.Add(Command(History, transition, submitted.RequestId.ToString(), submitted.TaskId, nameof(TaskSubmitted), DBNull.Value));
        (string Kind, string Json)? result = null;
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            await reader.ReadAsync();
            if (!reader.IsDBNull(0))
                result = (reader.GetString(0), reader.GetString(1));
        }

        var claim = new Claim(submitted.RequestId, submitted.AssetId, submitted.SubmittedAt);
        if (result is { Kind: nameof(VideoSplitCompleted) } split)
            await context.Publish(Outcome(JsonSerializer.Deserialize<VideoSplitCompleted>(split.Json, Json)!, claim));
        else if (result is { } frames)
            await context.Publish(Outcome(JsonSerializer.Deserialize<FramesExtracted>(frames.Json, Json)!, claim));
    }

    public async Task Consume(ConsumeContext<VideoSplitCompleted> context)
    {
        var split = context.Message;
        if (await StoreAsync(context, split.TaskId, Operations.Split, split.ReceivedAt, new { split.ReceivedAt, split.BodyBytes, split.BodySha256, context.MessageId }) is { } claim)
            await context.Publish(Outcome(split, claim));
    }

    public async Task Consume(ConsumeContext<FramesExtracted> context)
    {
        var frames = context.Message;
        if (await StoreAsync(context, frames.TaskId, Operations.ExtractFrames, frames.ReceivedAt, new { frames.ReceivedAt, frames.BodyBytes, frames.BodySha256, context.MessageId }) is { } claim)
            await context.Publish(Outcome(frames, claim));
    }

    /// <returns>The submission, where it is there already.</returns>
    async Task<Claim?> StoreAsync<T>(ConsumeContext<T> context, string taskId, string operation, DateTimeOffset receivedAt, object detail)
        where T : class
    {
        var transition = Guid.NewGuid().ToString("N");
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Command(
            Completed, Guid.Parse(taskId).ToString(), taskId, operation, typeof(T).Name, JsonSerializer.Serialize(context.Message, Json), receivedAt.ToUnixTimeMilliseconds() * 1000, transition));
        batch.BatchCommands.Add(Command(History, transition, DBNull.Value, taskId, typeof(T).Name, JsonSerializer.Serialize(detail, Json)));
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.ReadAsync();
        return reader.IsDBNull(0) ? null
            : new Claim(Guid.Parse(reader.GetString(0)), reader.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(2) / 1000));
    }

    static SplitVideoSucceeded Outcome(VideoSplitCompleted split, Claim claim) => new SplitVideoSucceeded
    {
        RequestId = claim.RequestId,
        AssetId = claim.AssetId,
        TaskId = split.TaskId,
        Segments = [.. split.Segments.OrderBy(static segment => segment.Index)],
        SubmittedAt = claim.SubmittedAt,
        CompletedAt = split.ReceivedAt,
    };

    static ExtractFramesSucceeded Outcome(FramesExtracted frames, Claim claim) => new ExtractFramesSucceeded
    {
        RequestId = claim.RequestId,
        AssetId = claim.AssetId,
        TaskId = frames.TaskId,
        CollectionId = frames.CollectionId,
        FrameIds = frames.FrameIds,
        SubmittedAt = claim.SubmittedAt,
        CompletedAt = frames.ReceivedAt,
    };

    public static NpgsqlBatchCommand Command(string text, params object[] values)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    readonly record struct Claim(Guid RequestId, string AssetId, DateTimeOffset SubmittedAt);
}
