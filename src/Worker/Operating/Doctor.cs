using System.Globalization;
using System.Text;
using MassTransit;
using Mavi.Client;
using Mavi.Ledger;
using Mavi.Worker.Messaging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Mavi.Worker.Operating;

/// <summary>Looks once at start at what the Worker depends on, and says in one sentence each what an operator should mend. It changes nothing and stops nothing.</summary>
public sealed partial class Doctor(
    BrokerAddress broker, IBusControl bus, LedgerDatabase database, LedgerView view, Preparation preparation, IOptions<MaviOptions> mavi,
    TimeProvider time, ILogger<Doctor> logger) : BackgroundService
{
    const string SandboxKey = "sk-mavi-sandbox";
    const string PublicHost = "memories.ai";
    const int QueueDeclaredOtherwise = 406;

    static readonly Version DeadLettersAtLeastOnce = new(3, 10);
    static readonly TimeSpan LargeSkew = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Again = TimeSpan.FromSeconds(5);

    /// <summary>A start is not held up by looks at it; but what keeps the bus from being ready may be what there is to find.</summary>
    static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(5);

    readonly List<string> _findings = [];
    FileStream? _hold;

    /// <summary>What was found, for the health answer.</summary>
    public IReadOnlyList<string> Findings
    {
        get
        {
            lock (_findings)
                return [.. _findings];
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _hold?.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            CheckMavi();
            await preparation.Done.WaitAsync(stoppingToken);
            await bus.WaitForHealthStatus(BusHealthStatus.Healthy, StartLimit).WaitAsync(stoppingToken);
            await CheckLedgerAsync(stoppingToken);
            await CheckBrokerAsync(stoppingToken);
            LogDone(Findings.Count);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops.
        }
        catch (Exception failed)
        {
            // Whatever it is, the work goes on: a look that failed says only that it failed.
            Find($"The look at what the Worker depends on ended early ({failed.Message}); restart the worker to repeat it.");
        }
    }

    void CheckMavi()
    {
        var isPublic = new Uri(mavi.Value.BaseUrl).Host.EndsWith(PublicHost, StringComparison.OrdinalIgnoreCase);
        var key = mavi.Value.ReadKey();
        var isSandboxKey = key == SandboxKey;
        if (isPublic && isSandboxKey)
            Find("Mavi:ApiKey is the Sandbox's key, but Mavi:BaseUrl is the public address: every submission will be refused with 401; set Mavi__ApiKey or Mavi__BaseUrl.");
        if (!isPublic && new Uri(mavi.Value.BaseUrl).IsLoopback && !isSandboxKey && key.StartsWith("sk-", StringComparison.Ordinal))
            Find("Mavi:BaseUrl is an address of this machine, but Mavi:ApiKey does not look like the Sandbox's: a real key should not be given to a stand-in; set Mavi__BaseUrl or Mavi__ApiKey.");
    }

    async Task CheckLedgerAsync(CancellationToken stopping)
    {
        var skew = (time.GetUtcNow() - (await view.NowAsync(stopping)).ToTime()).Duration();
        if (skew > LargeSkew)
            Find($"This machine's clock and the ledger's differ by {skew.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s; deadlines go by the ledger's, logs by this one: synchronise both.");
        if (database.IsSingleMachine && !TryHoldFile())
            Find($"The ledger is the SQLite file {database.Place}, and another worker uses it: SQLite is for one worker on one machine; give each its own account and file, or use PostgreSQL.");
    }

    /// <summary>The hold ends with the process, however it ends.</summary>
    bool TryHoldFile()
    {
        try
        {
            _hold = new FileStream(database.Place + ".worker", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    async Task CheckBrokerAsync(CancellationToken stopping)
    {
        var factory = new ConnectionFactory { Uri = broker.Uri, ClientProvidedName = "mavi-worker doctor" };
        while (true)
        {
            try
            {
                await using var connection = await factory.CreateConnectionAsync(stopping);
                CheckVersion(connection);
                foreach (var queue in Queues.All)
                    await CheckQueueAsync(connection, queue, stopping);
                return;
            }
            catch (BrokerUnreachableException)
            {
                await Task.Delay(Again, time, stopping);
            }
        }
    }

    void CheckVersion(IConnection connection)
    {
        var text = connection.ServerProperties?.TryGetValue("version", out var value) == true && value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : "unknown";
        if (!Version.TryParse(text.Split('-')[0], out var version))
            Find($"The broker's version is {text}; expected RabbitMQ 3.10 or later: whether it keeps dead letters safely is not known.");
        else if (version < DeadLettersAtLeastOnce)
            Find($"The broker is RabbitMQ {text}; expected 3.10 or later: an older one may lose a message on its way to the error queue; upgrade it.");
        else
            LogBroker(text, Queues.DeliveryLimit);
    }

    async Task CheckQueueAsync(IConnection connection, string queue, CancellationToken stopping)
    {
        try
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: stopping);
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, Queues.ArgumentsOf(queue), cancellationToken: stopping);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == QueueDeclaredOtherwise)
        {
            Find($"Queue {queue} exists with other properties than the Worker declares ({exception.ShutdownReason.ReplyText}): stop the workers, empty and delete it, and start them again.");
        }
    }

    void Find(string sentence)
    {
        lock (_findings)
            _findings.Add(sentence);
        LogFinding(sentence);
    }

    [LoggerMessage(LogLevel.Warning, "Doctor: {Sentence}")]
    partial void LogFinding(string sentence);

    [LoggerMessage(LogLevel.Information, "Doctor: the broker is RabbitMQ {Version}; queues are quorum queues with a delivery limit of {Limit} and dead letters to <queue>_error")]
    partial void LogBroker(string version, int limit);

    [LoggerMessage(LogLevel.Information, "Doctor: looked at Mavi's settings, the ledger and the broker, {Count} findings")]
    partial void LogDone(int count);
}
