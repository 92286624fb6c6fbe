namespace Mavi.Client;

/// <summary>Mavi accepted a task; its result comes by callback, once, and can be asked for nowhere.</summary>
/// <param name="TaskId">1 to 128 characters; 32 hex digits in every sample of the vendor, but the format is not promised.</param>
/// <param name="Answer">What came back, for the record.</param>
public sealed record AcceptedTask(string TaskId, Answer Answer);

public sealed partial class MaviClient
{
    /// <summary>Submits a video to be split into segments. Vendor page "Video Split"; assume that every accepted call is billed.</summary>
    /// <param name="assetId">The uploaded video: 1 to 128 letters, digits, <c>_</c> or <c>-</c>.</param>
    /// <param name="ct">See the remarks of <see cref="MaviClient"/>.</param>
    /// <exception cref="ArgumentException">The asset id is no such id; nothing was sent.</exception>
    /// <exception cref="MaviException">Mavi gave no task id.</exception>
    public Task<AcceptedTask> SplitAsync(string assetId, CancellationToken ct) => SplitAsync(assetId, null, ct);

    /// <inheritdoc cref="SplitAsync(string, CancellationToken)" />
    /// <param name="assetId">The uploaded video: 1 to 128 letters, digits, <c>_</c> or <c>-</c>.</param>
    /// <param name="leaving">Called when the connection is open and the request is about to leave: the moment that the account's limit counts from.</param>
    /// <param name="ct">See the remarks of <see cref="MaviClient"/>.</param>
    public Task<AcceptedTask> SplitAsync(string assetId, Action? leaving, CancellationToken ct) => SubmitAsync("/video/split", assetId, leaving, ct);

    /// <summary>Submits a video for its frames. Vendor page "Extract Frames"; every accepted call costs $0.01 per second of video.</summary>
    /// <inheritdoc cref="SplitAsync(string, CancellationToken)" path="/param|/exception" />
    public Task<AcceptedTask> ExtractFramesAsync(string assetId, CancellationToken ct) => ExtractFramesAsync(assetId, null, ct);

    /// <summary>Submits a video for its frames. Vendor page "Extract Frames"; every accepted call costs $0.01 per second of video.</summary>
    /// <inheritdoc cref="SplitAsync(string, Action?, CancellationToken)" path="/param|/exception" />
    public Task<AcceptedTask> ExtractFramesAsync(string assetId, Action? leaving, CancellationToken ct) => SubmitAsync("/video/extract-frames", assetId, leaving, ct);

    async Task<AcceptedTask> SubmitAsync(string path, string assetId, Action? leaving, CancellationToken ct)
    {
        var body = Json(new AssetRequest(RequireAssetId(assetId)), MaviJson.Default.AssetRequest, leaving);
        var exchange = await SendAsync(new(HttpMethod.Post, path, "a task id", body) { Billed = true }, ct);
        var taskId = exchange.Require(MaviJson.Default.TaskData, data => UsableId(data.TaskId));
        return new(taskId, exchange.Answer());
    }
}
