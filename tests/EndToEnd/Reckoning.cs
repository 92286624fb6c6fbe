using Mavi.Tests.Support;

namespace Mavi.Tests.EndToEnd;

/// <summary>What must be true at the end of every story, whatever happened in it.</summary>
static class Reckoning
{
    static readonly string[] Queues = ["mavi-split-video", "mavi-extract-frames", "mavi-task", "mavi-operator", "mavi-callbacks"];

    /// <summary>
    /// Waits until every request has its outcome, stops the workers, and demands: one POST each, no outcome but these, and nothing left on the bus or
    /// in the ledger. Where something died an outcome may have come twice; then both are the same message.
    /// </summary>
    public static async Task<IReadOnlyDictionary<Guid, Event>> EndAsync(
        this Installation installation, IReadOnlyCollection<Request> requests, bool mayRepeat = false, TimeSpan? limit = null)
    {
        var first = await installation.Events.OutcomesAsync(requests, limit);
        await SettledAsync(installation);
        await installation.StopWorkersAsync();

        var outcomes = await installation.Events.AllOutcomesAsync();
        Assert.Equal(requests.Select(request => request.Id).Order(), outcomes.Select(outcome => outcome.RequestId).Distinct().Order());
        foreach (var repeats in outcomes.GroupBy(outcome => outcome.RequestId))
        {
            Assert.Single(repeats.DistinctBy(outcome => (outcome.Id, outcome.Name, outcome.Message.Message.GetRawText())));
            if (!mayRepeat)
                Assert.Single(repeats);
        }

        Assert.Equal(requests.Select(request => request.AssetId).Order(), (await installation.PostsAsync()).Select(post => post.AssetId).Order());
        foreach (var queue in Queues)
            Assert.Equal((queue, 0u, 0u), (queue, await installation.Events.Bus.CountAsync(queue), await installation.Events.Bus.CountAsync(queue + "_error")));
        Assert.Equal(0L, await installation.ReadAsync<long>(
            "select count(*) from submissions where state in ('Submitting', 'Deferred', 'Uncertain')"));
        Assert.Equal(0L, await installation.ReadAsync<long>("select count(*) from tasks where state not in ('Succeeded', 'Failed')"));
        return first;
    }

    /// <summary>An outcome may be there while something else still waits to be said: another worker would say it, these would not any more.</summary>
    static async Task SettledAsync(Installation installation)
    {
        await Eventually.TrueAsync("the ledger to owe no event", async () => await installation.ReadAsync<long>(
            "select (select count(*) from submissions where announce_at is not null) + (select count(*) from tasks where announce_at is not null)") == 0);
        foreach (var queue in Queues)
            await Eventually.TrueAsync($"{queue} to be empty", async () => await installation.Events.Bus.CountAsync(queue) == 0);
    }
}
