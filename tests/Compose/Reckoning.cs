using Mavi.HistoryChecker;
using Mavi.Tests.Support;

namespace Mavi.Tests.Compose;

/// <summary>What must be true at the end of every story, whatever was done to the system in it.</summary>
static class Reckoning
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    static readonly string[] Queues = ["mavi-split-video", "mavi-extract-frames", "mavi-task", "mavi-operator", "mavi-callbacks"];

    /// <summary>
    /// Waits until every request has its outcome, and demands: one accepted POST each, one outcome each, which says what Mavi's callback said, and
    /// nothing left in a queue. Where a worker was killed, a request may be in doubt: then an operator looks it up in Mavi's console (the journal).
    /// </summary>
    /// <returns>How many were in doubt.</returns>
    public static async Task<int> EndAsync(this Stack stack, IReadOnlyCollection<Request> requests, bool mayDoubt = false)
    {
        var inDoubt = await WaitAsync(stack, requests, mayDoubt);
        foreach (var queue in Queues)
        {
            await Eventually.TrueAsync($"{queue} to be empty", async () => await stack.CountAsync(queue) == 0);
            Assert.Equal((queue, 0u), (queue, await stack.CountAsync(queue + "_error")));
        }

        var (posts, callbacks) = await JournalReader.ReadAsync(stack.Sandbox.BaseAddress!);
        var results = callbacks.Select(static callback => (callback.TaskId, Result: Result.OfCallback(callback.Body)))
            .Where(static callback => callback is { TaskId: not null, Result: not null }).ToLookup(static callback => callback.TaskId!, static callback => callback.Result!);
        var messages = (await Eventually.GetAsync("the taps", stack.HeardAsync)).Where(Outcomes.IsOutcome).ToLookup(static message => message.RequestId);
        var wrong = new List<string>();
        foreach (var request in requests)
        {
            request.Posts = [.. posts.Where(post => post.AssetId == request.AssetId && post.Operation == request.Operation)];
            request.Outcomes.AddRange(messages[request.Id]);
            if (request.Accepted != 1)
                wrong.Add($"{request.Id} has {request.Accepted} accepted POSTs of {request.Posts.Count}.");
            if (request.Outcomes.DistinctBy(static outcome => outcome.MessageId).Count() != 1 || !Outcomes.IsSuccess(request.Outcomes[0]))
                wrong.Add($"{request.Id} has the outcomes {string.Join(", ", request.Outcomes.Select(Outcomes.Describe))}.");
            wrong.AddRange(Outcomes.Conflicts(request, results, []).Select(sentence => $"{request.Id}: {sentence}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        return inDoubt;
    }

    static async Task<int> WaitAsync(Stack stack, IReadOnlyCollection<Request> requests, bool mayDoubt)
    {
        var wanted = requests.ToDictionary(static request => request.Id);
        var doubted = new HashSet<string>();
        using var limit = new CancellationTokenSource(Limit);
        using var timer = new PeriodicTimer(LookEvery);
        while (true)
        {
            var heard = await stack.HeardAsync() ?? [];
            var ended = heard.Where(Outcomes.IsOutcome).Select(static outcome => outcome.RequestId).OfType<string>().ToHashSet();
            foreach (var id in heard.Where(static message => message.Kind == "SubmissionUncertain").Select(static message => message.RequestId).OfType<string>().Where(wanted.ContainsKey))
            {
                Assert.True(mayDoubt, $"{id} is in doubt, although nothing was killed.");
                if (doubted.Add(id))
                    await DecideAsync(stack, wanted[id]);
            }

            if (wanted.Keys.All(ended.Contains))
                return doubted.Count;
            try
            {
                await timer.WaitForNextTickAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"Waited {Limit.TotalMinutes:0} min in vain for the outcomes of {string.Join(", ", wanted.Keys.Except(ended).Take(20))}: {wanted.Keys.Count(id => !ended.Contains(id))} of {wanted.Count}.");
            }
        }
    }

    static async Task DecideAsync(Stack stack, Request request)
    {
        var accepted = (await stack.PostsAsync([request])).FirstOrDefault(static post => post.IsAccepted);
        if (accepted is not null)
            await stack.DecideAsync("AdoptTask", new { requestId = request.Id, taskId = accepted.TaskId, actor = "compose operator", reason = "in the console under its asset" });
        else
            await stack.DecideAsync("ResubmitRequest", new { requestId = request.Id, actor = "compose operator", reason = "not in the console" });
    }
}
