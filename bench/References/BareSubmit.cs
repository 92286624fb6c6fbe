using System.Net.Http.Json;
using System.Text.Json;
using MassTransit;
using Mavi.Contracts;
using Npgsql;

namespace Mavi.Bench.References;

/// <summary>
/// The submission as one would write it without slots and doubt: the intent with its history, the POST, the answer with its history, <c>TaskSubmitted</c>.
/// </summary>
abstract class BareSubmit(NpgsqlDataSource database, HttpClient mavi, string operation, string path)
{
    const string Now = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

    const string Intent = $"""
        insert into submissions (request_id, account, operation, asset_id, state, attempts, attempt_id, worker, attempted_at, lease_until, transition, created_at, updated_at)
        values ($1, 'default', $2, $3, 'Submitting', 1, $4, 'bench', {Now}, {Now} + 90000000, $4, {Now}, {Now})
        on conflict (request_id) do nothing returning request_id
        """;

    const string Answered = $"""
        update submissions set state = 'Submitted', task_id = $2, submitted_at = {Now}, lease_until = null, transition = $3, updated_at = {Now}
         where request_id = $1 and state = 'Submitting' returning submitted_at
        """;

    protected async Task SubmitAsync(ConsumeContext context, Guid request, string asset)
    {
        var attempt = Guid.NewGuid().ToString("N");
        await using (var intent = database.CreateBatch())
        {
            intent.BatchCommands.Add(BareUpsert.Command(Intent, request.ToString(), operation, asset, attempt));
            intent.BatchCommands.Add(BareUpsert.Command(BareUpsert.History, attempt, request.ToString(), DBNull.Value, "Submitting", DBNull.Value));
            if (await intent.ExecuteScalarAsync() is null)
                return;
        }

        using var body = JsonContent.Create(new { asset_id = asset });
        using var answer = await mavi.PostAsync(path, body);
        var text = await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
        using var document = JsonDocument.Parse(text);
        var task = document.RootElement.GetProperty("data").GetProperty("task_id").GetString()!;

        var transition = Guid.NewGuid().ToString("N");
        long submittedAt;
        await using (var answered = database.CreateBatch())
        {
            answered.BatchCommands.Add(BareUpsert.Command(Answered, request.ToString(), task, transition));
            answered.BatchCommands.Add(BareUpsert.Command(BareUpsert.History, transition, request.ToString(), task, "Submitted", System.Text.Encoding.UTF8.GetString(text)));
            submittedAt = (long)(await answered.ExecuteScalarAsync())!;
        }

        await context.Publish(new TaskSubmitted
        {
            RequestId = request,
            Operation = operation,
            AssetId = asset,
            TaskId = task,
            SubmittedAt = DateTimeOffset.FromUnixTimeMilliseconds(submittedAt / 1000),
        });
    }
}

/// <summary>Splits.</summary>
sealed class BareSplit(NpgsqlDataSource database, HttpClient mavi) : BareSubmit(database, mavi, Operations.Split, "video/split"), IConsumer<SplitVideoRequested>
{
    public Task Consume(ConsumeContext<SplitVideoRequested> context) => SubmitAsync(context, context.Message.RequestId!.Value, context.Message.AssetId!);
}

/// <summary>Frames.</summary>
sealed class BareFrames(NpgsqlDataSource database, HttpClient mavi) : BareSubmit(database, mavi, Operations.ExtractFrames, "video/extract-frames"), IConsumer<ExtractFramesRequested>
{
    public Task Consume(ConsumeContext<ExtractFramesRequested> context) => SubmitAsync(context, context.Message.RequestId!.Value, context.Message.AssetId!);
}
