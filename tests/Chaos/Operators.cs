using System.Net.Http.Json;
using System.Text.Json;
using Dapper;
using Npgsql;

namespace Mavi.Chaos;

/// <summary>
/// The person in the end: looks each request that is in doubt up in Mavi's console (here the journal, by its asset), adopts the task that is there and
/// submits again what never was accepted.
/// </summary>
sealed class Operators(Installation installation, Commands commands)
{
    const string Name = "chaos operator";

    public int Adopted { get; private set; }

    public int Resubmitted { get; private set; }

    /// <summary>Decides about all that is in doubt now.</summary>
    /// <returns>How many that were.</returns>
    public async Task<int> DecideAsync(CancellationToken stop)
    {
        var tasks = await TasksAsync(stop);
        var inDoubt = await InDoubtAsync();
        foreach (var request in inDoubt)
        {
            if (tasks.TryGetValue((request.Operation, request.AssetId), out var taskId))
            {
                Adopted++;
                await commands.DecideAsync("AdoptTask", new { requestId = request.RequestId, taskId, actor = Name, reason = "in the console under its asset" }, stop);
            }
            else
            {
                Resubmitted++;
                await commands.DecideAsync("ResubmitRequest", new { requestId = request.RequestId, actor = Name, reason = "not in the console" }, stop);
            }
        }

        return inDoubt.Count;
    }

    /// <summary>Requests that were in doubt at some time, and those that found their task without a person.</summary>
    public async Task<(long InDoubt, long Adopted)> CountAsync()
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        return (
            await connection.ExecuteScalarAsync<long>("select count(distinct request_id) from history where kind = 'Uncertain'"),
            await connection.ExecuteScalarAsync<long>("select count(distinct request_id) from history where kind = 'Adopted' and actor <> @Name", new { Name }));
    }

    async Task<Dictionary<(string, string), string>> TasksAsync(CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = installation.SandboxUrl };
        var journal = await http.GetFromJsonAsync<JsonElement>(new Uri("/sandbox/journal?bodies=false", UriKind.Relative), stop);
        var tasks = new Dictionary<(string, string), string>();
        foreach (var post in journal.GetProperty("submissions").EnumerateArray().Where(static post => post.GetProperty("accepted").GetBoolean()))
        {
            var operation = post.GetProperty("operation").GetString() == "split" ? "Split" : "ExtractFrames";
            tasks[(operation, post.GetProperty("assetId").GetString()!)] = post.GetProperty("taskId").GetString()!;
        }

        return tasks;
    }

    async Task<IReadOnlyList<Row>> InDoubtAsync()
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        return [.. await connection.QueryAsync<Row>("select request_id as RequestId, operation as Operation, asset_id as AssetId from submissions where state = 'Uncertain'")];
    }

    sealed class Row
    {
        public string RequestId { get; init; } = "";
        public string Operation { get; init; } = "";
        public string AssetId { get; init; } = "";
    }
}
