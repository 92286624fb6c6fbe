using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace Mavi.Chaos;

/// <summary>
/// Requests whose answer is lost one at a time, on an account that nobody else uses: each callback comes before the next request leaves, so each fits
/// one request alone and has to be adopted without a person.
/// </summary>
sealed class Doubts(Installation installation, Commands commands, SandboxMix mix)
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    IReadOnlyList<string> _lost = [];

    /// <summary>Requests whose answer was lost.</summary>
    public int Raised { get; private set; }

    /// <summary>Those of them that are joined to their own task.</summary>
    public int Resolved { get; private set; }

    /// <summary>Every second request's answer is lost; the one in between shows each time that Mavi answers, or the workers would take it for an outage.</summary>
    public async Task RaiseAsync(IReadOnlyList<string> assets, CancellationToken stop)
    {
        _lost = [.. assets.Where(static (_, index) => index % 2 == 0)];
        Raised = _lost.Count;
        await mix.LoseAnswersAsync(_lost);
        foreach (var asset in assets)
        {
            await commands.PublishAsync(asset, stop);
            await Waiting.ForAsync($"the callback of {asset}", async () => await TaskAsync(asset, stop) is { } task
                && (await JournalAsync($"taskId={task}", stop)).GetProperty("callbacks").EnumerateArray().Any(static callback => callback.GetProperty("delivered").GetBoolean()), Limit, stop);
        }

        await mix.StopAsync();
    }

    /// <summary>Counts <see cref="Resolved"/>.</summary>
    /// <returns>True where all are, and none to another's task.</returns>
    public async Task<bool> AreResolvedAsync()
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        foreach (var asset in _lost)
        {
            var task = await TaskAsync(asset, CancellationToken.None);
            Resolved += await connection.ExecuteScalarAsync<int>("select count(*) from tasks where asset_id = @asset and task_id = @task and state = 'Succeeded'", new { asset, task });
        }

        return Resolved == Raised;
    }

    /// <summary>Requests that are still in doubt though a callback is there that can be nobody else's, counted here in another way than the Worker decides it.</summary>
    public async Task<int> CountUnambiguousAsync()
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        var doubts = (await connection.QueryAsync<(string Id, string Operation, string State, long Since)>(
            "select request_id, operation, state, coalesce(uncertain_at, attempted_at) from submissions where uncertain_at is not null or state = 'Submitting'")).AsList();
        var orphans = (await connection.QueryAsync<(string Operation, long At)>(
            "select operation, created_at from tasks t where state = 'AwaitingSubmission' and not exists (select 1 from callbacks c where c.task_id = t.task_id)")).AsList();
        return orphans
            .Select(orphan => doubts.Where(doubt => doubt.Operation == orphan.Operation && doubt.Since <= orphan.At).ToList())
            .Where(static fits => fits is [{ State: "Uncertain" }])
            .GroupBy(static fits => fits[0].Id)
            .Count(static callbacks => callbacks.Count() == 1);
    }

    async Task<string?> TaskAsync(string asset, CancellationToken stop) => (await JournalAsync($"assetId={asset}", stop)).GetProperty("submissions").EnumerateArray()
        .Where(static post => post.GetProperty("accepted").GetBoolean()).Select(static post => post.GetProperty("taskId").GetString()).FirstOrDefault();

    async Task<JsonElement> JournalAsync(string filter, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = installation.SandboxUrl };
        return await http.GetFromJsonAsync<JsonElement>(new Uri($"/sandbox/journal?bodies=false&{filter}", UriKind.Relative), stop);
    }
}
