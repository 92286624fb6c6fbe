using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;

namespace Mavi.Bench.Loads;

/// <summary>Where a Sandbox sends its callbacks when no gateway is measured: keeps each with the moment in which it came, and answers 200.</summary>
sealed class CallbackListener : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly Channel<(long At, JsonElement Body)> _came;

    CallbackListener(WebApplication app, Channel<(long At, JsonElement Body)> came) => (_app, _came) = (app, came);

    public string Url => _app.Urls.Single();

    public static async Task<CallbackListener> StartAsync(CancellationToken stop)
    {
        var came = Channel.CreateUnbounded<(long At, JsonElement Body)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPost("/", async (HttpContext http) =>
        {
            var at = Stopwatch.GetTimestamp();
            came.Writer.TryWrite((at, await JsonSerializer.DeserializeAsync<JsonElement>(http.Request.Body)));
        });
        await app.StartAsync(stop);
        return new(app, came);
    }

    /// <summary>The next callback: its <c>data</c>, and the <see cref="Stopwatch"/>'s time of its arrival.</summary>
    /// <exception cref="InvalidOperationException">It is another task's, or says that the task failed.</exception>
    public async Task<(long At, JsonElement Data)> NextAsync(string taskId, CancellationToken stop)
    {
        var (at, body) = await _came.Reader.ReadAsync(stop);
        return body.GetProperty("task_id").GetString() == taskId && body.GetProperty("data") is { ValueKind: JsonValueKind.Object } data
            ? (at, data)
            : throw new InvalidOperationException($"Task {taskId} was to succeed; the callback that came is {body}.");
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
