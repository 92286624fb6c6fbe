using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Mavi.Contracts;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Sandbox;
using Mavi.Tests.Support;
using Npgsql;
using RabbitMQ.Client;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>Everything that does not die: broker, database, Sandbox, gateway, and a subscriber to all that is said. Used again by run after run.</summary>
sealed class World : IAsyncDisposable
{
    const string Heard = "heard";

    readonly NpgsqlDataSource _ledger;
    readonly ConcurrentDictionary<string, bool> _queues = new();

    World(string broker, string ledger, SandboxHost mavi, GatewayHost gateway, AmqpClient bus, string asset)
    {
        (Broker, LedgerAddress, Mavi, Gateway, Bus, Asset) = (broker, ledger, mavi, gateway, bus, asset);
        _ledger = NpgsqlDataSource.Create(ledger);
    }

    public string Broker { get; }

    public string LedgerAddress { get; }

    public SandboxHost Mavi { get; }

    public GatewayHost Gateway { get; }

    public AmqpClient Bus { get; }

    /// <summary>Made up, so that results come at once.</summary>
    public string Asset { get; }

    public static async Task<World> StartAsync()
    {
        var broker = await (await PrivateBroker.SharedAsync()).CreateVirtualHostAsync();
        var ledger = await (await PrivatePostgres.SharedAsync()).CreateDatabaseAsync();
        var mavi = await SandboxHost.StartAsync();
        var gateway = await GatewayHost.StartAsync(broker);
        using (var pointed = await mavi.Control.PutAsJsonAsync("webhooks", new[] { $"{gateway.Http.BaseAddress}callbacks/mavi/{GatewayHost.Secret}" }))
            pointed.EnsureSuccessStatusCode();

        var bus = await AmqpClient.ConnectAsync(broker);
        await bus.BindQueueAsync<SplitVideoSucceeded>(Heard);
        await bus.BindQueueAsync<SplitVideoFailed>(Heard);
        await bus.BindQueueAsync<ExtractFramesSucceeded>(Heard);
        await bus.BindQueueAsync<ExtractFramesFailed>(Heard);
        await bus.BindQueueAsync<TaskOverdue>(Heard);
        return new World(broker, ledger, mavi, gateway, bus, await mavi.MadeUpAssetAsync());
    }

    /// <summary>As before the first run, apart from what the worker keeps for itself.</summary>
    public async Task ResetAsync(string faults)
    {
        await ExecuteAsync(
            """
            delete from submissions; delete from tasks; delete from callbacks; delete from history;
            update rate_slots set next_at = 0, last_at = 0, blocked_until = 0, throttles = 0;
            update accounts set failures = 0, paused_kind = null, paused_reason = null, paused_at = null, probe_at = null, probe_by = null;
            """);
        using (var emptied = await Mavi.Control.DeleteAsync(new Uri("journal", UriKind.Relative)))
            emptied.EnsureSuccessStatusCode();
        await Mavi.ArmAsync(faults);
    }

    /// <summary>What a dead worker held is free after minutes (the lease of a POST, the hold on a due request or an owed event): they pass now.</summary>
    public Task HoldsPassAsync() => ExecuteAsync(
        """
        update submissions set lease_until = 0 where state = 'Submitting';
        update submissions set due_at = 0 where state = 'Deferred';
        update submissions set announce_at = 0 where announce_at is not null;
        update tasks set announce_at = 0 where announce_at is not null;
        update callbacks set recheck_at = 0 where recheck_at is not null;
        """);

