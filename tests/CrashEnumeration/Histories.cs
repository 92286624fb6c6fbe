using System.Text.Json;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>The stories whose every point is a death. Hours pass by changing the ledger's times: it goes by the database's clock, which no test can turn.</summary>
static class Histories
{
    const string InMicroseconds = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

    static readonly (string Name, string Value)[] Exclusive = [("Worker:ExclusiveAccount", "true")];

    public static IReadOnlyList<History> All { get; } =
    [
        new("A split succeeds", "[]", SplitAsync),
        new("A split succeeds, the worker being a process of its own", "[]", SplitAsync) { IsProcess = true },
        new("Frames are extracted", "[]", ExtractAsync),
        new("A split fails at Mavi", """[{ "fault": "failed", "message": "codec" }]""", SplitAsync),
        new("A frame extraction comes back empty", """[{ "fault": "empty" }]""", ExtractAsync),
        new("The asset is not known", "[]", static async stage =>
        {
            await stage.SplitAsync("re_404");
            await stage.EndedAsync();
        }),
        new("The command is refused at once", "[]", static async stage =>
        {
            await stage.SplitAsync("no/asset");
            await stage.EndedAsync();
        }),
        new("A throttled split is tried again", """[{ "fault": "429" }]""", static async stage =>
        {
            await stage.SplitAsync();
            await stage.UntilAsync("the end", static standing => standing.HasEnded, meanwhile: async standing =>
            {
                if (standing.State == "Deferred")
                    await stage.World.ExecuteAsync("update submissions set due_at = 0 where state = 'Deferred' and due_at > 0; update rate_slots set blocked_until = 0, next_at = 0");
            });
        }),
        new("The callback comes before the answer", """[{ "fault": "early" }]""", SplitAsync),
        new("The callback comes twice at once", """[{ "fault": "duplicated", "atOnce": true }]""", ExtractAsync),
        new("The command comes three times", "[]", static async stage =>
        {
            await Task.WhenAll(stage.SplitAsync(), stage.SplitAsync());
            await stage.EndedAsync();
            await stage.SplitAsync();
        }),
        new("The operator adopts the task of a split in doubt", """[{ "fault": "cutAfter" }]""", SplitAsync),
        new("The operator resubmits an extraction in doubt", """[{ "fault": "cutBefore" }]""", ExtractAsync),
        new("The operator's decision to resubmit comes again when the new POST is in doubt too", """[{ "fault": "cutBefore" }, { "fault": "cutAfter" }]""", static async stage =>
        {
            await stage.SplitAsync();
            await stage.UntilAsync("doubt", static standing => standing.State == "Uncertain");
            var decision = Guid.NewGuid();
            await ResubmitAsync(stage, decision);
            // Doubt about the POST that Mavi has accepted, or about one that a death let nobody see: both are another doubt than the one decided about.
            await stage.UntilAsync("another doubt", static standing => standing is { State: "Uncertain", Attempts: > 1 });
            await ResubmitAsync(stage, decision);
            stage.OperatorDecides();
            await stage.EndedAsync();
        })
        {
            OperatorWaits = true,
        },
        new("The operator abandons a split in doubt", """[{ "fault": "cutBefore" }]""", SplitAsync) { Operator = static _ => Decision.Abandon },
        new("The operator abandons a split in doubt and finds its task later", """[{ "fault": "cutAfter" }]""", static async stage =>
        {
            await stage.SplitAsync();
            await stage.UntilAsync("the failure to be said", static standing => standing is { State: "Failed", IsOwed: false });
            await stage.World.PublishAsync<Contracts.AdoptTask>(new { requestId = stage.Request, taskId = await stage.World.AcceptedTaskAsync() });
            await stage.UntilAsync("the late result", static standing => standing is { State: "Submitted", HasEnded: true });
        })
        {
            Operator = static accepted => accepted ? Decision.Abandon : Decision.Resubmit,
        },
        new("Nobody decides about an extraction in doubt", """[{ "fault": "cutBefore" }]""", static async stage =>
        {
            await stage.ExtractFramesAsync();
            await stage.UntilAsync("doubt", static standing => standing.State is "Uncertain" or "Failed");
            await stage.World.ExecuteAsync("update submissions set uncertain_at = uncertain_at - 25 * 3600000000");
            await stage.EndedAsync();
        })
        {
            Operator = static _ => Decision.Nothing,
        },
        new("A split in doubt adopts its callback on an exclusive account", """[{ "fault": "cutAfter" }]""", static async stage =>
        {
            await stage.SplitAsync();
            await stage.UntilAsync("a split in doubt and a callback without owner", static standing => standing.HasEnded || standing is { State: "Uncertain", Tasks: "AwaitingSubmission" });
            await stage.World.ExecuteAsync(
                "update submissions set attempted_at = attempted_at - 11000000, uncertain_at = uncertain_at - 11000000; update tasks set created_at = created_at - 11000000");
            await stage.EndedAsync();
        })
        {
            Settings = Exclusive,
            Operator = static accepted => accepted ? Decision.Nothing : Decision.Resubmit,
        },
        new("A split is overdue, then lost, and its result comes late", """[{ "fault": "lost" }]""", static async stage =>
        {
            await stage.SplitAsync();
            await AwaitsCallbackAsync(stage);
            await TimeIsUpAsync(stage);
            await stage.UntilAsync("the alarm", static standing => standing is { Tasks: "AwaitingCallback overdue", OwedByTasks: 0 });
            await TimeIsUpAsync(stage);
            await stage.UntilAsync("the loss", static standing => standing is { Tasks: "Lost/CallbackLost overdue", OwedByTasks: 0 });
            await CallBackAsync(stage, (await stage.World.JournalAsync()).GetProperty("callbacks")[0].GetProperty("body").GetString()!);
            await stage.EndedAsync();
        }),
        new("Another operation's callback comes for a split", """[{ "fault": "lost" }]""", static async stage =>
        {
            await stage.SplitAsync();
            await AwaitsCallbackAsync(stage);
            await CallBackAsync(stage, JsonSerializer.Serialize(new
            {
                code = 200,
                message = "SUCCESS",
                task_id = await stage.World.AcceptedTaskAsync(),
                data = new { asset_id = "re_1", extension = "mp4", file_size = 1, original_filename = "edited", upload_status = "SUCCESS" },
            }));
            await stage.EndedAsync();
        }),
    ];

    static async Task SplitAsync(Stage stage)
    {
        await stage.SplitAsync();
        await stage.EndedAsync();
    }

    static async Task ExtractAsync(Stage stage)
    {
        await stage.ExtractFramesAsync();
        await stage.EndedAsync();
    }

    static Task<Standing> AwaitsCallbackAsync(Stage stage) => stage.UntilAsync("a task without its callback", static standing => standing.Tasks == "AwaitingCallback");

    static Task ResubmitAsync(Stage stage, Guid messageId) =>
        stage.World.PublishAsync<Contracts.ResubmitRequest>(new { requestId = stage.Request, actor = "operator" }, messageId);

    static Task TimeIsUpAsync(Stage stage) =>
        stage.World.ExecuteAsync($"update tasks set due_at = {InMicroseconds} - 1000000 where state = 'AwaitingCallback'");

    static async Task CallBackAsync(Stage stage, string body) => Assert.Equal(System.Net.HttpStatusCode.OK, await stage.World.Gateway.PostAsync(body));
}
