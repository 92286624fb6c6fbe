using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Mavi.Tests.Support;

/// <summary>A collector: takes OTLP over HTTP, as a real one does, and reads what arrives.</summary>
sealed class OtlpReceiver : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly ConcurrentQueue<byte[]> _bodies = new();
    readonly ConcurrentQueue<Span> _spans = new();
    readonly ConcurrentQueue<Point> _points = new();

    OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>Every span so far, in the order of arrival.</summary>
    public IReadOnlyList<Span> Spans => [.. _spans];

    /// <summary>Every point of every metric so far, in the order of arrival.</summary>
    public IReadOnlyList<Point> Points => [.. _points];

    /// <summary>Everything that arrived, as it came over the wire.</summary>
    public IReadOnlyList<byte[]> Bodies => [.. _bodies];

    /// <summary>What makes a service send to it, soon.</summary>
    public (string, string)[] Settings =>
    [
        .. SettingsFor(_app.Urls.Single()), ("OTEL_BSP_SCHEDULE_DELAY", "200"), ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ];

    /// <summary>What makes a service send to some address.</summary>
    public static (string, string)[] SettingsFor(string address) => [("OTEL_EXPORTER_OTLP_ENDPOINT", address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")];

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.MapPost("/v1/traces", context => TakeAsync(context, receiver.TakeSpans));
        app.MapPost("/v1/metrics", context => TakeAsync(context, receiver.TakePoints));
        await app.StartAsync();
        return receiver;
    }

    /// <summary>The last value of a metric, whose attributes contain these; null where none arrived.</summary>
    public double? Last(string metric, params (string Name, string Value)[] attributes) =>
        Points.LastOrDefault(point => point.Metric == metric && attributes.All(wanted => point.Attributes.GetValueOrDefault(wanted.Name) == wanted.Value))?.Value;

    /// <summary>The spans of a trace as indented text, one line each.</summary>
    public string Print(string traceId)
    {
        var spans = Spans.Where(span => span.TraceId == traceId).OrderBy(span => span.Start).ToList();
        var lines = new List<string> { $"trace {traceId}" };
        foreach (var root in spans.Where(span => !spans.Exists(other => other.SpanId == span.ParentId)))
            Print(root, 1);
        return string.Join('\n', lines);

        void Print(Span span, int depth)
        {
            var told = span.Attributes.Where(pair => pair.Key.StartsWith("mavi.", StringComparison.Ordinal) || pair.Key is "http.response.status_code" or "url.full").Select(pair => $"{pair.Key}={pair.Value}");
            var links = span.Links.Select(link => $"link={link.TraceId}/{link.SpanId}");
            lines.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{new string(' ', 2 * depth)}{span.Name} [{span.Service}] +{(span.Start - spans[0].Start) / 1e6:0.0} ms, {(span.End - span.Start) / 1e6:0.0} ms {string.Join(' ', told.Concat(links))}").TrimEnd());
            foreach (var child in spans.Where(other => other.ParentId == span.SpanId))
                Print(child, depth + 1);
        }
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    static async Task TakeAsync(HttpContext context, Action<byte[]> take)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        take(body.ToArray());
        context.Response.ContentType = "application/x-protobuf";
    }

    void TakeSpans(byte[] body)
    {
        _bodies.Enqueue(body);
        foreach (var resource in new Protobuf(body).Each(1))
        {
            var service = Attributes(resource.Each(1).Single(), 1)["service.name"];
            foreach (var span in resource.Each(2).SelectMany(scope => scope.Each(2)))
            {
                _spans.Enqueue(new Span(
                    service, span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), span.Number(7), span.Number(8), Attributes(span, 9),
                    [.. span.Each(13).Select(link => (link.Hex(1), link.Hex(2)))]));
            }
        }
    }

    void TakePoints(byte[] body)
    {
        _bodies.Enqueue(body);
        foreach (var resource in new Protobuf(body).Each(1))
        {
            var service = Attributes(resource.Each(1).Single(), 1)["service.name"];
            foreach (var metric in resource.Each(2).SelectMany(scope => scope.Each(2)))
            {
                foreach (var number in metric.Each(5).Concat(metric.Each(7)).SelectMany(data => data.Each(1)))
                    _points.Enqueue(new Point(service, metric.Text(1), metric.Text(3), Attributes(number, 7), number.Has(4) ? number.Double(4) : number.Number(6)));
                foreach (var histogram in metric.Each(9).SelectMany(data => data.Each(1)))
                    _points.Enqueue(new Point(service, metric.Text(1), metric.Text(3), Attributes(histogram, 9), histogram.Double(5)) { Count = histogram.Number(4) });
            }
        }
    }

    static Dictionary<string, string> Attributes(Protobuf owner, int number) => owner.Each(number).GroupBy(attribute => attribute.Text(1))
        .ToDictionary(named => named.Key, named => Value(named.First().Each(2).Single()));

    static string Value(Protobuf value) => value.Has(3) ? $"{(long)value.Number(3)}" : value.Has(4) ? value.Double(4).ToString(CultureInfo.InvariantCulture) : value.Has(2) ? $"{value.Number(2) == 1}" : value.Text(1);

    /// <summary>A span; times in nanoseconds.</summary>
    public sealed record Span(
        string Service, string TraceId, string SpanId, string ParentId, string Name, ulong Start, ulong End, Dictionary<string, string> Attributes,
        IReadOnlyList<(string TraceId, string SpanId)> Links)
    {
        public string? this[string attribute] => Attributes.GetValueOrDefault(attribute);
    }

    /// <summary>A point of a metric; of a histogram <paramref name="Value"/> is the sum.</summary>
    public sealed record Point(string Service, string Metric, string Unit, Dictionary<string, string> Attributes, double Value)
    {
        public ulong Count { get; init; }
    }
}
