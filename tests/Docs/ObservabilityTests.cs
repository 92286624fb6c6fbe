using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mavi.CallbackGateway;
using Mavi.Tests.CallbackGateway;
using Mavi.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mavi.Tests.Docs;

/// <summary>The page on observability, the dashboard and the alarms against the instruments that there are.</summary>
public sealed partial class ObservabilityTests
{
    const string Collector = "--OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317";

    static readonly string[] OurMeters = ["Mavi.Worker", "Mavi.CallbackGateway"];

    [Fact]
    public async Task The_table_has_every_metric_with_its_kind_and_unit_and_no_other()
    {
        var real = new SortedSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (OurMeters.Contains(instrument.Meter.Name))
                lock (real)
                    real.Add($"{instrument.Name} {KindOf(instrument)} {instrument.Unit}");
        };
        listener.Start();
        using var spool = new TemporaryFolder();
        await using var worker = WorkerApp.Build(["--Mavi:ApiKey", "a-key", Collector]);
        await using var gateway = GatewayApp.Build(["--Gateway:Secrets:0", "0123456789abcdef", $"--Gateway:SpoolDirectory={spool.Path}", Collector]);
        foreach (var services in (IServiceProvider[])[worker.Services, gateway.Services])
            _ = services.GetServices<IHostedService>().ToList();

        var written = Metric().Matches(Pages.Section(Pages.Read("docs/observability.md"), "Metrics"))
            .Select(row => $"{row.Groups["name"].Value} {row.Groups["kind"].Value.Split(',')[0]} {row.Groups["unit"].Value}");
        lock (real)
            Assert.Equal(real, written.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_an_endpoint_nothing_of_it_is_there()
    {
        await using var worker = WorkerApp.Build(["--Mavi:ApiKey", "a-key"]);
        using var spool = new TemporaryFolder();
        await using var gateway = GatewayApp.Build(["--Gateway:Secrets:0", "0123456789abcdef", $"--Gateway:SpoolDirectory={spool.Path}"]);
        foreach (var services in (IServiceProvider[])[worker.Services, gateway.Services])
            Assert.DoesNotContain(services.GetServices<IHostedService>(), service => service.GetType().Name is "Telemetry" or "LedgerGauges");
    }

    [Theory]
    [InlineData("deploy/observability/grafana/mavi.json")]
    [InlineData("deploy/observability/alarms.yml")]
    public void Dashboard_and_alarms_name_only_metrics_that_there_are(string file)
    {
        var text = Pages.Read(file);
        if (file.EndsWith(".json", StringComparison.Ordinal))
            Assert.NotEmpty(JsonSerializer.Deserialize<JsonElement>(text).GetProperty("panels").EnumerateArray());
        var known = Metric().Matches(Pages.Section(Pages.Read("docs/observability.md"), "Metrics")).Select(row => InPrometheus(row.Groups["name"].Value, row.Groups["kind"].Value, row.Groups["unit"].Value)).ToList();
        var named = Named().Matches(text).Select(match => match.Value).Where(name => name is not ("mavi_state" or "mavi_operation")).ToHashSet();
        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, known));
    }

    /// <summary>How Prometheus calls it: dots become underscores, then comes the unit where it is one, then the kind.</summary>
    static string InPrometheus(string name, string kind, string unit) =>
        name.Replace('.', '_') + (unit == "s" ? "_seconds" : "") + (kind == "counter" ? "_total" : kind == "histogram" ? "_bucket" : "");

    static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        nameof(Counter<int>) => "counter",
        nameof(Histogram<int>) => "histogram",
        _ => "gauge",
    };

    [GeneratedRegex(@"^\| `(?<name>mavi\.[\w.]+)` \| (?<kind>[^|]+) \| `(?<unit>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Metric();

    [GeneratedRegex("mavi_[a-z_]+")]
    private static partial Regex Named();
}
