using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mavi.Sandbox;

/// <summary>A file that cannot be worked on; the message is one sentence for the callback.</summary>
sealed class MediaException(string message) : Exception(message);

/// <summary>The container segments are written in: the source's own where it can be written, so that every stream fits.</summary>
sealed record Container(string Format, string Extension);

/// <summary>What a video is; <c>Seconds</c> is its duration, null where the file does not say.</summary>
sealed record Media(Container Container, double? Seconds);

/// <summary>The programs ffmpeg and ffprobe: one process per call, killed when the call is cancelled.</summary>
sealed class Ffmpeg(SandboxOptions options)
{
    // The video and audio formats of "Upload File". No picture and no text, which ffmpeg would read as a video of one frame; no playlist, through
    // which an upload could make it read other files of this machine.
    const string Formats = "mov,matroska,avi,flv,asf,mpeg,mpegts,mpegvideo,mp3,wav,aac,flac,ogg";

    static readonly string[] WebCodecs = ["vp8", "vp9", "av1", "opus", "vorbis"];

    /// <summary>Reads what a file is.</summary>
    /// <exception cref="MediaException">It is no video: unreadable, without a video stream, or of zero length.</exception>
    public async Task<Media> ProbeAsync(string path, CancellationToken cancel)
    {
        if (!File.Exists(path))
            throw new MediaException("The asset was deleted before the task began.");
        if (new FileInfo(path).Length == 0)
            throw new MediaException("The video cannot be read: the file is empty (0 bytes).");

        var (isFine, output, complaint) = await RunAsync(
            options.FfprobePath,
            ["-v", "error", "-format_whitelist", Formats, "-print_format", "json", "-show_format", "-show_streams", $"file:{path}"],
            cancel);
        if (!isFine)
            throw new MediaException($"The video cannot be read: {Reason(complaint)}.");

        using var document = JsonDocument.Parse(output);
        var format = document.RootElement.GetProperty("format");
        var streams = document.RootElement.GetProperty("streams").EnumerateArray().ToList();
        if (!streams.Any(IsMovingPicture))
            throw new MediaException("The asset has no video stream.");

        double? seconds = Text(format, "duration") is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
        if (seconds <= 0)
            throw new MediaException("The video has zero length.");
        return new Media(ContainerOf(format, streams), seconds);
    }

    /// <summary>Cuts at the first keyframe past each multiple of the length; streams are copied as they are. The pattern names the target files, with <c>%04d</c> for the index from 0.</summary>
    public Task SplitAsync(string path, Media media, double seconds, string pattern, CancellationToken cancel) => ConvertAsync(
        path,
        [
            "-map", "0:V", "-map", "0:a?", "-map", "0:s?", "-c", "copy",
            "-f", "segment", "-segment_time", Number(seconds), "-segment_format", media.Container.Format, "-reset_timestamps", "1",
            // Keeps B-frames from moving the start of the first segment, which would then last longer than its part of the source.
            "-avoid_negative_ts", "disabled",
            .. media.Container.Format == "mp4" ? ["-segment_format_options", "movflags=+faststart"] : Array.Empty<string>(),
            pattern,
        ],
        cancel);

    /// <summary>The picture shown at 0, at the interval, at twice the interval and so on, as JPEG. The pattern has <c>%06d</c> for the index from 0.</summary>
    public Task ExtractFramesAsync(string path, double interval, string pattern, CancellationToken cancel) => ConvertAsync(
        path,
        ["-map", "0:V:0", "-vf", $"setpts=PTS-STARTPTS,fps=fps={Number(1 / interval)}:round=up", "-q:v", "3", "-f", "image2", "-start_number", "0", pattern],
        cancel);

    /// <summary>A folder as part of a pattern: a percent sign in its name is no place for the index.</summary>
    public static string Literally(string folder) => folder.Replace("%", "%%", StringComparison.Ordinal);

    async Task ConvertAsync(string path, IEnumerable<string> arguments, CancellationToken cancel)
    {
        var (isFine, _, complaint) = await RunAsync(
            options.FfmpegPath, ["-nostdin", "-v", "error", "-y", "-format_whitelist", Formats, "-i", $"file:{path}", .. arguments], cancel);
        if (!isFine)
            throw new MediaException($"The video cannot be worked on: {Reason(complaint)}.");
    }

    static async Task<(bool IsFine, string Output, string Complaint)> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancel)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.Start();
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var complaint = ReadStartAsync(process.StandardError, cancel);
            await process.WaitForExitAsync(cancel);
            return (process.ExitCode == 0, await output, await complaint);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>A broken video can make ffmpeg complain about every frame; the first lines say it all.</summary>
    static async Task<string> ReadStartAsync(StreamReader reader, CancellationToken cancel)
    {
        var start = new StringBuilder();
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            if (start.Length < 2000)
                start.Append(line).Append('\n');
        }

        return start.ToString();
    }

    static bool IsMovingPicture(JsonElement stream) =>
        Text(stream, "codec_type") == "video"
        && !(stream.TryGetProperty("disposition", out var disposition) && disposition.TryGetProperty("attached_pic", out var cover) && cover.GetInt32() == 1);

    static Container ContainerOf(JsonElement format, List<JsonElement> streams) => Text(format, "format_name")!.Split(',')[0] switch
    {
        // QuickTime takes sound that MP4 does not.
        "mov" when format.TryGetProperty("tags", out var tags) && Text(tags, "major_brand") is "qt  " => new("mov", "mov"),
        "mov" => new("mp4", "mp4"),
        "matroska" when streams.All(stream => WebCodecs.Contains(Text(stream, "codec_name"))) => new("webm", "webm"),
        "avi" => new("avi", "avi"),
        "flv" => new("flv", "flv"),
        "asf" => new("asf", "wmv"),
        "mpeg" => new("mpeg", "mpeg"),
        "mpegts" => new("mpegts", "ts"),
        _ => new("matroska", "mkv"),
    };

    static string? Text(JsonElement parent, string name) => parent.TryGetProperty(name, out var value) ? value.GetString() : null;

    /// <summary>The complaint without this machine's paths and addresses, the last and plainest line of it.</summary>
    static string Reason(string complaint)
    {
        if (complaint.Contains("Format not on whitelist", StringComparison.Ordinal))
            return "its format is none of the documented video formats";
        var line = complaint.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "ffmpeg gives no reason";
        return line[(line.LastIndexOf(": ", StringComparison.Ordinal) is >= 0 and var colon ? colon + 2 : 0)..].TrimEnd('.');
    }

    static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
