using System.Diagnostics;
using System.Runtime.CompilerServices;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.References;
using Mavi.Bench.Reporting;
using Mavi.Chaos;
using Mavi.Tests.Support;

namespace Mavi.Bench.Scenarios;

/// <summary>From the POST to the arrival of the callback, against the same work of ffmpeg on the same file, which the Sandbox keeps. What was made is deleted after each round.</summary>
sealed class SandboxScenario : IScenario
{
    static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    public string Name => "sandbox";

    public string Title => "Split (an hour, copied) and frames (90 s, decoded) by the Sandbox, against the bare ffmpeg command on the same file";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var listener = await CallbackListener.StartAsync(stop);
        var data = lab.Folder.In("sandbox");
        var sandbox = lab.Program("sandbox", "Sandbox", new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
            ["Sandbox__WebhookUrls__0"] = listener.Url,
            ["Sandbox__DataDirectory"] = data,
            ["Sandbox__RequestsPerSecond"] = "0",
        });
        sandbox.Start();
        await HttpProbe.UntilReadyAsync(sandbox, StartLimit, stop, "/health/live");

        using var client = new SandboxClient(sandbox.Url);
        lab.Say("making the videos");
        (string Operation, string Video, Func<string, string, CancellationToken, Task> Bare)[] works =
        [
            ("split", await BareFfmpeg.HourAsync(lab.Folder.Path, lab.Count(60, 2), stop), BareFfmpeg.SplitAsync),
            ("extract-frames", await BareFfmpeg.SceneAsync(lab.Folder.Path, lab.Count(90, 5), stop), BareFfmpeg.ExtractFramesAsync),
        ];
        foreach (var (operation, video, bare) in works)
        {
            var asset = await client.UploadAsync(video, stop);
            var kept = Directory.GetFiles(data, $"{asset}*", SearchOption.AllDirectories).Single();
            var made = 0;
            var comparison = await lab.CompareAsync(
                operation,
                new Side("sandbox", async token => await SandboxAsync(sandbox, client, listener, operation, asset, files => made = files, token)),
                new Side("ffmpeg", token => BareAsync(folder => bare(kept, folder, token), lab.Folder.In("bare"), made)),
                lab.Effort, [static round => round.P50], stop);
            yield return lab.Judge($"sandbox-{operation}", comparison.Ratio(static round => round.P50), Goal.AtMost(1.05));
        }
    }

    static async Task<Round> SandboxAsync(
        Service sandbox, SandboxClient client, CallbackListener listener, string operation, string asset, Action<int> made, CancellationToken stop)
    {
        var before = Accounting.Of(sandbox.Id);
        var began = Stopwatch.GetTimestamp();
        var (at, data) = await listener.NextAsync(await client.SubmitAsync(operation, asset, stop), stop);
        var used = Accounting.Of(sandbox.Id) - before;
        if (data.TryGetProperty("splits", out var splits))
        {
            foreach (var segment in splits.EnumerateArray())
                await client.DeleteAsync(segment.GetProperty("asset_id").GetString()!, stop);
            made(splits.GetArrayLength());
        }
        else
        {
            await client.DeleteAsync(data.GetProperty("asset_id").GetString()!, stop);
            made(data.GetProperty("asset_ch_ids").GetArrayLength());
        }

        return RoundOf(Stopwatch.GetElapsedTime(began, at), used);
    }

    /// <summary>Its CPU time is what this process has waited for, and its own, which does nothing meanwhile.</summary>
    static async Task<Round> BareAsync(Func<string, Task> work, string folder, int expected)
    {
        Directory.CreateDirectory(folder);
        var before = Accounting.Of(Environment.ProcessId);
        var began = Stopwatch.GetTimestamp();
        await work(folder);
        var took = Stopwatch.GetElapsedTime(began);
        var used = Accounting.Of(Environment.ProcessId) - before;
        var made = Directory.GetFiles(folder).Length;
        Directory.Delete(folder, recursive: true);
        return made == expected ? RoundOf(took, used with { ResidentBytes = 0 }) : throw new InvalidOperationException($"ffmpeg made {made} files, the Sandbox {expected}; expected the same work of both.");
    }

    static Round RoundOf(TimeSpan took, Usage own) => new([took.TotalMilliseconds], took.TotalSeconds, own, default, default);
}
