using System.Diagnostics;
using Mavi.Bench.Loads;
using Mavi.Bench.Measuring;
using Mavi.Bench.References;
using Mavi.Bench.Reporting;
using Mavi.Chaos;
using Mavi.Tests.Support;

namespace Mavi.Bench.Scenarios;

/// <summary>From the start of a process to the first 200 of its <c>/health/ready</c>, broker and database running already.</summary>
sealed class StartScenario : IScenario
{
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    public string Name => "start";

    public string Title => "Start to ready of gateway and worker, against an empty Kestrel";

    public async IAsyncEnumerable<Row> MeasureAsync(Lab lab, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        var effort = lab.IsQuick ? Effort.Quick : new Effort(DiscardLeast: 2, DiscardMost: 2, TakeLeast: 7);
        var place = await Place.MakeAsync(lab, "start", stop);
        foreach (var service in new[] { place.Gateway(lab), place.Worker(lab) })
        {
            var empty = lab.Role(EmptyKestrel.Role, new Dictionary<string, string> { ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}" });
            var comparison = await lab.CompareAsync(
                $"start of the {service.Name}", SideOf(service), SideOf(empty), effort, [static round => round.P50], stop);
            yield return lab.Judge($"start-{service.Name}", comparison.Ratio(static round => round.P50), Goal.AtMost(1.5));
        }
    }

    static Side SideOf(Service service) => new(service.Name, async stop =>
    {
        var began = Stopwatch.GetTimestamp();
        service.Start();
        await HttpProbe.UntilReadyAsync(service, Limit, stop);
        var took = Stopwatch.GetElapsedTime(began);
        // All that it used since it began is what its start took.
        var round = new Round([took.TotalMilliseconds], took.TotalSeconds, Accounting.Of(service.Id), default, default);
        await service.EndAsync();
        return round;
    });
}
