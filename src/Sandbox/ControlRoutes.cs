using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Mavi.Sandbox;

/// <summary>The switches under <c>/sandbox</c>, which the vendor has not: journal, webhooks, faults, generation, made-up assets, callbacks by hand.</summary>
static class ControlRoutes
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    public static void MapControl(this WebApplication app)
    {
        var journal = app.Services.GetRequiredService<Journal>();
        var tasks = app.Services.GetRequiredService<TaskRunner>();
        app.MapGet("/sandbox/journal", (long? since, string? operation, string? assetId, string? taskId, bool? bodies) =>
            Results.Json(journal.Read(since ?? 0, operation, assetId, taskId, bodies ?? true) with { Pending = tasks.Pending }, Json));
        app.MapDelete("/sandbox/journal", () =>
        {
            journal.Clear();
            return Results.NoContent();
        });

        MapWebhooks(app);
        MapFaults(app);
        MapGeneration(app);
        MapMadeUpAssets(app);
    }

    static void MapWebhooks(WebApplication app)
    {
        var webhooks = app.Services.GetRequiredService<Webhooks>();
        var sender = app.Services.GetRequiredService<CallbackSender>();
        IResult Show() => Results.Json(webhooks.Urls.Select(url => Webhooks.Mask(url.OriginalString)), Json);

        app.MapGet("/sandbox/webhooks", Show);
        app.MapPut("/sandbox/webhooks", WithBody<string[]>(urls =>
        {
            webhooks.Urls = [.. urls.Select((url, index) => SandboxOptions.ParseWebhook($"Webhook {index}", url))];
            return Show();
        }));
        app.MapPost("/sandbox/callbacks", async (HttpContext http) =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var body = await reader.ReadToEndAsync(http.RequestAborted);
            return Results.Json(await sender.SendOnceAsync(TaskIdIn(body), body, http.RequestAborted), Json);
        });
    }

    static void MapFaults(WebApplication app)
    {
        var faults = app.Services.GetRequiredService<Faults>();
        IResult Show()
        {
            var (seed, rules) = faults.Read();
            return Results.Json(new { seed, rules }, Json);
        }

        app.MapGet("/sandbox/faults", Show);
        app.MapPut("/sandbox/faults", WithBody<FaultDocument>(document =>
        {
            foreach (var (index, rule) in document.Rules.Index())
            {
                if (FaultCatalog.Complaint(rule) is { } complaint)
                    return Complain($"Rule {index}: {complaint}");
            }

            faults.Arm(document);
            return Show();
        }));
        app.MapDelete("/sandbox/faults", () =>
        {
            faults.Arm(new FaultDocument());
            return Results.NoContent();
        });
    }

    static void MapGeneration(WebApplication app)
    {
        var generations = app.Services.GetRequiredService<Generations>();
        app.MapGet("/sandbox/generation", () => Results.Json(generations.All(), Json));
        app.MapPut("/sandbox/generation", WithBody<Dictionary<string, Generation>>(chosen =>
        {
            if (chosen.Keys.Except(Operation.All).FirstOrDefault() is { } unknown)
                return Complain($"Operation is \"{unknown}\"; expected one of {string.Join(", ", Operation.All)}.");
            foreach (var (operation, generation) in chosen)
                generations[operation] = generation;
            return Results.Json(generations.All(), Json);
        }));
    }

    static void MapMadeUpAssets(WebApplication app)
    {
        const int most = 100_000;
        var store = app.Services.GetRequiredService<AssetStore>();
        var time = app.Services.GetRequiredService<TimeProvider>();
        app.MapPost("/sandbox/assets", WithBody<MadeUpAssets>(wanted => wanted.Count is < 1 or > most
            ? Complain($"count is {wanted.Count}; expected 1 to {most}.")
            : Results.Json(
                new
                {
                    AssetIds = Enumerable.Range(0, wanted.Count)
                        .Select(_ => store.PutMadeUp(wanted.OriginalFilename, wanted.Extension, wanted.UploadStatus, wanted.Seconds, time).Id).ToList(),
                },
                Json)));
    }

    static Delegate WithBody<T>(Func<T, IResult> act) => async (HttpContext http) =>
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(http.Request.Body, Json, http.RequestAborted) is { } body
                ? act(body)
                : Complain("The body is null; expected a JSON document as in docs/sandbox.md.");
        }
        catch (JsonException e)
        {
            return Complain($"The body is not as expected: {e.Message}");
        }
        catch (SettingException e)
        {
            return Complain(e.Message);
        }
    };

    static IResult Complain(string error) => Results.Json(new { error }, Json, statusCode: 400);

    static string? TaskIdIn(string body)
    {
        try
        {
            return (JsonNode.Parse(body) as JsonObject)?["task_id"] is JsonValue id && id.TryGetValue<string>(out var text) ? text : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Assets registered without an upload; their content is made up from their ids, and so is the result of every task on them.</summary>
    sealed record MadeUpAssets
    {
        public int Count { get; init; } = 1;
        public string OriginalFilename { get; init; } = "video";
        public string Extension { get; init; } = "mp4";
        public string UploadStatus { get; init; } = "SUCCESS";

        /// <summary>Duration, for the cost; a frame extraction costs nothing where it is unknown.</summary>
        public double? Seconds { get; init; }
    }
}
