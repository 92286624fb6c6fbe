namespace Mavi.Sandbox;

/// <summary>Video Split: cuts on keyframes, without re-encoding; each segment is an asset like any other.</summary>
sealed class Splitting(SandboxOptions options, Ffmpeg ffmpeg, MediaFacts facts, AssetStore store, TimeProvider time)
{
    const int MadeUpSegments = 3;

    public async Task<TaskResult> RunAsync(MaviTask task, CancellationToken cancel)
    {
        // The middle part of a segment's name: 8 hex digits that are not the task's, as in the vendor's sample.
        var name = $"segment_video_{System.Security.Cryptography.RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        var segments = options.FakeMedia || task.Source.File is null
            ? [.. Enumerable.Range(0, MadeUpSegments).Select(index => store.PutMadeUp($"{name}_{index:D4}", "mp4", "SUCCESS", null, time))]
            : await CutAsync(task, name, cancel);

        if (task.Plan["failedSegment"] is not null)
            segments[^1] = store.Put(segments[^1] with { UploadStatus = "FAILED" });
        return new Segments(segments);
    }

    async Task<List<Asset>> CutAsync(MaviTask task, string name, CancellationToken cancel)
    {
        var source = store.PathOf(task.Source.File!);
        var media = await facts.OfAsync(task.Source, cancel);

        var work = store.NewWorkFolder(task.Id);
        try
        {
            await ffmpeg.SplitAsync(source, media, options.SegmentSeconds, Path.Combine(Ffmpeg.Literally(work), $"{name}_%04d.{media.Container.Extension}"), cancel);
            var files = new DirectoryInfo(work).GetFiles().OrderBy(file => file.Name.Length).ThenBy(file => file.Name, StringComparer.Ordinal).ToList();
            if (files.Count == 0)
                throw new MediaException("The video has nothing in it that could be cut.");
            return [.. store.Put([.. files.Select(file => Take(file, media.Container.Extension))])];
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    Asset Take(FileInfo segment, string extension)
    {
        var (id, createdAt) = store.NewId("re_", time);
        var file = AssetStore.NewFile(id, extension);
        var size = segment.Length;
        var name = Path.GetFileNameWithoutExtension(segment.Name);
        // Nothing is there to be overwritten, and so it is one rename, not a link and an unlink.
        File.Move(segment.FullName, store.PathOf(file), overwrite: true);
        return new Asset(id, name, extension, size, "SUCCESS", createdAt, createdAt, file);
    }
}
