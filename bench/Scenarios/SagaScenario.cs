using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.References;
using Mavi.Bench.Reporting;
using Mavi.Chaos;
using Mavi.Contracts;
using Npgsql;

namespace Mavi.Bench.Scenarios;

/// <summary>
/// Both events of a task, one right behind the other in the same queue, half of the pairs in either order: consumers take them at the same moment. An
/// operation is an event; its time is that from its publish to the outcome of its task.
/// </summary>
sealed class SagaScenario : IScenario
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public string Name => "saga";

    public string Title => "The join of two events that race, with history and outcome, against a bare upsert that stores the same rows";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [EnumeratorCancellation] CancellationToken stop)
    {
        var place = await Place.MakeAsync(lab, "saga", stop);
        var other = await Place.MakeAsync(lab, "upsert", stop);
        var worker = place.Worker(lab);
        var upsert = lab.Role(BareWorker.Role, BareWorker.Settings(other));
        foreach (var service in new[] { worker, upsert })
        {
            service.Start();
            await HttpProbe.UntilReadyAsync(service, Limit, stop);
        }

        var servers = await lab.ServersAsync(stop);
        await using var bus = await Bus.ConnectAsync(place.Amqp, stop);
        await using var otherBus = await Bus.ConnectAsync(other.Amqp, stop);
        var tasks = lab.Count(1500, 100);
        var comparison = await lab.CompareAsync(
            "joins", await SideAsync("worker", worker, servers, bus, tasks, stop), await SideAsync("upsert", upsert, servers, otherBus, tasks, stop),
            lab.Effort, [Cpu], stop);
        yield return lab.Judge("saga-cpu", comparison.Ratio(Cpu), Goal.AtMost(1.15));

        var conflicts = await ConflictsAsync(place, worker, stop);
        lab.Say($"{conflicts} conflicts");
        yield return lab.Judge("saga-conflicts", new Spread([conflicts]), Goal.AtMost(0, " errors"));
        foreach (var service in new[] { worker, upsert })
            await service.EndAsync();
    }

    static double Cpu(Round round) => round.CpuPer10k(round.Own, round.Broker, round.Database);

    static async Task<Side> SideAsync(string name, Service service, Servers servers, Bus bus, int tasks, CancellationToken stop)
    {
        var meter = new Meter([service], servers);
        var outcomes = await bus.ListenAsync([nameof(SplitVideoSucceeded)], stop);
        return new(name, token => meter.MeasureAsync(() => JoinAsync(bus, outcomes, tasks, token), token));
    }

    static async Task<IReadOnlyList<double>> JoinAsync(Bus bus, Arrivals outcomes, int tasks, CancellationToken stop)
    {
        var published = new Dictionary<string, long>(tasks);
        var confirms = new List<Task>(2 * tasks);
        var before = outcomes.At.Count;
        for (var number = 0; number < tasks; number++)
        {
            var taskId = Guid.NewGuid().ToString("N");
            var pair = new[] { (nameof(TaskSubmitted), (object)Submitted(taskId)), (nameof(VideoSplitCompleted), Completed(taskId)) };
            published[taskId] = Stopwatch.GetTimestamp();
            foreach (var (name, message) in number % 2 == 0 ? pair : pair.Reverse())
                confirms.Add(bus.PublishAsync(name, "application/vnd.masstransit+json", Envelope(name, message), stop).AsTask());
        }

        await Task.WhenAll(confirms);
        await outcomes.UntilAsync(before + tasks, Limit, stop);
        return [.. published.SelectMany(pair => Enumerable.Repeat(Stopwatch.GetElapsedTime(pair.Value, outcomes.At[pair.Key]).TotalMilliseconds, 2))];
    }

    /// <summary>Messages that ended in an error queue, lines of the log above Information, and tasks whose row is not final.</summary>
    static async Task<int> ConflictsAsync(Place place, Service worker, CancellationToken stop)
    {
        var complaints = File.ReadLines(worker.LogFile).Count(static line => line.StartsWith("warn:", StringComparison.Ordinal) || line.StartsWith("fail:", StringComparison.Ordinal));
        await using var connection = new NpgsqlConnection(place.Ledger);
        await connection.OpenAsync(stop);
        await using var command = new NpgsqlCommand("select count(*) from tasks where state <> 'Succeeded'", connection);
        return complaints + (int)(long)(await command.ExecuteScalarAsync(stop))!;
    }

    static TaskSubmitted Submitted(string taskId) => new()
    {
        RequestId = Guid.NewGuid(),
        Operation = Operations.Split,
        AssetId = "re_700000000000000001",
        TaskId = taskId,
        SubmittedAt = DateTimeOffset.UtcNow,
    };

    static VideoSplitCompleted Completed(string taskId) => new()
    {
        TaskId = taskId,
        ReceivedAt = DateTimeOffset.UtcNow,
        BodyBytes = 900,
        BodySha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(taskId))),
        Segments = [.. Enumerable.Range(0, 3).Select(static index => new VideoSegment
        {
            AssetId = $"re_70000000000000010{index}", Index = index, FileName = $"segment_video_1a2b3c4d_{index:D4}", Extension = "mp4", SizeBytes = 1_048_576, UploadStatus = "SUCCESS",
        })],
    };

    static byte[] Envelope(string name, object message) => JsonSerializer.SerializeToUtf8Bytes(
        new { MessageId = Guid.NewGuid(), MessageType = new[] { $"urn:message:Mavi.Contracts:{name}" }, Message = message, SentTime = DateTime.UtcNow, Headers = new { } },
        JsonSerializerOptions.Web);
}
