namespace Mavi.HistoryChecker;

/// <summary>One request of a caller, and all that became of it.</summary>
sealed class Request
{
    public required string Id { get; init; }

    public required string Operation { get; init; }

    public required string AssetId { get; init; }

    /// <summary>The POSTs for its operation and asset.</summary>
    public IReadOnlyList<Post> Posts { get; set; } = [];

    /// <summary>Its terminal events, repeats included.</summary>
    public List<Message> Outcomes { get; } = [];

    public int Accepted => Posts.Count(static post => post.IsAccepted);

    public bool Made(string? taskId) => Posts.Any(post => post.IsAccepted && post.TaskId == taskId);

    public static Request Of(Message command) => new()
    {
        Id = command.RequestId!,
        Operation = command.Kind == "SplitVideoRequested" ? "Split" : "ExtractFrames",
        AssetId = command.Text("assetId") ?? "",
    };
}
