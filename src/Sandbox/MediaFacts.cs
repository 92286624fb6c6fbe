using System.Collections.Concurrent;

namespace Mavi.Sandbox;

/// <summary>
/// What the videos are. A file is looked into as soon as its upload is complete, while nobody waits, and what was found is kept with the asset: a task
/// begins with the work itself.
/// </summary>
sealed partial class MediaFacts(SandboxOptions options, Ffmpeg ffmpeg, AssetStore store, IHostApplicationLifetime lifetime, ILogger<MediaFacts> logger)
    : IHostedService, IDisposable
{
    readonly SemaphoreSlim slots = new(options.ParallelTasks);
    readonly ConcurrentDictionary<string, Task> looks = new();

    /// <summary>Looks into a file in the background. Where as many are looked into already it is left to the task, so that uploads start no crowd of processes.</summary>
    public void LookInto(Asset asset)
    {
        if (options.FakeMedia || asset.File is null || !slots.Wait(0))
            return;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        looks[asset.Id] = done.Task;
        _ = Task.Run(async () =>
        {
            try
            {
                await ProbeAsync(asset, lifetime.ApplicationStopping);
            }
            catch (Exception e)
            {
                // No one is there to be told: a task looks again, and tells.
                LogFoundNothing(asset.Id, e.Message);
            }
            finally
            {
                slots.Release();
                looks.TryRemove(asset.Id, out _);
                done.SetResult();
            }
        });
    }

    /// <summary>What the file of an asset is: known, about to be, or looked into now.</summary>
    /// <exception cref="MediaException">It is no video, or no longer there.</exception>
    public async Task<Media> OfAsync(Asset asset, CancellationToken cancel)
    {
        if (looks.TryGetValue(asset.Id, out var look))
            await look.WaitAsync(cancel);
        return store.Find(asset.Id) is { Container: { } container } known && File.Exists(store.PathOf(known.File!))
            ? new Media(container, known.Seconds)
            : await ProbeAsync(asset, cancel);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The looks see the stop through the host's own token; here they are waited for, so that no ffprobe is left.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(looks.Values).WaitAsync(cancellationToken);

    public void Dispose() => slots.Dispose();

    async Task<Media> ProbeAsync(Asset asset, CancellationToken cancel)
    {
        var media = await ffmpeg.ProbeAsync(store.PathOf(asset.File!), cancel);
        store.Note(asset.Id, media);
        return media;
    }

    [LoggerMessage(1, LogLevel.Debug, "Upload {AssetId} was looked into in vain: {Reason}")]
    private partial void LogFoundNothing(string assetId, string reason);
}
