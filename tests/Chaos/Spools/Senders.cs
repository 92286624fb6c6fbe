using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace Mavi.Chaos.Spools;

/// <summary>Those who call back: each callback is sent again until it is answered 2xx.</summary>
sealed class Senders : IDisposable
{
    static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    readonly HttpClient _http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 256, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2) })
    {
        Timeout = TimeSpan.FromSeconds(10),
    };

    int _made;
    int _unavailable;
    int _unanswered;

    /// <summary>The task ids of the callbacks that were answered 2xx.</summary>
    public ConcurrentDictionary<string, bool> Answered { get; } = [];

    /// <summary>Attempts that were answered 503.</summary>
    public int Unavailable => _unavailable;

    /// <summary>Attempts without an answer.</summary>
    public int Unanswered => _unanswered;

    /// <summary>Answers that were neither 2xx nor 503.</summary>
    public ConcurrentDictionary<HttpStatusCode, int> Others { get; } = [];

    /// <summary>When 503 was answered last.</summary>
    public DateTimeOffset LastUnavailable { get; private set; }

    /// <summary>Sends at a steady pace until told to stop, then goes on with those that are not answered yet.</summary>
    /// <param name="address">The gateway's callback route.</param>
    /// <param name="mark">A hex digit that the task ids begin with.</param>
    /// <param name="rate">Callbacks a second.</param>
    /// <param name="enough">Ends the new ones.</param>
    /// <param name="stop">Ends everything.</param>
    public async Task PaceAsync(Uri address, char mark, int rate, CancellationToken enough, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var running = new List<Task>();
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            var due = TimeSpan.FromSeconds((double)i / rate);
            if (due > clock.Elapsed)
                await Task.Delay(due - clock.Elapsed, stop);
            running.Add(DeliverAsync(address, mark, stop));
        }

        await Task.WhenAll(running);
    }

    /// <summary>Sends so many, as fast as they are answered, so many at a time; returns how many a second that made.</summary>
    public async Task<double> FloodAsync(Uri address, char mark, int count, int atOnce, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = stop }, async (_, _) => await DeliverAsync(address, mark, stop));
        return count / clock.Elapsed.TotalSeconds;
    }

    public void Dispose() => _http.Dispose();

    async Task DeliverAsync(Uri address, char mark, CancellationToken stop)
    {
        var taskId = $"{mark}{Interlocked.Increment(ref _made):x31}";
        var body = Body(taskId);
        while (true)
        {
            try
            {
                using var content = new StringContent(body);
                using var answer = await _http.PostAsync(address, content, stop);
                if (answer.IsSuccessStatusCode)
                {
                    Answered[taskId] = true;
                    return;
                }

                if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
                {
                    Interlocked.Increment(ref _unavailable);
                    LastUnavailable = DateTimeOffset.UtcNow;
                }
                else
                    Others.AddOrUpdate(answer.StatusCode, 1, static (_, before) => before + 1);
            }
            catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
            {
                Interlocked.Increment(ref _unanswered);
            }

            await Task.Delay(Again * (0.5 + Random.Shared.NextDouble()), stop);
        }
    }

    static string Body(string taskId) => taskId[^1] % 2 == 0
        ? $$$"""{"code":"0000","message":"SUCCESS","task_id":"{{{taskId}}}","data":{"splits":[{{{Segment(0)}}},{{{Segment(1)}}},{{{Segment(2)}}}]}}"""
        : $$$"""{"code":200,"message":"SUCCESS","task_id":"{{{taskId}}}","data":{"asset_id":"im_700000000000000002","asset_ch_ids":["imc_700000000000000002_0","imc_700000000000000002_1"]}}""";

    static string Segment(int index) =>
        $$"""{"asset_id":"re_70000000000419430{{index}}","create_time":"177000000000{{index}}","modify_time":"177000000001{{index}}","extension":"mp4","file_size":1048576,"original_filename":"segment_video_1a2b3c4d_{{index:D4}}","upload_status":"SUCCESS"}""";
}
