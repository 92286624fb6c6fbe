using System.Globalization;
using Dapper;
using Npgsql;
using RabbitMQ.Client;

namespace Mavi.Chaos.Limits;

/// <summary>
/// One request a second of each operation, as at Mavi, and a queue that is never empty: how much of that do the workers of an account use, how close
/// do two POSTs come, and do all of them obey when Mavi says wait. An installation of its own for each number of workers, side by side.
/// </summary>
sealed class LimitRun(LimitSettings settings) : IRun
{
    const double Rate = 1;
    const double LeastShare = 0.98;
    const double LeastGapMs = 1000 / Rate - 20;

    /// <summary>While queues are filled and all the processes of all installations compile their code, two cores are not enough for milliseconds.</summary>
    static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(45);

    readonly TimeSpan _window = TimeSpan.FromMinutes(settings.Minutes);

    public string Title => FormattableString.Invariant(
        $"Limit: {string.Join(", ", settings.Workers)} workers at {Rate} request/s of each operation, {settings.Minutes:0.##} min each, all at the same time.");

    public async Task<bool> ExecuteAsync(RunFolder folder, TextWriter log, CancellationToken stop)
    {
        var report = new Report(log);
        await using var servers = await Servers.StartAsync(folder, 1, stop);
        var installations = new List<Installation>();
        try
        {
            foreach (var workers in settings.Workers)
                installations.Add(await OpenAsync(folder, servers, workers, stop));
            await Task.WhenAll(installations.Select(installation => FillAsync(installation, stop)));
            await Task.Delay(WarmUp, stop);
            var since = await Task.WhenAll(installations.Select(async installation => await Journal.PostsAsync(installation.SandboxUrl, stop) is [.., var last] ? last.N : 0));
            await Task.Delay(_window + TimeSpan.FromSeconds(2), stop);
            var measured = await Task.WhenAll(installations.Zip(since, (installation, from) => MeasureAsync(installation, from, stop)));

            report.Say($"{"workers",7}  {"operation",-14} {"POSTs",6} {"share",7} {"least gap",10} {"median",8} {"most",8} {"own 429",8} {"left in queue",14}  by worker");
            foreach (var one in measured.SelectMany(static all => all))
                Say(report, one);
            var worst = measured.SelectMany(static all => all).ToList();
            report.Figure($"workers={string.Join(',', settings.Workers)}");
            report.Figure($"minutes={settings.Minutes:0.##}");
            report.Figure($"least_share={worst.Min(static one => one.Figures.Share) * 100:0.0}%");
            report.Figure($"least_gap={worst.Min(static one => one.Figures.LeastGapMs):0}ms");

            var pauses = installations.Where(static installation => installation.Workers.Count > 1).Select(installation => new Pauses(installation, report)).ToList();
            await Task.WhenAll(pauses.Select(pause => pause.RunAsync(stop)));
            var paidTwice = 0;
            var throttles = 0;
            var warming = 0;
            foreach (var (installation, from) in installations.Zip(since))
            {
                var posts = await Journal.PostsAsync(installation.SandboxUrl, stop);
                paidTwice += posts.Where(static post => post.IsAccepted).GroupBy(static post => (post.Operation, post.AssetId)).Count(static group => group.Count() > 1);
                throttles += posts.Count(post => post is { Status: 429, IsSpoilt: false } && post.N > from);
                warming += posts.Count(post => post is { Status: 429, IsSpoilt: false } && post.N <= from);
            }

            report.Goal(throttles == 0, $"{throttles} POSTs were answered 429 because they came too early; expected none.");
            report.Goal(paidTwice == 0, $"{paidTwice} requests were accepted twice.");
            report.Figure($"own_429={throttles}");
            report.Figure($"own_429_while_warming={warming}");
            report.Figure($"pauses_obeyed={pauses.Sum(static pause => pause.Obeyed)}/{pauses.Sum(static pause => pause.Made)}");
            report.Figure($"double_paid={paidTwice}");
            return report.Close();
        }
        finally
        {
            foreach (var installation in installations)
                await installation.DisposeAsync();
        }
    }

