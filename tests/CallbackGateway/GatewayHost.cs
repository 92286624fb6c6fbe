using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Mavi.CallbackGateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mavi.Tests.CallbackGateway;

/// <summary>The real gateway on a free port, with everything it logs and counts at hand.</summary>
sealed class GatewayHost : IAsyncDisposable
{
    public const string Secret = "test-secret-0123456789abcdef";
    public const string OldSecret = "old.secret_0123456789~ABCDEF";

    readonly WebApplication _app;
    readonly MeterListener _meters = new();
    readonly ConcurrentDictionary<string, long> _counted = new();
    readonly TemporaryFolder? _own;

    GatewayHost(WebApplication app, string spool, TemporaryFolder? own)
    {
        _app = app;
        _own = own;
        Spool = spool;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var mine = app.Services.GetRequiredService<IMeterFactory>();
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Mavi.CallbackGateway" && instrument.Meter.Scope == mine)
                listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            _counted.AddOrUpdate(Key(instrument.Name, tags), value, (_, before) => before + value));
        _meters.SetMeasurementEventCallback<int>((instrument, value, _, _) => _counted[instrument.Name] = value);
        _meters.Start();
    }

    public HttpClient Http { get; }

    public string Spool { get; }

    /// <param name="broker">The address of the virtual host.</param>
    /// <param name="spool">A spool that outlives this gateway; one of its own unless given.</param>
    /// <param name="logs">Where its log lines go; nowhere unless given.</param>
    /// <param name="settings">More settings as <c>--Section:Name value</c>; they win over the usual ones.</param>
    public static async Task<GatewayHost> StartAsync(string broker, string? spool = null, LogLines? logs = null, params string[] settings)
    {
        var own = spool is null ? new TemporaryFolder() : null;
        spool ??= own!.Spool;
        var app = GatewayApp.Build(
            [
                "--urls", "http://127.0.0.1:0", "--ConnectionStrings:RabbitMq", broker, "--Gateway:SpoolDirectory", spool,
                "--Gateway:Secrets:0", Secret, "--Gateway:Secrets:1", OldSecret,
                // More than the usual 2 s: a busy test machine is no outage.
                "--Gateway:PublishTimeout", "00:00:05", .. settings,
            ],
            builder =>
            {
                builder.Logging.ClearProviders();
                if (logs is not null)
                    builder.Logging.AddProvider(logs);
            });
        await app.StartAsync();
        return new GatewayHost(app, spool, own);
    }

    public async Task<HttpStatusCode> PostAsync(HttpContent body, string secret = Secret)
    {
        using var answer = await Http.PostAsync(new Uri($"callbacks/mavi/{secret}", UriKind.Relative), body);
        return answer.StatusCode;
    }

    public Task<HttpStatusCode> PostAsync(string body, string secret = Secret) => PostAsync(new StringContent(body, Encoding.UTF8, "application/json"), secret);

    public async Task<string> ReadyAsync() => await (await Http.GetAsync(new Uri("health/ready", UriKind.Relative))).Content.ReadAsStringAsync();

    public int SpoolDepth => Directory.EnumerateFiles(Spool, "*.callback").Count();

    /// <summary>What a counter or gauge of the gateway stands at, such as <c>mavi.gateway.callbacks.refused{reason=too_large}</c>.</summary>
    public long Counted(string instrument)
    {
        _meters.RecordObservableInstruments();
        return _counted.GetValueOrDefault(instrument);
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _meters.Dispose();
        Http.Dispose();
        await _app.DisposeAsync();
        _own?.Dispose();
    }

    static string Key(string instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder(instrument);
        foreach (var tag in tags)
            text.Append(text.Length == instrument.Length ? '{' : ',').Append(tag.Key).Append('=').Append(tag.Value);
        return (tags.Length > 0 ? text.Append('}') : text).ToString();
    }
}
