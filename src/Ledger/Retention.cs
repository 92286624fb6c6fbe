using Dapper;

namespace Mavi.Ledger;

/// <summary>Forgets what ended long ago. A request that is forgotten would be submitted again if its command came again.</summary>
public sealed class Retention(LedgerDatabase database)
{
    const int Batch = 1000;

    static readonly string[] Purges =
    [
        Purge("history", "id", "at <= {now} - @Age"),
        Purge("callbacks", "id", "created_at <= {now} - @Age"),
        Purge("tasks", "id", "updated_at <= {now} - @Age and state <> 'AwaitingCallback' and announce_at is null"),
        Purge("submissions", "request_id", "updated_at <= {now} - @Age and state in ('Submitted', 'Rejected', 'Failed') and announce_at is null"),
    ];

    /// <summary>Deletes what has not changed for <paramref name="age"/> and is at its end, orphans among it, in small transactions.</summary>
    /// <returns>How many rows went.</returns>
    public async Task<int> PurgeAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var gone = 0;
        foreach (var purge in Purges)
        {
            int count;
            do
            {
                count = await database.RunAsync(purge, new { Age = Moment.From(age) },
                    static async results => (await results.ReadAsync<string>()).AsList().Count, cancellationToken);
                gone += count;
            }
            while (count == Batch);
        }

        return gone;
    }

    static string Purge(string table, string key, string condition) =>
        $"delete from {table} where {key} in (select {key} from {table} where {condition} limit {Batch}) returning {key}";
}