    static async Task<Installation> OpenAsync(RunFolder folder, Servers servers, int workers, CancellationToken stop)
    {
        var name = $"of-{workers}-";
        await servers.MakePlaceAsync(name);
        var installation = new Installation(folder, servers, new Plan
        {
            Prefix = name,
            Workers = workers,
            Gateways = 1,
            HasLinks = false,
            SandboxRate = Rate.ToString(CultureInfo.InvariantCulture),
            LedgerConnections = 30,
            Worker = new Dictionary<string, string> { ["Mavi__RequestsPerSecond"] = Rate.ToString(CultureInfo.InvariantCulture) },
        });
        await installation.OpenAsync(stop);
        return installation;
    }

    /// <summary>Fills the queues for longer than the warm-up, the window and the pauses after it.</summary>
    async Task FillAsync(Installation installation, CancellationToken stop)
    {
        var assets = await installation.AssetsAsync(2 * (int)((WarmUp + _window).TotalSeconds * Rate + Pauses.MostRequests), stop);
        await using var commands = new Commands(installation, new Random(installation.Workers.Count));
        await commands.PublishAsync(assets, TimeSpan.Zero, stop);
    }

    async Task<IReadOnlyList<Measured>> MeasureAsync(Installation installation, long since, CancellationToken stop)
    {
        var posts = await Journal.PostsAsync(installation.SandboxUrl, stop, since);
        var result = new List<Measured>();
        foreach (var operation in Journal.Operations)
        {
            result.Add(new(
                installation.Workers.Count, operation, RateFigures.Of([.. posts.Where(post => post.Operation == operation)], _window, Rate),
                await LeftAsync(installation, operation), await SharesAsync(installation, operation)));
        }

        return result;
    }

    static void Say(Report report, Measured one)
    {
        var figures = one.Figures;
        report.Say($"{one.Workers,7}  {one.Operation,-14} {figures.Posts,6} {figures.Share * 100,6:0.0}% {figures.LeastGapMs,7:0} ms {figures.MedianGapMs,5:0} ms {figures.MostGapMs,5:0} ms {figures.OwnThrottles,8} {one.LeftInQueue,14}  {string.Join(" ", one.ByWorker)}");
        report.Goal(figures.Share >= LeastShare, $"{one.Workers} workers used {figures.Share * 100:0.0} % of the limit of {one.Operation}; expected {LeastShare * 100:0} % or more.");
        report.Goal(figures.LeastGapMs >= LeastGapMs, $"Two POSTs of {one.Operation} by {one.Workers} workers came {figures.LeastGapMs:0.0} ms apart; expected {LeastGapMs:0} ms or more.");
        report.Goal(one.LeftInQueue > 0, $"The queue of {one.Operation} for {one.Workers} workers was empty before the end, so the share says nothing.");
        report.Goal(one.ByWorker.Count == one.Workers, $"Only {one.ByWorker.Count} of {one.Workers} workers sent a POST of {one.Operation}.");
    }

    static async Task<long> LeftAsync(Installation installation, string operation)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(installation.Amqp), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        return (await channel.QueueDeclarePassiveAsync(operation == "split" ? "mavi-split-video" : "mavi-extract-frames")).MessageCount;
    }

    /// <summary>How many POSTs each worker sent, by the ledger's history.</summary>
    static async Task<IReadOnlyList<long>> SharesAsync(Installation installation, string operation)
    {
        await using var connection = new NpgsqlConnection(installation.Ledger);
        return [.. await connection.QueryAsync<long>(
            """
            select count(*) from history h join submissions s on s.request_id = h.request_id
             where h.kind = 'Submitting' and s.operation = @Operation group by h.actor order by 1 desc
            """, new { Operation = operation == "split" ? "Split" : "ExtractFrames" })];
    }

    sealed record Measured(int Workers, string Operation, RateFigures Figures, long LeftInQueue, IReadOnlyList<long> ByWorker);
}
