using System.Net.Http.Json;
using System.Text.Json;

namespace Mavi.Bench.Loads;

/// <summary>The few calls of Mavi's API that a scenario makes of a Sandbox.</summary>
sealed class SandboxClient : IDisposable
{
    readonly HttpClient _http;

    public SandboxClient(string url)
    {
        _http = new() { BaseAddress = new Uri($"{url}/serve/api/v2/"), Timeout = TimeSpan.FromMinutes(10) };
        _http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", Place.Key);
    }

    /// <returns>The asset id.</returns>
    public async Task<string> UploadAsync(string file, CancellationToken stop)
    {
        await using var stream = File.OpenRead(file);
        using var form = new MultipartFormDataContent { { new StreamContent(stream), "file", Path.GetFileName(file) } };
        return await DataAsync(await _http.PostAsync(Address("upload"), form, stop), "asset_id", stop);
    }

    /// <summary>The operation is <c>split</c> or <c>extract-frames</c>.</summary>
    /// <returns>The task id.</returns>
    public async Task<string> SubmitAsync(string operation, string assetId, CancellationToken stop) =>
        await DataAsync(await _http.PostAsJsonAsync(Address($"video/{operation}"), new { asset_id = assetId }, stop), "task_id", stop);

    public async Task DeleteAsync(string assetId, CancellationToken stop)
    {
        using var answer = await _http.DeleteAsync(Address(assetId), stop);
        answer.EnsureSuccessStatusCode();
    }

    public void Dispose() => _http.Dispose();

    static Uri Address(string path) => new(path, UriKind.Relative);

    static async Task<string> DataAsync(HttpResponseMessage answer, string member, CancellationToken stop)
    {
        using (answer)
        {
            answer.EnsureSuccessStatusCode();
            return (await answer.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("data").GetProperty(member).GetString()!;
        }
    }
}
