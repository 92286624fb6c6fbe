using Mavi.Hosting;

namespace Mavi.CallbackGateway;

/// <summary>The gateway as a process of its own.</summary>
public static class GatewayApp
{
    internal const string DefaultUrl = "http://127.0.0.1:8080";

    // Settings are read once. To hear that a file of them has changed the host would watch all that lies below the working directory, each callback that is spooled.
    const string Unwatched = "--hostBuilder:reloadConfigOnChange=false";

    /// <summary>Builds the gateway, not started.</summary>
    /// <exception cref="GatewaySettingsException">A setting is missing or wrong; starting it may throw this too.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder([Unwatched, .. args]);
        if (builder.Configuration.AddSecretFiles() is { } problem)
            throw new GatewaySettingsException(problem);
        configure?.Invoke(builder);
        if (Array.TrueForAll(["urls", "http_ports", "https_ports"], name => string.IsNullOrEmpty(builder.Configuration[name])))
            builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

        // A start that fails is said by the one sentence of RunAsync.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        if (Telemetry.Complaint(builder.Configuration) is { } complaint)
            throw new GatewaySettingsException(complaint);
        builder.Services.AddTelemetry(builder.Configuration, new TelemetryScope("mavi-callback-gateway", GatewayTraces.SourceName, GatewayMetrics.MeterName));
        builder.Services.AddBrokerConnection(builder.Configuration);
        builder.Services.AddCallbackGateway(builder.Configuration);

        var app = builder.Build();
        app.MapCallbackGateway();
        return app;
    }

    /// <summary>Runs the gateway until it is told to stop. Returns the exit code: 0, or 2 after one sentence on the error output about a setting.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var app = Build(args);
            await StartAsync(app);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (GatewaySettingsException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 2;
        }
    }

    static async Task StartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception exception) when (exception is IOException or FormatException or InvalidOperationException or System.Net.Sockets.SocketException)
        {
            throw new GatewaySettingsException(
                $"ASPNETCORE_URLS is \"{app.Configuration["urls"] ?? DefaultUrl}\", expected addresses that can be listened on ({exception.Message.TrimEnd('.')}): set it to a free one, such as {DefaultUrl}.", exception);
        }
    }
}
