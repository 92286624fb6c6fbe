using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.Worker;

[Collection(Alone.Name)]
public sealed class RateTests
{
    [Fact]
    public async Task Two_workers_on_one_account_never_submit_an_operation_twice_within_a_second()
    {
        await using var system = await WorkerSystem.StartAsync(workers: 2, sandbox: ["RequestsPerSecond=1"], worker: ["--Mavi:RequestsPerSecond", "1"]);
        for (var i = 0; i < 6; i++)
        {
            await system.PublishAsync<SplitVideoRequested>();
            await system.PublishAsync<ExtractFramesRequested>();
        }

        for (var i = 0; i < 6; i++)
        {
            await system.TakeAsync<SplitVideoSucceeded>();
            await system.TakeAsync<ExtractFramesSucceeded>();
        }

        foreach (var operation in new[] { "split", "extract-frames" })
        {
            var times = (await system.PostsAsync(operation)).Select(post => post.GetProperty("monotonicMs").GetDouble()).ToList();
            Assert.Equal(6, times.Count);
            Assert.All(times.Zip(times.Skip(1), (before, after) => after - before), gap => Assert.True(gap >= 1000, $"two {operation} POSTs only {gap} ms apart"));
        }
    }
}
