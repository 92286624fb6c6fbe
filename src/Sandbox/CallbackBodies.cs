using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mavi.Sandbox;

/// <summary>
/// The callbacks of one task in the vendor's words ("Webhooks"): <c>message</c> rather than <c>msg</c>, and no flags. The vendor documents no
/// failure callback; ours has the code 500 (<c>"0500"</c> in generation A), a message, and <c>data</c> null.
/// </summary>
sealed class CallbackBodies(MaviTask task, TaskResult result, Generation generation)
{
    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The task's own callback, spoiled where a fault says so.</summary>
    public string Own()
    {
        var body = result is Failure failure
            ? Envelope(generation == Generation.A ? "0500" : 500, failure.Message, task.Id, data: null)
            : Envelope(TextAnswer.SuccessCode(generation), "SUCCESS", task.Id, Data(task.Operation));
        if (task.Plan["negativeFlag"] is not null && body["data"] is JsonObject data)
        {
            data["msg"] = "internal processing error";
            data["success"] = false;
        }

        if (task.Plan["drift"] is not null)
            Drift(body);
        var text = body.ToJsonString(Plain);
        return task.Plan["malformed"] is null ? text : text[..(text.Length / 2)];
    }

    /// <summary>Callbacks that come before it and are not its own, or only pretend to be.</summary>
    public IEnumerable<(string TaskId, string Body)> Foreign()
    {
        if (task.Plan["foreignTask"] is not null)
            yield return Of(RandomNumberGenerator.GetHexString(32, lowercase: true), Data(task.Operation));
        if (task.Plan["foreignOperation"] is not null)
            yield return Of(RandomNumberGenerator.GetHexString(32, lowercase: true), SceneDetection());
        if (task.Plan["foreignId"] is not null)
            yield return Of("ros-sd-20260313-" + RandomNumberGenerator.GetHexString(8, lowercase: true), new JsonObject { ["title"] = "INT. KITCHEN - DAY" });
        if (task.Plan["forged"] is not null)
            yield return Of(task.Id, task.Operation == Operation.Split ? MadeUpFrames() : new JsonObject { ["splits"] = new JsonArray() });
    }

    (string TaskId, string Body) Of(string taskId, JsonObject? data) =>
        (taskId, Envelope(TextAnswer.SuccessCode(generation), "SUCCESS", taskId, data).ToJsonString(Plain));

    static JsonObject Envelope(JsonNode code, string message, string taskId, JsonObject? data) =>
        new() { ["code"] = code, ["message"] = message, ["task_id"] = taskId, ["data"] = data };

    JsonObject? Data(string operation) => result switch
    {
        Segments segments => new JsonObject
        {
            ["splits"] = new JsonArray([.. (task.Plan["empty"] is null ? segments.Assets : []).Select(asset => Assets.Describe(asset, withSizeAsText: false))]),
        },
        Frames frames => new JsonObject
        {
            ["asset_id"] = frames.Collection.Id,
            ["asset_ch_ids"] = new JsonArray([.. (task.Plan["empty"] is null ? frames.Collection.FrameIds : []).Select(id => JsonValue.Create(id))]),
        },
        _ => operation == Operation.Split ? new JsonObject { ["splits"] = new JsonArray() } : MadeUpFrames(),
    };

    static JsonObject MadeUpFrames() => new() { ["asset_id"] = "im_700000000000000002", ["asset_ch_ids"] = new JsonArray("imc_700000000000000002_0") };

    /// <summary>"Clip": what another operation of the same account sends to the same webhook.</summary>
    static JsonObject SceneDetection() => new()
    {
        ["data"] = new JsonObject { ["data"] = new JsonArray(new JsonObject { ["start"] = 0, ["end"] = 120 }), ["exec_time"] = 1.5 },
        ["msg"] = "success",
        ["success"] = true,
    };

    /// <summary>The same facts in the types and names the vendor's other pages use.</summary>
    static void Drift(JsonObject body)
    {
        body["code"] = "200";
        body["msg"] = body["message"]?.DeepClone();
        body.Remove("message");
        body["trace"] = new JsonObject { ["region"] = "us" };
        foreach (var split in body["data"]?["splits"] as JsonArray ?? [])
        {
            split!["file_size"] = split["file_size"]!.ToString();
            split["create_time"] = long.Parse(split["create_time"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);
            split["modify_time"] = split["create_time"]!.DeepClone();
            split["width"] = 1280;
        }
    }
}
