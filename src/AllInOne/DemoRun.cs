using System.Globalization;
using Mavi.Client;
using Mavi.Contracts;

namespace Mavi.AllInOne;

/// <summary>The demo from the video to the verdict, step by step.</summary>
sealed class DemoRun(Screen screen, string temporary, string output)
{
    // A long video gets longer segments and fewer frames, so that the demo ends and its page opens.
    const double MostSegments = 30;
    const double MostFrames = 300;

    /// <summary>Runs one video, or the demo's own where there is none.</summary>
    /// <exception cref="DemoException">It is no video, or something did not come out right.</exception>
    public async Task RunAsync(string? given, CancellationToken cancel)
    {
        if (given is null)
            screen.Say("Making a video of 30 s");
        var path = given ?? await SampleVideo.MakeAsync(temporary, cancel);
        var video = await SourceVideo.ReadAsync(path, cancel);
        screen.Say($"{video.FileName}: {video.Description}");
        var plan = new DemoPlan(Math.Max(10, Math.Ceiling(video.Seconds / MostSegments)), Math.Max(1, Math.Ceiling(video.Seconds / MostFrames)), video.Seconds);
        using var results = new ResultFolder(output, video.FileName);

        screen.Say("Starting a local Mavi, the gateway and the worker in this one process");
        var steps = new Steps();
        var outcomes = new Outcomes(screen);
        await using var stack = await LocalStack.StartAsync(Directory.CreateDirectory(Path.Combine(temporary, "stack")).FullName, plan, outcomes, cancel);
        steps.Done("start");

        screen.Say($"Uploading {Text.Size(new FileInfo(path).Length)}");
        var assetId = await MaviCall(() => stack.Mavi.UploadAsync(path, cancel), "the upload");
        steps.Done("upload");

        screen.Say($"Uploaded as {assetId}; publishing SplitVideoRequested and ExtractFramesRequested");
        await stack.Bus.Publish(new SplitVideoRequested { RequestId = outcomes.Split.Ask(), AssetId = assetId, Caller = "demo" }, cancel);
        await stack.Bus.Publish(new ExtractFramesRequested { RequestId = outcomes.Frames.Ask(), AssetId = assetId, Caller = "demo" }, cancel);
        await screen.WhileAsync(outcomes.Status, Task.WhenAll(outcomes.Split.Ended, outcomes.Frames.Ended), cancel);
        steps.Add("split", outcomes.Split.Took);
        steps.Add("frames", outcomes.Frames.Took);
        steps.Done();

        var postings = await Postings.ReadAsync(stack.SandboxUrl, cancel);
        if (await outcomes.Split.Ended is not SplitVideoSucceeded split || await outcomes.Frames.Ended is not ExtractFramesSucceeded frames)
        {
            Summary.Outcomes(screen, outcomes, steps, postings);
            throw new DemoException($"Not everything succeeded: {outcomes.Complaint}");
        }

        screen.Say($"Downloading {split.Segments.Count} segments and {frames.FrameIds.Count} frames, one download a second as Mavi allows");
        var download = new Download(stack.Mavi, results);
        var segments = await screen.WhileAsync(download.Status, MaviCall(() => download.SegmentsAsync(split, cancel), "a download"), cancel);
        var pictures = await screen.WhileAsync(download.Status, MaviCall(() => download.FramesAsync(frames, plan, temporary, cancel), "a download"), cancel);
        steps.Done("download");

        screen.Say("Checking that every file is whole");
        var check = new Check(video);
        segments = await screen.WhileAsync(check.Status, check.SegmentsAsync(segments, cancel), cancel);
        await check.FramesAsync(plan, frames, pictures, results, cancel);
        steps.Done("check");

        await ContactSheet.WriteAsync(results.ContactSheet, video, segments, pictures, cancel);
        results.Keep();
        Summary.Results(screen, segments, pictures, frames, plan);
        Summary.Outcomes(screen, outcomes, steps, postings);
        screen.Headline($"All good: {results.ContactSheet}");
    }

    static async Task<T> MaviCall<T>(Func<Task<T>> call, string what)
    {
        try
        {
            return await call();
        }
        catch (MaviException e)
        {
            throw new DemoException($"The local Mavi refused {what}: {e.Message}");
        }
    }
}

/// <summary>How the video is cut, chosen by its length; seconds.</summary>
sealed record DemoPlan(double SegmentSeconds, double FrameIntervalSeconds, double VideoSeconds)
{
    /// <summary>After this time without a result the worker gives up, so that the demo always ends: three times the video, ten minutes at least.</summary>
    public TimeSpan Patience => TimeSpan.FromSeconds(Math.Ceiling(Math.Max(600, 3 * VideoSeconds)));
}

/// <summary>How long each step took.</summary>
sealed class Steps
{
    readonly List<(string Name, TimeSpan Took)> done = [];
    long last = TimeProvider.System.GetTimestamp();

    public IReadOnlyList<(string Name, TimeSpan Took)> All => done;

    /// <summary>Ends a step that began where the last one ended; without a name its time is counted elsewhere.</summary>
    public void Done(string? name = null)
    {
        var now = TimeProvider.System.GetTimestamp();
        if (name is not null)
            Add(name, TimeProvider.System.GetElapsedTime(last, now));
        last = now;
    }

    public void Add(string name, TimeSpan took) => done.Add((name, took));
}

static class Text
{
    public static string Size(long bytes) => bytes switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
    };

    /// <summary>A position in the video: <c>0:07.5</c>, <c>1:02:03.0</c>.</summary>
    public static string Time(double seconds)
    {
        var tenths = (long)Math.Round(seconds * 10);
        var (hours, minutes, rest) = (tenths / 36000, tenths / 600 % 60, tenths % 600);
        return hours > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{hours}:{minutes:00}:{rest / 10:00}.{rest % 10}")
            : string.Create(CultureInfo.InvariantCulture, $"{minutes}:{rest / 10:00}.{rest % 10}");
    }

    public static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");

    public static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Plural(int count, string one) => string.Create(CultureInfo.InvariantCulture, $"{count} {one}{(count == 1 ? "" : "s")}");
}
