namespace Mavi.Sandbox;

/// <summary>Extract Frames: one JPEG at every interval, the first at the start; all of them one collection.</summary>
sealed class FrameExtraction(SandboxOptions options, Ffmpeg ffmpeg, MediaFacts facts, AssetStore store, TimeProvider time)
{
    const int MadeUpFrames = 3;
    const int ManyFrames = 20_000;

    public async Task<TaskResult> RunAsync(MaviTask task, CancellationToken cancel)
    {
        var (id, createdAt) = store.NewId("im_", time);
        if (task.Plan["manyFrames"] is { } many)
            return new Frames(store.Put(new FrameCollection(id, many.Frames ?? ManyFrames, createdAt, Folder: null, [])));
        if (options.FakeMedia || task.Source.File is null)
            return new Frames(store.Put(new FrameCollection(id, MadeUpFrames, createdAt, Folder: null, [])));

        var source = store.PathOf(task.Source.File);
        // Tells what is no video in the words that the split has for it.
        await facts.OfAsync(task.Source, cancel);

        var work = store.NewWorkFolder(task.Id);
        try
        {
            var pattern = Path.Combine(Ffmpeg.Literally(work), $"frame_%06d.{FrameCollection.FrameExtension}");
            await ffmpeg.ExtractFramesAsync(source, options.FrameIntervalSeconds, pattern, cancel);
            var count = Directory.GetFiles(work).Length;
            if (count == 0)
                throw new MediaException("The video has no picture in it that could be read.");
            var folder = AssetStore.NewFile(id, "");
            Directory.Move(work, store.PathOf(folder));
            return new Frames(store.Put(new FrameCollection(id, count, createdAt, folder, [])));
        }
        finally
        {
            if (Directory.Exists(work))
                Directory.Delete(work, recursive: true);
        }
    }
}
