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
static class BareUpsert
{
    public const string Role = "upsert";
    public const string Queue = "bench-upsert";

    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var database = new NpgsqlDataSourceBuilder(builder.Configuration.GetConnectionString("Ledger")) { ConnectionStringBuilder = { MaxAutoPrepare = 20 } }.Build();
        using (var schema = new StreamReader(typeof(BareUpsert).Assembly.GetManifestResourceStream("schema.sql")!))
        await using (var command = database.CreateCommand(await schema.ReadToEndAsync()))
            await command.ExecuteNonQueryAsync();
        builder.Services.AddSingleton(database);
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddConsumer<UpsertConsumer>();
            bus.UsingRabbitMq((context, rabbit) =>
            {
                rabbit.Host(new Uri(builder.Configuration.GetConnectionString("RabbitMq")!));
                rabbit.ConfigureJsonSerializerOptions(static json =>
                {
                    json.WriteIndented = false;
                    return json;
                });
                rabbit.ReceiveEndpoint(Queue, endpoint =>
                {
                    // As the Worker's.
                    endpoint.SetQuorumQueue();
                    endpoint.PrefetchCount = 64;
                    endpoint.ConcurrentMessageLimit = 32;
                    endpoint.ConfigureConsumer<UpsertConsumer>(context);
                });
            });
        });
        builder.Services.Configure<MassTransitHostOptions>(static host => host.WaitUntilStarted = true);
        await using var app = builder.Build();
        app.MapGet("/health/ready", static () => "ready");
        await app.RunAsync();
    }
}

sealed class UpsertConsumer(NpgsqlDataSource database) : IConsumer<TaskSubmitted>, IConsumer<VideoSplitCompleted>
{
    const string Now = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

    const string Submitted = $"""
        insert into tasks (id, account, task_id, state, operation, request_id, asset_id, submitted_at, due_at, transition, created_at, updated_at)
        values ($1, 'default', $2, 'AwaitingCallback', $3, $4, $5, $6, {Now} + 7200000000, $7, {Now}, {Now})
        on conflict (id) do update set state = 'Succeeded', operation = $3, request_id = $4, asset_id = $5, submitted_at = $6, ended_at = tasks.received_at,
          transition = $7, updated_at = {Now}
        returning result
        """;

    const string Completed = $"""
        insert into tasks (id, account, task_id, state, operation, result_kind, result, received_at, transition, created_at, updated_at)
        values ($1, 'default', $2, 'AwaitingSubmission', $3, 'VideoSplitCompleted', $4, $5, $6, {Now}, {Now})
        on conflict (id) do update set state = 'Succeeded', result_kind = 'VideoSplitCompleted', result = $4, received_at = $5, ended_at = $5, due_at = null,
          transition = $6, updated_at = {Now}
        returning request_id, asset_id, submitted_at
        """;

    const string History = $"""
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
        string? result;
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            await reader.ReadAsync();
            result = reader.IsDBNull(0) ? null : reader.GetString(0);
        }

        if (result is not null)
            await PublishAsync(context, JsonSerializer.Deserialize<VideoSplitCompleted>(result, Json)!, submitted.RequestId, submitted.AssetId, submitted.SubmittedAt);
    }

    public async Task Consume(ConsumeContext<VideoSplitCompleted> context)
    {
        var split = context.Message;
        var transition = Guid.NewGuid().ToString("N");
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Command(
            Completed, Guid.Parse(split.TaskId).ToString(), split.TaskId, Operations.Split, JsonSerializer.Serialize(split, Json), split.ReceivedAt.ToUnixTimeMilliseconds() * 1000, transition));
        batch.BatchCommands.Add(Command(
            History, transition, DBNull.Value, split.TaskId, nameof(VideoSplitCompleted),
            JsonSerializer.Serialize(new { split.ReceivedAt, split.BodyBytes, split.BodySha256, context.MessageId }, Json)));
        (string Request, string Asset, long At)? claim = null;
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            await reader.ReadAsync();
            if (!reader.IsDBNull(0))
                claim = (reader.GetString(0), reader.GetString(1), reader.GetInt64(2));
        }

        if (claim is { } found)
            await PublishAsync(context, split, Guid.Parse(found.Request), found.Asset, DateTimeOffset.FromUnixTimeMilliseconds(found.At / 1000));
    }

    static Task PublishAsync(ConsumeContext context, VideoSplitCompleted split, Guid request, string asset, DateTimeOffset submittedAt) => context.Publish(new SplitVideoSucceeded
    {
        RequestId = request,
        AssetId = asset,
        TaskId = split.TaskId,
        Segments = [.. split.Segments.OrderBy(static segment => segment.Index)],
        SubmittedAt = submittedAt,
        CompletedAt = split.ReceivedAt,
    });

    static NpgsqlBatchCommand Command(string text, params object[] values)
    {
        var command = new NpgsqlBatchCommand(text);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}
