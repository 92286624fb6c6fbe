using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Mavi.Client;

/// <summary>Registers the client.</summary>
public static class MaviServices
{
    /// <summary>Adds <see cref="MaviClient"/> as a singleton, with <see cref="MaviOptions"/> from section <c>Mavi</c>: wrong ones stop the host.</summary>
    public static IServiceCollection AddMaviClient(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection(MaviOptions.Section);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IValidateOptions<MaviOptions>, MaviOptionsValidator>();
        services.AddOptions<MaviOptions>().Configure(options => Bind(section, options)).ValidateOnStart();
        services.AddSingleton(provider => new MaviClient(
            NewHttpClient(), provider.GetRequiredService<IOptions<MaviOptions>>().Value, provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    /// <summary>The one kind of HTTP client that sends a POST once: no redirects, no cookies, no proxy, no time limit of its own, HTTP/1.1.</summary>
    public static HttpClient NewHttpClient()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // A proxy from the environment could see the key, answer in Mavi's place or send a request again.
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // Shorter than any server keeps an idle connection: a POST on one that the server is just closing would be an uncertain submission.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2),
            // Trace ids and baggage of this installation are none of the vendor's business.
            ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
        };
        return new(handler)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            DefaultRequestHeaders = { { "User-Agent", "mavi-worker" } },
        };
    }

    static void Bind(IConfigurationSection section, MaviOptions options)
    {
        try
        {
            section.Bind(options);
        }
        catch (InvalidOperationException unreadable)
        {
            // The binder's sentence names the setting and what was received.
            throw new OptionsValidationException(Options.DefaultName, typeof(MaviOptions), [
                $"{unreadable.Message.TrimEnd('.')}; expected a number for Mavi:RequestsPerSecond and hours:minutes:seconds for Mavi:Timeout: " +
                "correct the setting.",
            ]);
        }
    }
}
