using Mavi.Ledger;

namespace Mavi.Worker.Operating;

/// <summary>What an operator looks at after a bad night, on the health port only: what stands where, what is in doubt, what nobody claims, and every request's history.</summary>
public static class LedgerViews
{
    const int Most = 200;

    /// <summary><c>GET /ledger/…</c>; nothing here changes anything.</summary>
    public static void MapLedgerViews(this WebApplication app)
    {
        var ledger = app.MapGroup("/ledger");
        ledger.MapGet("/summary", static async (LedgerView view, CancellationToken token) => Results.Json(await view.CountAsync(token)));
        ledger.MapGet("/orphans", static async (LedgerView view, CancellationToken token) => Results.Json((await view.OrphansAsync(Most, token)).Select(static task => new
        {
            task.TaskId,
            task.Operation,
            kind = task.ResultKind,
            receivedAt = task.ReceivedAt?.ToTime(),
            task.Result,
        })));
        ledger.MapGet("/callbacks", static async (LedgerView view, CancellationToken token) => Results.Json((await view.CallbacksAsync(Most, token)).Select(static kept => new
        {
            kept.Id,
            kept.TaskId,
            kept.Reason,
            receivedAt = kept.ReceivedAt.ToTime(),
            kept.Body,
        })));
        ledger.MapGet("/requests", static async (SubmissionState state, LedgerView view, CancellationToken token) =>
            Results.Json((await view.RequestsAsync(state, Most, token)).Select(Show)));
        ledger.MapGet("/requests/{requestId:guid}", static async (Guid requestId, LedgerView view, SubmissionLedger submissions, CancellationToken token) =>
            await submissions.FindAsync(requestId, token) is { } row
                ? Results.Json(new
                {
                    request = Show(row),
                    history = (await view.HistoryAsync(requestId, token)).Select(static note => new { at = note.At.ToTime(), note.Kind, note.Actor, note.Detail }),
                })
                : Results.Json(new { error = $"Request {requestId} is not in the ledger." }, statusCode: StatusCodes.Status404NotFound));
    }

    static object Show(SubmissionRow row) => new
    {
        requestId = row.RequestId,
        row.Operation,
        row.AssetId,
        row.Caller,
        state = row.State.ToString(),
        row.TaskId,
        row.Attempts,
        row.Reason,
        row.Code,
        row.Message,
        createdAt = row.CreatedAt.ToTime(),
        updatedAt = row.UpdatedAt.ToTime(),
        dueAt = row.DueAt?.ToTime(),
    };
}
