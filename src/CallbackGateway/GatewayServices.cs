using Mavi.CallbackGateway.Publishing;
using Mavi.CallbackGateway.Spooling;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Mavi.CallbackGateway;

/// <summary>The gateway within a host of any kind.</summary>
public static class GatewayServices
{
    /// <summary>Everything; events go to the bus of MassTransit's that the host brings, unless a channel of their own is registered before.</summary>
    /// <exception cref="GatewaySettingsException">A setting of the section <c>Gateway</c> is missing or wrong.</exception>
    public static IServiceCollection AddCallbackGateway(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(GatewayOptions.From(configuration));
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<CallbackSecrets>();
        services.AddSingleton<BrokerState>();
        services.TryAddSingleton<IEventChannel, BusChannel>();
        services.AddSingleton<EventPublisher>();
        services.AddSingleton<Spool>();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<CallbackIntake>();
        services.AddSingleton<CallbackEndpoint>();
        services.AddSingleton<GatewayHealth>();
        services.AddSingleton<SpoolDelivery>();
        services.AddHostedService<SpoolDrain>();
        services.KeepPathsOutOfLogs();
        return services;
    }

    /// <summary>A connection to RabbitMQ as the channel of the events.</summary>
    /// <exception cref="GatewaySettingsException"><c>ConnectionStrings:RabbitMq</c> is no address of a broker.</exception>
    public static IServiceCollection AddBrokerConnection(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(BrokerAddress.From(configuration));
        services.AddSingleton<BrokerConnection>();
        services.AddSingleton<IEventChannel>(static provider => provider.GetRequiredService<BrokerConnection>());
        services.AddHostedService(static provider => provider.GetRequiredService<BrokerConnection>());
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
