using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Mavi.Tests.Sandbox;

/// <summary>Test videos, made once by ffmpeg: a moving picture and a tone, a keyframe every 2 s.</summary>
static class Videos
{
    static readonly string Folder = Directory.CreateTempSubdirectory("sandbox-videos-").FullName;
    static readonly string Source = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=7 -f lavfi -i sine=frequency=440:duration=7";

    static Videos() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Folder, recursive: true);

    /// <summary>7 s of H.264 and AAC; cut every 2 s it gives four segments, the last of 1 s.</summary>
    public static readonly Lazy<string> Mp4 = Make("holiday at sea.mp4", Source + " -c:v libx264 -preset veryfast -g 50 -keyint_min 50 -sc_threshold 0 -pix_fmt yuv420p -c:a aac");

    public static readonly Lazy<string> WebM = Make("clip.webm", Source + " -c:v libvpx -deadline realtime -cpu-used 8 -g 50 -b:v 300k -c:a libopus");

    /// <summary>QuickTime with uncompressed sound, which MP4 does not take.</summary>
    public static readonly Lazy<string> Mov = Make("clip.mov", Source + " -c:v libx264 -preset veryfast -g 50 -pix_fmt yuv420p -c:a pcm_s16le");

    public static readonly Lazy<string> Sound = Make("sound.m4a", "-f lavfi -i sine=frequency=440:duration=3 -c:a aac");

    public static readonly Lazy<string> Picture = Make("picture.png", "-f lavfi -i testsrc2=size=64x64:duration=1 -frames:v 1");

    /// <summary>Two minutes in which every frame differs, to keep ffmpeg busy for a while.</summary>
    public static readonly Lazy<string> Long = Make("long.mp4", "-f lavfi -i testsrc2=size=640x360:rate=25:duration=120 -c:v libx264 -preset ultrafast -g 50 -pix_fmt yuv420p");

    public static string Write(string name, byte[] content)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Duration in seconds as ffprobe reads it; fails where the file does not decode from start to end without a complaint.</summary>
    public static double PlayedSeconds(string path)
    {
        Assert.Equal("", Run("ffmpeg", ["-v", "error", "-nostdin", "-xerror", "-i", path, "-f", "null", "-"]).Error);
        var output = Run("ffprobe", ["-v", "error", "-print_format", "json", "-show_format", path]).Output;
        var duration = JsonSerializer.Deserialize<JsonElement>(output).GetProperty("format").GetProperty("duration").GetString();
        return double.Parse(duration!, CultureInfo.InvariantCulture);
    }

    static Lazy<string> Make(string name, string arguments) => new(() =>
    {
        var path = Path.Combine(Folder, name);
        Run("ffmpeg", ["-v", "error", "-nostdin", "-y", .. arguments.Split(' '), path]);
        return path;
    });

    static (string Output, string Error) Run(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return (output, error.Result);
    }
}
