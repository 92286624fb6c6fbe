using Mavi.Hosting;
using Mavi.Worker.Messaging;
using Mavi.Worker.Operating;
using Microsoft.Extensions.Options;

namespace Mavi.Worker;

/// <summary>The Worker as a process: the consumers, the saga and the sweeps on RabbitMQ, and a health port.</summary>
public static class WorkerApp
{
    internal const string DefaultUrl = "http://127.0.0.1:8081";

    // Settings are read once. To hear that a file of them has changed the host would watch all that lies below the working directory, a ledger in a file perhaps.
    const string Unwatched = "--hostBuilder:reloadConfigOnChange=false";

    /// <summary>Builds the Worker; a test changes what it must before the build.</summary>
    /// <param name="args">Settings as <c>--Section:Name=value</c>.</param>
    /// <param name="configure">Called last before the build.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder([Unwatched, .. args]);
        if (builder.Configuration.AddSecretFiles() is { } problem)
            throw new OptionsValidationException("Secrets", typeof(string), [problem]);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // A start that fails is told in one sentence by RunAsync, a broker that is away by BrokerWatch; not in stack traces, per queue and attempt.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Logging.AddFilter("MassTransit", LogLevel.Error);
        builder.Logging.AddFilter("MassTransit.ReceiveTransport", LogLevel.Warning);
        if (string.IsNullOrEmpty(builder.Configuration["urls"]))
            builder.WebHost.UseUrls(DefaultUrl);

        if (Telemetry.Complaint(builder.Configuration) is { } complaint)
            throw new OptionsValidationException(nameof(Telemetry), typeof(Telemetry), [complaint]);
        builder.Services.AddTelemetry(builder.Configuration, new TelemetryScope("mavi-worker", Traces.SourceName, WorkerMetrics.MeterName));
        builder.Services.AddMaviWorker(builder.Configuration);
        if (Telemetry.IsOn(builder.Configuration))
            builder.Services.AddHostedService<LedgerGauges>();
        builder.Services.AddRabbitMqBus(builder.Configuration);
        configure?.Invoke(builder);

        var app = builder.Build();
        app.MapHealth();
        app.MapLedgerViews();
        return app;
    }

    /// <summary>Runs until SIGTERM. A wrong setting ends it at once with one sentence per setting.</summary>
    /// <returns>0, or 2 where a setting is wrong.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var app = Build(args);
            await app.RunAsync();
            return 0;
        }
        catch (OptionsValidationException wrong)
        {
            foreach (var sentence in wrong.Failures)
                await Console.Error.WriteLineAsync(sentence);
            return 2;
        }
        catch (InvalidOperationException wrong) when (wrong.Message.Contains("configuration value", StringComparison.Ordinal))
        {
            // The configuration binder names the setting itself: "Failed to convert configuration value 'abc' at 'Worker:…' to type …".
            await Console.Error.WriteLineAsync(
                $"{wrong.Message.TrimEnd('.')}; expected hours:minutes:seconds for a time, Hold or Resubmit for Worker:OnUncertain, true or false for Worker:ExclusiveAccount: correct the setting.");
            return 2;
        }
        catch (Exception wrong) when (wrong is IOException or FormatException or System.Net.Sockets.SocketException)
        {
            await Console.Error.WriteLineAsync(
                $"ASPNETCORE_URLS cannot be listened on: {wrong.Message.TrimEnd('.')}; expected a free address such as {DefaultUrl}: stop the other program or set another.");
            return 2;
        }
    }
}
