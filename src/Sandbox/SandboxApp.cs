using Mavi.Hosting;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mavi.Sandbox;

/// <summary>A local Mavi: the API under <c>/serve/api/v2</c>, its webhooks, and the switches under <c>/sandbox</c>.</summary>
public static class SandboxApp
{
    internal const string DefaultUrl = "http://127.0.0.1:8090";

    // Settings are read once. To hear that a file of them has changed the host would watch all that lies below the working directory, which may be large
    // and holds the data directory unless that is set.
    const string Unwatched = "--hostBuilder:reloadConfigOnChange=false";

    /// <summary>Builds one Sandbox; several may run in one process, each with a data directory of its own.</summary>
    /// <param name="args">Command line, such as <c>--urls http://127.0.0.1:0 --Sandbox:SegmentSeconds=5</c>.</param>
    /// <param name="configure">Runs before the settings are read; may replace <see cref="TimeProvider"/>, logging and configuration.</param>
    /// <exception cref="SettingException">A setting is wrong; the message is one sentence that names it.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder([Unwatched, .. args]);
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = Defaults });
        if (builder.Configuration.AddSecretFiles() is { } problem)
            throw new SettingException(problem);
        configure?.Invoke(builder);

        var options = SandboxOptions.Read(builder.Configuration);
        if (!IsListeningAddressGiven(builder.Configuration))
            builder.WebHost.UseUrls(DefaultUrl);

        builder.Services.AddSingleton(options);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<AssetStore>();
        builder.Services.AddSingleton<Journal>();
        builder.Services.AddSingleton<RateLimit>();
        builder.Services.AddSingleton<Webhooks>();
        builder.Services.AddSingleton<Generations>();
        builder.Services.AddSingleton<Faults>();
        builder.Services.AddSingleton<Ffmpeg>();
        builder.Services.AddSingleton<MediaFacts>();
        builder.Services.AddHostedService(services => services.GetRequiredService<MediaFacts>());
        builder.Services.AddSingleton<SignedUploads>();
        builder.Services.AddSingleton<CallbackSender>();
        builder.Services.AddSingleton<TaskRunner>();
        builder.Services.AddHostedService(services => services.GetRequiredService<TaskRunner>());
        builder.Services.AddSingleton<ApiGate>();
        // A download nobody reads must not hold the process on its way out.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));

        var app = builder.Build();
        app.Use(app.Services.GetRequiredService<ApiGate>().StampArrival);
        app.UseRouting();
        app.MapUploads();
        app.MapAssets();
        app.MapSubmissions();
        app.MapControl();
        app.MapGet("/health/live", () => "live");
        return app;
    }

    /// <summary>Runs until SIGTERM or Ctrl-C. A wrong setting or a taken port ends it with exit code 1 and one sentence on stderr.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var app = Build(args);
            await app.RunAsync();
            return 0;
        }
        catch (SettingException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
        }
        catch (Exception e) when (e is IOException or FormatException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync(
                $"ASPNETCORE_URLS (--urls): {e.Message.TrimEnd('.')}; expected free addresses such as {DefaultUrl}; stop the other program or choose another.");
        }

        return 1;
    }

    static bool IsListeningAddressGiven(ConfigurationManager configuration) =>
        !string.IsNullOrEmpty(configuration["urls"])
        || !string.IsNullOrEmpty(configuration["http_ports"])
        || configuration.GetSection("Kestrel:Endpoints").Exists();

    static readonly Dictionary<string, string?> Defaults = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        // A start that fails is told in one sentence by RunAsync, not in a stack trace.
        ["Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host"] = "None",
    };
}
