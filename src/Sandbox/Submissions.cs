using System.Text.Json.Nodes;

namespace Mavi.Sandbox;

/// <summary>Vendor pages "Video Split" and "Extract Frames": checked, accepted with a task id, answered; the work follows.</summary>
static class Submissions
{
    public static void MapSubmissions(this WebApplication app)
    {
        var gate = app.Services.GetRequiredService<ApiGate>();
        var store = app.Services.GetRequiredService<AssetStore>();
        var webhooks = app.Services.GetRequiredService<Webhooks>();
        var tasks = app.Services.GetRequiredService<TaskRunner>();

        app.MapPost("/serve/api/v2/video/split", gate.Keyed(Operation.Split, call => SubmitAsync(call, store, webhooks, tasks)));
        app.MapPost("/serve/api/v2/video/extract-frames", gate.Keyed(Operation.ExtractFrames, call => SubmitAsync(call, store, webhooks, tasks)));
    }

    static async Task<Answer> SubmitAsync(ApiCall call, AssetStore store, Webhooks webhooks, TaskRunner tasks)
    {
        var (body, complaint) = await JsonBody.ReadAsync(call.Http);
        if (body is null)
            return complaint!;
        if (body.IsOtherThanText("asset_id"))
            return TextAnswer.Error(400, "asset_id must be a string");
        if (body.Text("asset_id") is not { } id || string.IsNullOrWhiteSpace(id))
            return TextAnswer.Error(400, "asset_id cannot be null or empty");

        call.NoteAsset(id);
        if (webhooks.Urls.IsEmpty)
            return TextAnswer.Error(400, "An async request requires at least one webhook.");
        if (store.Find(id) is not { } source)
            return TextAnswer.Error(400, "Asset not found");
        if (source.UploadStatus != "SUCCESS")
            return TextAnswer.Error(400, $"Asset is not ready: upload_status is {source.UploadStatus}, expected SUCCESS");
        if (call.RefusedOnPurpose(id) is { } refusal)
            return refusal;

        var task = tasks.Accept(call, source);
        call.Note(e => (e.Accepted, e.TaskId) = (true, task.Id));
        if (call.Plan["early"] is not null)
            await tasks.RunAsync(task);
        else if (call.Plan["slow"] is not null)
            tasks.Start(task);
        else
            call.AfterAnswer = () => tasks.Start(task);
        return call.Success(new JsonObject { ["task_id"] = task.Id });
    }
}
