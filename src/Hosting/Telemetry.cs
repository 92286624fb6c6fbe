using System.Diagnostics;
using System.Reflection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mavi.Hosting;

/// <summary>
/// Sends traces and metrics by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set. Where it is not, nobody listens to sources and meters, and they cost
/// nothing. Compiled into each service. The other standard <c>OTEL_…</c> variables are read by the SDK.
/// </summary>
sealed partial class Telemetry(TelemetryScope scope, IConfiguration configuration, ILogger<Telemetry> logger) : IHostedService, IDisposable
{
    const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const string Protocol = "OTEL_EXPORTER_OTLP_PROTOCOL";
    const string Disabled = "OTEL_SDK_DISABLED";

    /// <summary>For what is still to be sent at the end. A collector that is away must not hold up a stop.</summary>
    static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(3);

    /// <summary>What the framework and the libraries tell by themselves. Not the web server's spans: their path holds the callback secret, and health checks are no story.</summary>
    static readonly string[] Sources = ["MassTransit", "Npgsql", "System.Net.Http"];

    static readonly string[] Meters =
        ["MassTransit", "Npgsql", "System.Net.Http", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel"];

    OpenTelemetrySdk? _sdk;

    /// <summary>Whether it is asked for.</summary>
    public static bool IsOn(IConfiguration configuration) =>
        !string.IsNullOrWhiteSpace(configuration[Endpoint]) && !string.Equals(configuration[Disabled], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>One sentence about a setting that cannot be used; null where all is well.</summary>
    public static string? Complaint(IConfiguration configuration)
    {
        if (!IsOn(configuration))
            return null;
        if (!Uri.TryCreate(configuration[Endpoint], UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0)
            return $"{Endpoint} is no address of a collector (its value is not shown, it may hold a password); expected http://host:4317 (gRPC) or http://host:4318 (http/protobuf): correct it, or leave it out to send nothing.";
        return configuration[Protocol] is null or "" or "grpc" or "http/protobuf"
            ? null
            : $"{Protocol} is \"{configuration[Protocol]}\"; expected grpc (the default) or http/protobuf: correct it.";
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _sdk = OpenTelemetrySdk.Create(sdk => sdk
                .UseConfiguration(configuration)
                .ConfigureResource(resource => Describe(resource))
                .WithTracing(traces => traces.AddSource([.. Sources, scope.Source]).AddProcessor<OnlyStories>())
                .WithMetrics(metrics => metrics.AddMeter([.. Meters, scope.Meter]))
                .UseOtlpExporter());
            var address = new Uri(configuration[Endpoint]!);
            LogOn(address.Host, address.Port);
        }
#pragma warning disable CA1031 // Whatever the SDK does not like about its variables: the work goes on without it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogOff(exception.GetBaseException().Message);
        }

        return Task.CompletedTask;
    }

    /// <summary>Sends what is left, as long as there is time.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Run(Dispose, CancellationToken.None).WaitAsync(FlushLimit, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            LogNotFlushed(FlushLimit.TotalSeconds);
        }
    }

    public void Dispose() => Interlocked.Exchange(ref _sdk, null)?.Dispose();

    /// <summary>The variables of the environment come last: what an operator says counts.</summary>
    void Describe(ResourceBuilder resource) => resource.Clear()
        .AddService(
            scope.Service, serviceNamespace: "mavi", serviceVersion: typeof(Telemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            serviceInstanceId: $"{Environment.MachineName}/{Environment.ProcessId}")
        .AddTelemetrySdk()
        .AddEnvironmentVariableDetector();

    [LoggerMessage(LogLevel.Information, "Traces and metrics go to {Host}:{Port}")]
    partial void LogOn(string host, int port);

    [LoggerMessage(LogLevel.Error, "Traces and metrics are not sent: {Reason}; correct the OTEL_ variables and start again")]
    partial void LogOff(string reason);

    [LoggerMessage(LogLevel.Warning, "The last traces and metrics were not taken within {Seconds} s, and are dropped")]
    partial void LogNotFlushed(double seconds);

    /// <summary>
    /// A statement or call that belongs to nothing, such as a poll of the ledger, is no story: polls would outnumber everything else. Decided at the end,
    /// not by a sampler, so that <c>OTEL_TRACES_SAMPLER</c> is the operator's.
    /// </summary>
    sealed class OnlyStories : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            if (data.Kind == ActivityKind.Client && data.ParentId is null)
                data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}

/// <summary>Who tells: the service's name unless <c>OTEL_SERVICE_NAME</c> says another, and the names of its own source and meter.</summary>
sealed record TelemetryScope(string Service, string Source, string Meter);

static class TelemetryServices
{
    /// <summary>Adds what sends, where it is asked for; before what tells, so that it stops after it.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration, TelemetryScope scope) =>
        Telemetry.IsOn(configuration) ? services.AddSingleton(scope).AddHostedService<Telemetry>() : services;

    /// <summary>The host's settings rather than the process's environment alone.</summary>
    public static IOpenTelemetryBuilder UseConfiguration(this IOpenTelemetryBuilder builder, IConfiguration configuration)
    {
        builder.Services.AddSingleton(configuration);
        return builder;
    }
}
