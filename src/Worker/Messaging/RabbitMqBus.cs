using MassTransit;
using Mavi.Worker.Operating;
using Microsoft.Extensions.Options;

namespace Mavi.Worker.Messaging;

/// <summary>The bus on RabbitMQ.</summary>
public static class RabbitMqBus
{
    const string Setting = "ConnectionStrings:RabbitMq";
    const string Default = "amqp://guest:guest@localhost:5672";

    /// <summary>Adds the Worker's endpoints on RabbitMQ. The bus starts in the background, and again after every loss of the broker.</summary>
    public static IServiceCollection AddRabbitMqBus(this IServiceCollection services, IConfiguration configuration)
    {
        var address = Address(configuration[Setting] ?? Default);
        services.AddSingleton(new BrokerAddress(address));
        services.AddSingleton<Doctor>().AddHostedService(static provider => provider.GetRequiredService<Doctor>());
        services.AddHostedService<EndpointRevival>();
        return services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddMaviWorkerEndpoints();
            bus.AddReceiveEndpointObserver<BrokerWatch>();
            bus.UsingRabbitMq((context, rabbit) =>
            {
                rabbit.Host(address);
                rabbit.UseWorkerDefaults();
                rabbit.SendTopology.ConfigureErrorSettings = Queues.KeepErrors;
                rabbit.ConfigureEndpoints(context);
            });
        });
    }

    /// <summary>What the bus does whatever the transport.</summary>
    public static void UseWorkerDefaults(this IBusFactoryConfigurator bus) => bus.ConfigureJsonSerializerOptions(options =>
    {
        options.WriteIndented = false;
        return options;
    });

    static Uri Address(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "amqp" or "amqps" && address.Host.Length > 0
            ? address
            : throw new OptionsValidationException(Setting, typeof(Uri),
                [$"{Setting} is not an AMQP address; expected amqp://user:password@host:5672/vhost (its value is not shown, it may hold a password): set ConnectionStrings__RabbitMq."]);
}

/// <summary>The broker's address; holds a password, and is never logged.</summary>
public sealed record BrokerAddress(Uri Uri)
{
    /// <inheritdoc />
    public override string ToString() => $"{Uri.Host}:{Uri.Port}";
}
