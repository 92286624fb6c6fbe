using System.Diagnostics;
using System.Text.Json;
using RabbitMQ.Client;

namespace Mavi.Chaos;

/// <summary>The callers: commands at a steady pace, in both formats, some of them twice; each is repeated until the broker has confirmed it.</summary>
sealed class Commands(Installation installation, Random random) : IAsyncDisposable
{
    const double Repeated = 0.05;

    static readonly TimeSpan ConfirmLimit = TimeSpan.FromSeconds(10);
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    IConnection? _connection;
    IChannel? _channel;
    int _node;

    /// <summary>Publishes that were not confirmed, and made again.</summary>
    public int Retried { get; private set; }

    /// <summary>Commands that were sent twice on purpose.</summary>
    public int Duplicates { get; private set; }

    /// <summary>Publishes a request for each asset, evenly over the time given.</summary>
    public async Task PublishAsync(IReadOnlyList<string> assets, TimeSpan over, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var again = new PriorityQueue<Command, TimeSpan>();
        for (var i = 0; i < assets.Count; i++)
        {
            var due = over * ((double)i / assets.Count);
            if (due > clock.Elapsed)
                await Task.Delay(due - clock.Elapsed, stop);
            while (again.TryPeek(out _, out var at) && at <= clock.Elapsed)
                await SendAsync(again.Dequeue(), stop);

            var command = Make(assets[i]);
            await SendAsync(command, stop);
            if (random.NextDouble() >= Repeated)
                continue;
            Duplicates++;
            again.Enqueue(command, clock.Elapsed + TimeSpan.FromSeconds(10 * random.NextDouble()));
        }

        while (again.TryDequeue(out var command, out _))
            await SendAsync(command, stop);
    }

    /// <summary>Publishes one request.</summary>
    public Task PublishAsync(string asset, CancellationToken stop) => SendAsync(Make(asset), stop);

    /// <summary>Publishes an operator's decision.</summary>
    public Task DecideAsync(string kind, object decision, CancellationToken stop) =>
        SendAsync(new Command($"Mavi.Contracts:{kind}", "application/json", JsonSerializer.SerializeToUtf8Bytes(decision)), stop);

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
    }

    Command Make(string assetId)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        var requestId = new Guid(bytes).ToString(random.Next(2) == 0 ? "D" : "N");
        var kind = random.Next(2) == 0 ? "SplitVideoRequested" : "ExtractFramesRequested";
        var message = new { requestId, assetId, caller = "chaos" };
        return random.Next(2) == 0
            ? new Command($"Mavi.Contracts:{kind}", "application/json", JsonSerializer.SerializeToUtf8Bytes(message))
            : new Command($"Mavi.Contracts:{kind}", "application/vnd.masstransit+json", JsonSerializer.SerializeToUtf8Bytes(
                new { messageId = Guid.NewGuid(), messageType = new[] { $"urn:message:Mavi.Contracts:{kind}" }, message }));
    }

    async Task SendAsync(Command command, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
                limit.CancelAfter(ConfirmLimit);
                _channel ??= await ConnectAsync(limit.Token);
                await _channel.BasicPublishAsync(
                    command.Exchange, "", mandatory: true, new BasicProperties { ContentType = command.ContentType, Persistent = true }, command.Body, limit.Token)
                    .AsTask().WaitAsync(limit.Token);
                return;
            }
            catch (Exception failed) when (Waiting.IsTheWorlds(failed) && !stop.IsCancellationRequested)
            {
                Retried++;
                await DropAsync();
                await Task.Delay(Pause, stop);
            }
        }
    }

    async Task<IChannel> ConnectAsync(CancellationToken stop)
    {
        var nodes = installation.Broker.Nodes;
        _connection = await new ConnectionFactory
        {
            Uri = new UriBuilder(installation.Amqp) { Port = nodes[_node++ % nodes.Count].Port }.Uri,
            ClientProvidedName = "callers",
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
        }.CreateConnectionAsync(stop);
        return await _connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), stop);
    }

    async Task DropAsync()
    {
        var connection = _connection;
        (_connection, _channel) = (null, null);
        try
        {
            if (connection is not null)
                await connection.AbortAsync(TimeSpan.FromSeconds(2)).WaitAsync(TimeSpan.FromSeconds(5));
        }
        catch (Exception failed) when (Waiting.IsTheWorlds(failed))
        {
            // It was gone already.
        }
    }

    sealed record Command(string Exchange, string ContentType, byte[] Body);
}
