using System.Net.Http.Json;
using System.Text.Json;
using Mavi.Sandbox;
using Mavi.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mavi.Tests.Sandbox;

/// <summary>A Sandbox on a free port with a folder of its own, and a webhook that takes what it sends.</summary>
sealed class SandboxHost : IAsyncDisposable
{
    public const string Key = "sk-mavi-test";

    readonly WebApplication app;
    readonly string folder;
    readonly bool keepsFolder;

    SandboxHost(WebApplication app, string folder, bool keepsFolder, WebhookReceiver webhook)
    {
        (this.app, this.folder, this.keepsFolder, Webhook) = (app, folder, keepsFolder, webhook);
        Url = app.Urls.Single();
        Api = new HttpClient { BaseAddress = new Uri($"{Url}/serve/api/v2/") };
        Api.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", Key);
        Control = new HttpClient { BaseAddress = new Uri($"{Url}/sandbox/") };
    }

    public string Url { get; }

    /// <summary>The API, with the right key.</summary>
    public HttpClient Api { get; }

    /// <summary>The switches.</summary>
    public HttpClient Control { get; }

    public WebhookReceiver Webhook { get; }

    /// <summary>Starts one without a rate limit, whose retries are fast; settings are written as <c>FakeMedia=true</c>.</summary>
    public static Task<SandboxHost> StartAsync(params string[] settings) => StartAsync(time: null, folder: null, settings);

    public static async Task<SandboxHost> StartAsync(TimeProvider? time, string? folder, params string[] settings)
    {
        var webhook = await WebhookReceiver.StartAsync();
        var data = folder ?? Directory.CreateTempSubdirectory("sandbox-test-").FullName;
        string[] defaults =
        [
            $"DataDirectory={data}", $"ApiKey={Key}", "RequestsPerSecond=0", "WebhookRetryDelaySeconds=0.02", $"WebhookUrls:0={webhook.Url}",
        ];
        var app = SandboxApp.Build(
            ["--urls=http://127.0.0.1:0", .. defaults.Concat(settings).Select(setting => "--Sandbox:" + setting)],
            builder =>
            {
                builder.Logging.ClearProviders();
                if (time is not null)
                    builder.Services.AddSingleton(time);
            });
        await app.StartAsync();
        return new SandboxHost(app, data, folder is not null, webhook);
    }

    public async Task<string> UploadAsync(string path)
    {
        await using var file = File.OpenRead(path);
        using var form = new MultipartFormDataContent { { new StreamContent(file), "file", Path.GetFileName(path) } };
        using var response = await Api.PostAsync("upload", form);
        return (await ReadAsync(response)).GetProperty("data").GetProperty("asset_id").GetString()!;
    }

    /// <summary>An asset without an upload; tasks on it give made-up results.</summary>
    public async Task<string> MadeUpAssetAsync(object? facts = null)
    {
        using var response = await Control.PostAsJsonAsync("assets", facts ?? new { });
        return (await ReadAsync(response)).GetProperty("assetIds")[0].GetString()!;
    }

    public Task<HttpResponseMessage> SubmitAsync(string operation, string? assetId) =>
        Api.PostAsJsonAsync($"video/{operation}", new { asset_id = assetId, some_field = "ignored" });

    /// <summary>Submits and gives the task id.</summary>
    public async Task<string> AcceptedAsync(string operation, string assetId)
    {
        using var response = await SubmitAsync(operation, assetId);
        Assert.Equal(200, (int)response.StatusCode);
        return (await ReadAsync(response)).GetProperty("data").GetProperty("task_id").GetString()!;
    }

    public async Task ArmAsync(string rules)
    {
        using var content = new StringContent($$"""{ "rules": {{rules}} }""");
        using var response = await Control.PutAsync("faults", content);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public async Task<JsonElement> JournalAsync(string query = "") => await Control.GetFromJsonAsync<JsonElement>("journal" + query);

    /// <summary>The journal once no callback is owed any more.</summary>
    public async Task<JsonElement> SettledJournalAsync()
    {
        await Eventually.TrueAsync("every task to end", async () => (await JournalAsync("?bodies=false")).GetProperty("pending").GetInt32() == 0);
        return await JournalAsync();
    }

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage response) => JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync());

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        Control.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        await Webhook.DisposeAsync();
        if (!keepsFolder)
            Directory.Delete(folder, recursive: true);
    }
}
