using System.Globalization;

namespace Mavi.HistoryChecker;

/// <summary>All that the witnesses know of one request, in words, for whoever has to find out why.</summary>
static class Dossier
{
    /// <summary>The request of that id, or the one that a task belongs to.</summary>
    public static string Of(Evidence evidence, string requestId)
    {
        var messages = evidence.Messages.Where(message => message.RequestId == requestId).ToList();
        var assets = messages.Select(static message => message.Text("assetId")).OfType<string>().ToHashSet();
        var posts = evidence.Posts.Where(post => post.AssetId is { } asset && assets.Contains(asset)).ToList();
        var tasks = posts.Select(static post => post.TaskId).OfType<string>().ToHashSet();
        return string.Join('\n',
        [
            $"Request {requestId}",
            .. messages.Select(static message => $"  tap {message.Kind} {message.MessageId} {message.Content}"),
            .. posts.Select(static post => $"  {post}"),
            .. evidence.Callbacks.Where(callback => callback.TaskId is { } task && tasks.Contains(task)).Select(static callback => $"  {callback}"),
            .. evidence.Ledger.Submissions.Where(row => row.RequestId == requestId).Select(static row => $"  {row}"),
            .. evidence.Ledger.Tasks.Where(row => row.RequestId == requestId || tasks.Contains(row.TaskId)).Select(static row => $"  {row}"),
            .. evidence.Ledger.History.Where(note => note.RequestId == requestId || (note.TaskId is { } task && tasks.Contains(task))).OrderBy(static note => note.At).Select(static note =>
                $"  history {DateTimeOffset.UnixEpoch.AddMicroseconds(note.At).ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture)} {note.Kind} task {note.TaskId} by {note.Actor} {note.Detail}"),
            "",
        ]);
    }
}