    /// <summary>Each statement by itself: a lock held from one to the next would meet those that the worker takes in its own order.</summary>
    public async Task ExecuteAsync(string sql)
    {
        foreach (var statement in sql.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = _ledger.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>How the request and everything around it stands in the ledger.</summary>
    public async Task<Standing> StandingAsync(Guid requestId)
    {
        await using var command = _ledger.CreateCommand(
            """
            select s.state, s.reason, s.attempt_id,
                   (select string_agg(state || coalesce('/' || reason, '') || case when overdue = 1 then ' overdue' else '' end, ', ' order by state) from tasks),
                   (select count(*) from submissions where state in ('Submitting', 'Deferred', 'Uncertain') or announce_at is not null)
                     + (select count(*) from tasks where state like 'Awaiting%' or announce_at is not null)
                     + (select count(*) from callbacks where recheck_at is not null),
                   (select count(*) from tasks where announce_at is not null), coalesce(s.announce_at is not null, false), coalesce(s.attempts, 0)
              from (select 1) one left join submissions s on s.request_id = $1
            """);
        command.Parameters.AddWithValue(requestId.ToString());
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        return new Standing(Text(0), Text(1), Text(2), Text(3) ?? "", row.GetInt64(4), row.GetInt64(5), row.GetBoolean(6), row.GetInt32(7));

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
    }

    /// <summary>What the ledger holds, for the report of a run that ended wrong.</summary>
    public async Task<string> DumpAsync()
    {
        await using var command = _ledger.CreateCommand(
            """
            select coalesce(string_agg(line, E'\n'), '') from (
              select 'submission ' || row_to_json(s)::text as line from submissions s
              union all select 'task ' || row_to_json(t)::text from tasks t
              union all select 'callback ' || row_to_json(c)::text from callbacks c
              union all select * from (select 'history ' || row_to_json(h)::text from history h order by at) ordered) lines
            """);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    public async Task<JsonElement> JournalAsync() => await Mavi.JournalAsync();

    /// <summary>The task of the POST that Mavi accepted; null where it accepted none.</summary>
    public async Task<string?> AcceptedTaskAsync() => (await JournalAsync()).GetProperty("submissions").EnumerateArray()
        .Where(static post => post.GetProperty("accepted").GetBoolean()).Select(static post => post.GetProperty("taskId").GetString()).FirstOrDefault();

    public Task PublishAsync<T>(object message, Guid? messageId = null) => Bus.PublishAsync(
        AmqpClient.ExchangeOf<T>(), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(message, JsonSerializerOptions.Web)),
        new BasicProperties { ContentType = "application/json", MessageId = messageId?.ToString() });

    /// <summary>Everything that was said since the last time, taken out of the queue.</summary>
    public async Task<List<AmqpMessage>> HeardAsync()
    {
        var messages = new List<AmqpMessage>();
        for (var left = await Bus.CountAsync(Heard); left > 0; left--)
            messages.Add(await Bus.TakeAsync(Heard));
        return messages;
    }

    /// <summary>A worker declares a queue, so it is one to look into.</summary>
    public void QueueIsDeclared(string queue) => _queues[queue] = true;

    /// <summary>What lies in which queue of the worker's, its error queues among them.</summary>
    public async Task<IReadOnlyDictionary<string, uint>> WaitingAsync()
    {
        var waiting = new Dictionary<string, uint>();
        foreach (var queue in _queues.Keys)
        {
            if (await Bus.CountAsync(queue) is > 0 and var count)
                waiting[queue] = count;
        }

        return waiting;
    }

    public async ValueTask DisposeAsync()
    {
        await Bus.DisposeAsync();
        await Gateway.StopAsync();
        await Gateway.DisposeAsync();
        await Mavi.DisposeAsync();
        await _ledger.DisposeAsync();
    }
}

/// <summary>How a request stands in the ledger.</summary>
/// <param name="State">Of its submission; null before the first word of it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Attempt">Its last POST.</param>
/// <param name="Tasks">The states of all tasks.</param>
/// <param name="Open">How many rows are not final, or owe something.</param>
/// <param name="OwedByTasks">How many tasks owe an event.</param>
/// <param name="IsOwed">The submission owes an event.</param>
/// <param name="Attempts">How many POSTs it let go.</param>
sealed record Standing(string? State, string? Reason, string? Attempt, string Tasks, long Open, long OwedByTasks, bool IsOwed, int Attempts)
{
    /// <summary>The submission's or the task's state is final.</summary>
    public bool HasEnded => State is "Rejected" or "Failed" || (State == "Submitted" && Tasks.Split(',', ' ', '/')[0] is "Succeeded" or "Failed");

    public override string ToString() => $"submission={State}{(Reason is null ? "" : $"/{Reason}")} tasks=[{Tasks}]";
}
