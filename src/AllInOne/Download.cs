using System.Globalization;
using System.IO.Compression;
using Mavi.Client;
using Mavi.Contracts;

namespace Mavi.AllInOne;

/// <summary>One segment on disk; where it lies in the video is known once it was checked.</summary>
sealed record SegmentFile(int Index, string AssetId, string Path, long Size, double Start, double Seconds)
{
    public string Name => System.IO.Path.GetFileName(Path);
}

/// <summary>One frame on disk and its time in the video, seconds.</summary>
sealed record FrameFile(string Path, double Time)
{
    public string Name => System.IO.Path.GetFileName(Path);
}

/// <summary>Fetches the results through the client, no faster than the account allows.</summary>
sealed class Download(MaviClient mavi, ResultFolder results)
{
    // From the end of one to the start of the next: then no delay on the way can bring two together closer than the limit.
    static readonly TimeSpan Apart = TimeSpan.FromSeconds(1.01);

    long? ended;
    int done;

    public string Status() => $"{Text.Plural(done, "file")} downloaded";

    public async Task<IReadOnlyList<SegmentFile>> SegmentsAsync(SplitVideoSucceeded split, CancellationToken cancel)
    {
        var files = new List<SegmentFile>();
        foreach (var (position, segment) in split.Segments.Index())
        {
            var index = segment.Index ?? position;
            var path = Path.Combine(results.Segments, string.Create(CultureInfo.InvariantCulture, $"segment_{index:D4}.{segment.Extension ?? "mp4"}"));
            var file = await GetAsync(segment.AssetId, path, cancel);
            files.Add(new SegmentFile(index, segment.AssetId, path, file.SizeBytes, 0, 0));
        }

        return files;
    }

    /// <summary>All frames in one zip: one download, where there may be thousands of frames.</summary>
    public async Task<IReadOnlyList<FrameFile>> FramesAsync(ExtractFramesSucceeded frames, DemoPlan plan, string temporary, CancellationToken cancel)
    {
        var zipped = await GetAsync(frames.CollectionId, Path.Combine(temporary, "frames.zip"), cancel);
        var files = new List<FrameFile>();
        await using var zip = await ZipFile.OpenReadAsync(zipped.Path, cancel);
        foreach (var (index, entry) in zip.Entries.Index())
        {
            var path = Path.Combine(results.Frames, string.Create(CultureInfo.InvariantCulture, $"frame_{index:D6}.jpg"));
            await entry.ExtractToFileAsync(path, cancel);
            files.Add(new FrameFile(path, index * plan.FrameIntervalSeconds));
        }

        return files;
    }

    async Task<DownloadedFile> GetAsync(string assetId, string path, CancellationToken cancel)
    {
        var wait = ended is { } before ? Apart - TimeProvider.System.GetElapsedTime(before) : TimeSpan.Zero;
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, cancel);
        var file = await mavi.DownloadAsync(assetId, path, cancel);
        ended = TimeProvider.System.GetTimestamp();
        done++;
        return file;
    }
}
