using System.Text.Json;
using Mavi.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mavi.Tests.Sandbox;

/// <summary>A webhook on a free port: keeps what comes, and answers what the test wants.</summary>
sealed class WebhookReceiver : IAsyncDisposable
{
    readonly WebApplication app;
    readonly Lock gate = new();
    readonly List<string> bodies = [];

    WebhookReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.MapPost("/callbacks/secret", async (HttpContext http) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var body = await reader.ReadToEndAsync();
            ContentType = http.Request.ContentType;
            int position;
            lock (gate)
            {
                position = bodies.Count;
                bodies.Add(body);
            }

            http.Response.StatusCode = await Answer(position);
        });
    }

    public string Url { get; private set; } = "";

    public string? ContentType { get; private set; }

    /// <summary>Status for the delivery at this position, from 0. 200 unless the test says otherwise.</summary>
    public Func<int, Task<int>> Answer { get; set; } = _ => Task.FromResult(200);

    public IReadOnlyList<string> Bodies
    {
        get
        {
            lock (gate)
                return [.. bodies];
        }
    }

    public static async Task<WebhookReceiver> StartAsync()
    {
        var receiver = new WebhookReceiver();
        await receiver.app.StartAsync();
        receiver.Url = $"{receiver.app.Urls.Single()}/callbacks/secret";
        return receiver;
    }

    /// <summary>The deliveries, once there are as many.</summary>
    public async Task<IReadOnlyList<string>> ReceivedAsync(int count)
    {
        await Eventually.TrueAsync($"{count} callbacks", () => Bodies.Count >= count);
        return Bodies;
    }

    /// <summary>The one callback of a task.</summary>
    public async Task<JsonElement> CallbackOfAsync(string taskId)
    {
        var body = await Eventually.GetAsync($"the callback of task {taskId}", () => Bodies.FirstOrDefault(body => body.Contains(taskId, StringComparison.Ordinal)));
        return JsonSerializer.Deserialize<JsonElement>(body);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
