using Mavi.CallbackGateway.Publishing;
using Mavi.CallbackGateway.Spooling;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mavi.CallbackGateway;

/// <summary>The gateway within a host of any kind.</summary>
public static class GatewayServices
{
    /// <summary>Everything but the bus: the host brings one of MassTransit's. The container then makes <c>IBus</c> out of it.</summary>
    /// <exception cref="GatewaySettingsException">A setting of the section <c>Gateway</c> is missing or wrong.</exception>
    public static IServiceCollection AddCallbackGateway(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(GatewayOptions.From(configuration));
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<CallbackSecrets>();
        services.AddSingleton<BrokerState>();
        services.AddSingleton<EventPublisher>();
        services.AddSingleton<Spool>();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<CallbackIntake>();
        services.AddSingleton<CallbackEndpoint>();
        services.AddSingleton<GatewayHealth>();
        services.AddHostedService<SpoolDrain>();
        services.KeepPathsOutOfLogs();
        return services;
    }

    /// <summary>The gateway's three routes.</summary>
    public static IEndpointRouteBuilder MapCallbackGateway(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/callbacks/mavi/{secret}", (string secret, HttpContext http, CallbackEndpoint endpoint) => endpoint.HandleAsync(http, secret));
        routes.MapGet("/health/live", () => GatewayHealth.Live());
        routes.MapGet("/health/ready", (GatewayHealth health) => health.Ready());
        return routes;
    }
}
