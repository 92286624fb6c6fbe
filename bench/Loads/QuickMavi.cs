using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Threading.Channels;
using Mavi.Chaos;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;

namespace Mavi.Bench.Loads;

/// <summary>
/// A Mavi that accepts whatever it is asked and calls back a moment later, in the driver's own process: its CPU time is nobody's, and when a
/// callback left is known by the same clock as when its outcome came. Split callbacks have three segments, frame callbacks thirty ids.
/// </summary>
sealed class QuickMavi : IAsyncDisposable
{
    const int Senders = 16;

    /// <summary>How long a task takes: no real one is faster. Without it most callbacks would overtake the record of their own submission, and wait for it.</summary>
    static readonly TimeSpan TaskTime = TimeSpan.FromMilliseconds(200);

    readonly WebApplication _app;
    readonly Channel<Owed> _owed = Channel.CreateUnbounded<Owed>();
    readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = Senders });
    readonly CancellationTokenSource _end = new();
    Task _sending = Task.CompletedTask;

    QuickMavi(WebApplication app, string url) => (_app, Url) = (app, url);

    public string Url { get; }

    /// <summary>When the callback of a task left, by <see cref="Stopwatch"/>.</summary>
    public ConcurrentDictionary<string, long> CalledBack { get; } = new();

    /// <summary>Callbacks that were not answered 200.</summary>
    public int Refused => _refused;

    int _refused;

    public static async Task<QuickMavi> StartAsync(Service gateway, CancellationToken stop)
    {
        var url = $"http://127.0.0.1:{FreePorts.Next()}";
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        var mavi = new QuickMavi(builder.Build(), url);
        foreach (var kind in (string[])["split", "extract-frames"])
            mavi._app.MapPost($"/serve/api/v2/video/{kind}", () => mavi.Accept(kind));
        await mavi._app.StartAsync(stop);
        var address = new Uri($"{gateway.Url}/callbacks/mavi/{Place.Secret}");
        mavi._sending = Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => mavi.SendAsync(address)));
        return mavi;
    }

    public async ValueTask DisposeAsync()
    {
        _owed.Writer.TryComplete();
        await _end.CancelAsync();
        await _sending;
        await _app.DisposeAsync();
        _http.Dispose();
        _end.Dispose();
    }

    IResult Accept(string kind)
    {
        var taskId = Guid.NewGuid().ToString("N");
        _owed.Writer.TryWrite(new Owed(taskId, kind, Stopwatch.GetTimestamp()));
        return Results.Text($$$"""{"code":200,"msg":"success","data":{"task_id":"{{{taskId}}}"},"failed":false,"success":true}""", "application/json");
    }

    async Task SendAsync(Uri address)
    {
        try
        {
            await foreach (var (taskId, kind, since) in _owed.Reader.ReadAllAsync(_end.Token))
            {
                var ahead = TaskTime - Stopwatch.GetElapsedTime(since);
                if (ahead > TimeSpan.Zero)
                    await Task.Delay(ahead, _end.Token);
                using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(kind == "split" ? CallbackBodies.Split(taskId, statuses: ["SUCCESS", "SUCCESS", "SUCCESS"]) : CallbackBodies.Frames(taskId, 30)));
                CalledBack[taskId] = Stopwatch.GetTimestamp();
                using var answer = await _http.PostAsync(address, body, _end.Token);
                if (!answer.IsSuccessStatusCode)
                    Interlocked.Increment(ref _refused);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The end of the run.
        }
    }

    /// <summary>A callback that is to come.</summary>
    readonly record struct Owed(string TaskId, string Kind, long Since);
}
