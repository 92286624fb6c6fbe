using System.Globalization;
using System.Text.Json;
using Mavi.Contracts;

namespace Mavi.AllInOne;

/// <summary>Whether the results are what was promised; anything else ends the demo with the reason.</summary>
sealed class Check(SourceVideo video)
{
    // The first pictures of a segment may lean on the one before it (open groups of pictures), and are then left out by the decoder.
    const double LeastDecoded = 0.9;

    int decoded;

    public string Status() => $"{Text.Plural(decoded, "segment")} checked";

    /// <summary>Decodes every segment and adds up their times; gives them back with their places in the video.</summary>
    public async Task<IReadOnlyList<SegmentFile>> SegmentsAsync(IReadOnlyList<SegmentFile> segments, CancellationToken cancel)
    {
        var placed = new List<SegmentFile>();
        var start = 0.0;
        foreach (var segment in segments)
        {
            await DecodeAsync(segment, cancel);
            var (seconds, _) = await PlayingTime.OfAsync(segment.Path, cancel);
            placed.Add(segment with { Start = start, Seconds = seconds });
            start += seconds;
            decoded++;
        }

        var cuts = Math.Max(1, segments.Count - 1);
        // Half a millisecond a segment for the rounding of ffprobe.
        var allowed = cuts * video.FrameInterval + segments.Count * 0.0005;
        if (Math.Abs(start - video.Seconds) > allowed)
            throw new DemoException(string.Create(
                CultureInfo.InvariantCulture,
                $"The segments last {start:0.000} s together, the video {video.Seconds:0.000} s; expected at most {allowed:0.000} s between them, one frame a cut."));
        return placed;
    }

    /// <summary>Decodes every frame, and counts them against the result and the video's length.</summary>
    public async Task FramesAsync(
        DemoPlan plan, ExtractFramesSucceeded frames, IReadOnlyList<FrameFile> files, ResultFolder results, CancellationToken cancel)
    {
        if (files.Count != frames.FrameIds.Count)
            throw new DemoException($"The zip of {frames.CollectionId} holds {files.Count} frames; expected {frames.FrameIds.Count}, as in the outcome.");
        var expected = video.Seconds / plan.FrameIntervalSeconds;
        if (Math.Abs(files.Count - expected) > 1)
            throw new DemoException(string.Create(
                CultureInfo.InvariantCulture, $"There are {files.Count} frames of {video.Seconds:0.0} s; expected one every {plan.FrameIntervalSeconds} s, about {expected:0}."));

        // Run in the folder: its name may hold what the pattern would read as a place for the number.
        var (exitCode, output, complaint) = await Programs.TryAsync(
            "ffprobe",
            ["-v", "error", "-f", "image2", "-start_number", "0", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", "frame_%06d.jpg"],
            results.Frames, cancel);
        if (exitCode != 0 || complaint.Length > 0 || output.Trim() != files.Count.ToString(CultureInfo.InvariantCulture))
            throw new DemoException($"Only {output.Trim()} of {files.Count} frames can be read as images ({complaint.Trim().ReplaceLineEndings("; ")}).");
    }

    static async Task DecodeAsync(SegmentFile segment, CancellationToken cancel)
    {
        var (exitCode, output, complaint) = await Programs.TryAsync(
            "ffprobe",
            [
                "-v", "error", "-count_packets", "-count_frames",
                "-show_entries", "stream=codec_type,nb_read_packets,nb_read_frames", "-of", "json", $"file:{segment.Path}",
            ],
            Environment.CurrentDirectory, cancel);
        var streams = exitCode == 0 ? JsonSerializer.Deserialize<JsonElement>(output).GetProperty("streams").EnumerateArray().ToList() : [];
        var picture = streams.FirstOrDefault(stream => stream.GetProperty("codec_type").GetString() == "video");
        if (picture.ValueKind == JsonValueKind.Undefined || Count(picture, "nb_read_frames") < LeastDecoded * Count(picture, "nb_read_packets"))
            throw new DemoException($"{segment.Name} does not play ({complaint.Trim().ReplaceLineEndings("; ")}).");
    }

    static double Count(JsonElement stream, string name) =>
        stream.TryGetProperty(name, out var value) ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture) : 0;
}
