namespace Mavi.Sandbox;

/// <summary>One request to the API under way: what its handler tells the gate.</summary>
sealed class ApiCall(HttpContext http, string operation, CallEntry entry, ApiGate gate)
{
    public HttpContext Http => http;

    public string Operation => operation;

    /// <summary>The faults of this request, once <see cref="RefusedOnPurpose"/> was asked.</summary>
    public FaultPlan Plan { get; private set; } = FaultPlan.None;

    /// <summary>Runs when the answer has left, or was cut.</summary>
    public Action? AfterAnswer { get; set; }

    /// <summary>Notes the asset asked for, which may be anything: the journal keeps the first 128 characters.</summary>
    public void NoteAsset(string id) => Note(e => e.AssetId = id.Length <= 128 ? id : id[..128]);

    public void Note(Action<CallEntry> change) => gate.Note(entry, change);

    /// <summary>Takes the faults that apply; the answer where one of them refuses the request. Called when nothing else does, before anything is done.</summary>
    public Answer? RefusedOnPurpose(string? assetId)
    {
        Plan = gate.TakeFaults(operation, assetId);
        Note(e => e.Faults = [.. Plan.Rules.Select(rule => rule.Fault)]);
        return gate.AnswerBefore(this);
    }

    public TextAnswer Success(System.Text.Json.Nodes.JsonNode? data) => TextAnswer.Success(gate.GenerationOf(operation), data);
}
