using System.Diagnostics;

namespace Mavi.Bench.References;

/// <summary>ffmpeg as one would call it by hand: to make a video, and to do to it what the Sandbox has done, with the same options.</summary>
static class BareFfmpeg
{
    /// <summary>An hour with sound: a minute of it, over and over; small enough that it is the work that takes time, not the disk.</summary>
    public static async Task<string> HourAsync(string folder, int minutes, CancellationToken stop)
    {
        var (minute, hour) = (Path.Combine(folder, "minute.mp4"), Path.Combine(folder, "hour.mp4"));
        await RunAsync(
            [
                "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=60", "-f", "lavfi", "-i", "sine=duration=60",
                "-c:v", "libx264", "-preset", "ultrafast", "-crf", "32", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", minute,
            ],
            stop);
        await RunAsync(["-stream_loop", $"{minutes - 1}", "-i", minute, "-c", "copy", "-movflags", "+faststart", hour], stop);
        return hour;
    }

    /// <summary>A short video that takes some time to decode.</summary>
    public static async Task<string> SceneAsync(string folder, int seconds, CancellationToken stop)
    {
        var scene = Path.Combine(folder, "scene.mp4");
        await RunAsync(
            ["-f", "lavfi", "-i", $"testsrc2=size=1280x720:rate=25:duration={seconds}", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", scene], stop);
        return scene;
    }

    /// <summary>Segments of 10 s, cut at keyframes.</summary>
    public static Task SplitAsync(string video, string folder, CancellationToken stop) => RunAsync(
        [
            "-i", $"file:{video}", "-map", "0:V", "-map", "0:a?", "-map", "0:s?", "-c", "copy", "-f", "segment", "-segment_time", "10", "-segment_format", "mp4",
            "-reset_timestamps", "1", "-avoid_negative_ts", "disabled", "-segment_format_options", "movflags=+faststart", Path.Combine(folder, "segment_%04d.mp4"),
        ],
        stop);

    /// <summary>A frame of each second.</summary>
    public static Task ExtractFramesAsync(string video, string folder, CancellationToken stop) => RunAsync(
        [
            "-i", $"file:{video}", "-map", "0:V:0", "-vf", "setpts=PTS-STARTPTS,fps=fps=1:round=up", "-q:v", "3", "-f", "image2", "-start_number", "0",
            Path.Combine(folder, "frame_%06d.jpg"),
        ],
        stop);

    static async Task RunAsync(IEnumerable<string> words, CancellationToken stop)
    {
        using var process = Process.Start(new ProcessStartInfo("ffmpeg", ["-nostdin", "-v", "error", "-y", .. words]))!;
        try
        {
            await process.WaitForExitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }

        if (process.ExitCode != 0)
            throw new InvalidOperationException($"ffmpeg ended with {process.ExitCode}; expected 0: what it said is above.");
    }
}
