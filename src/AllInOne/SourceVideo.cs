using System.Globalization;
using System.Text.Json;

namespace Mavi.AllInOne;

/// <summary>The video the demo was given. <c>Seconds</c> is what its picture lasts; <c>FrameInterval</c> the longest time one picture stands, seconds.</summary>
sealed record SourceVideo(string Path, double Seconds, double FrameInterval, string Description)
{
    // The vendor's video formats. Without a list, ffprobe takes a text for a video of one picture.
    const string Formats = "mov,matroska,avi,flv,asf,mpeg,mpegts,mpegvideo";

    public string FileName => System.IO.Path.GetFileName(Path);

    /// <exception cref="DemoException">It is missing, or no video.</exception>
    public static async Task<SourceVideo> ReadAsync(string path, CancellationToken cancel)
    {
        if (Directory.Exists(path))
            throw new DemoException($"\"{path}\" is a folder; expected a video file: give the path of one, or none for the demo's own.");
        if (!File.Exists(path))
            throw new DemoException($"\"{path}\" does not exist; expected a video file: give the path of one, or none for the demo's own.");

        var full = System.IO.Path.GetFullPath(path);
        var (exitCode, output, complaint) = await Programs.TryAsync(
            "ffprobe",
            ["-v", "error", "-format_whitelist", Formats, "-print_format", "json", "-show_format", "-show_streams", $"file:{full}"],
            Environment.CurrentDirectory, cancel);
        if (exitCode != 0)
            throw NoVideo(path, complaint.Contains("Permission denied", StringComparison.Ordinal) ? "it may not be read" : "ffprobe finds none in it");

        using var facts = JsonDocument.Parse(output);
        var streams = facts.RootElement.GetProperty("streams").EnumerateArray().ToList();
        var picture = streams.FirstOrDefault(IsMovingPicture);
        if (picture.ValueKind == JsonValueKind.Undefined)
            throw NoVideo(path, "it has no video stream");
        var (seconds, interval) = await PlayingTime.OfAsync(full, cancel);
        if (seconds <= 0)
            throw NoVideo(path, "it has zero length");

        var hasSound = streams.Any(stream => stream.GetProperty("codec_type").GetString() == "audio");
        var size = $"{picture.GetProperty("width")}x{picture.GetProperty("height")} {picture.GetProperty("codec_name").GetString()}";
        var description = string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s, {size}, {(hasSound ? "with sound" : "silent")}");
        return new SourceVideo(full, seconds, interval, description);
    }

    static DemoException NoVideo(string path, string why) =>
        new($"\"{path}\" is not a video ({why}); expected one of MP4, MOV, MKV, WebM, AVI, FLV, WMV or MPEG: give the path of one, or none for the demo's own.");

    // A cover of an audio file is a video stream too, to ffprobe.
    static bool IsMovingPicture(JsonElement stream) =>
        stream.TryGetProperty("codec_type", out var type) && type.GetString() == "video"
        && stream.GetProperty("disposition").GetProperty("attached_pic").GetInt32() == 0;
}

/// <summary>How long the picture of a file lasts, by its packets: containers add what sound there is before and after.</summary>
static class PlayingTime
{
    public static async Task<(double Seconds, double LongestFrame)> OfAsync(string path, CancellationToken cancel)
    {
        var output = await Programs.RunAsync(
            "ffprobe",
            ["-v", "error", "-select_streams", "V:0", "-show_entries", "packet=pts_time,dts_time,duration_time", "-of", "csv=p=0", $"file:{path}"],
            Environment.CurrentDirectory, cancel);
        var (first, end, longest) = (double.MaxValue, double.MinValue, 0.0);
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(',');
            // AVI knows no presentation times.
            if ((Number(parts[0]) ?? Number(parts.ElementAtOrDefault(1))) is not { } time)
                continue;
            var duration = Number(parts.ElementAtOrDefault(2)) ?? 0;
            (first, end, longest) = (Math.Min(first, time), Math.Max(end, time + duration), Math.Max(longest, duration));
        }

        return (Math.Max(0, end - first), longest);
    }

    static double? Number(string? text) => double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;
}
