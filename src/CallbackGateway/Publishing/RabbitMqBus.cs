using System.Text.Encodings.Web;
using MassTransit;

namespace Mavi.CallbackGateway.Publishing;

/// <summary>The bus of a gateway that is a process of its own. It only publishes: no queue, no consumer.</summary>
static class RabbitMqBus
{
    const string Setting = "ConnectionStrings:RabbitMq";
    const string Default = "amqp://guest:guest@localhost:5672";

    public static IServiceCollection AddRabbitMqBus(this IServiceCollection services, IConfiguration configuration)
    {
        var address = Read(configuration.GetConnectionString("RabbitMq") is { Length: > 0 } given ? given : Default);
        services.AddSingleton(address);
        services.AddHostedService<BrokerWatch>();
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.UsingRabbitMq((_, rabbit) =>
            {
                rabbit.Host(address.Host, address.Port, address.VirtualHost, host =>
                {
                    host.Username(address.User);
                    host.Password(address.Password);
                    if (address.UseTls)
                        host.UseSsl(tls => tls.ServerName = address.Host);
                });
                rabbit.ConfigureJsonSerializerOptions(json =>
                {
                    json.WriteIndented = false;
                    // A raw body is JSON within JSON: the default encoder would write each of its quotes in six bytes.
                    json.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
                    return json;
                });
            });
        });
        return services;
    }

    static BrokerAddress Read(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("amqp" or "amqps")
            || uri.Host.Length == 0
            || uri.Segments.Length > 2)
            throw new GatewaySettingsException(
                $"{Setting} is not the address of a broker ({text.Length} characters, not shown because it may hold a password), expected amqp://user:password@host:port/vhost or amqps://…: correct it.");

        var user = uri.UserInfo.Split(':', 2);
        var virtualHost = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        return new BrokerAddress
        {
            Host = uri.IdnHost,
            Port = (ushort)(uri.Port > 0 ? uri.Port : uri.Scheme == "amqps" ? 5671 : 5672),
            VirtualHost = virtualHost.Length > 0 ? virtualHost : "/",
            User = uri.UserInfo.Length > 0 ? Uri.UnescapeDataString(user[0]) : "guest",
            Password = uri.UserInfo.Length > 0 ? Uri.UnescapeDataString(user.ElementAtOrDefault(1) ?? "") : "guest",
            UseTls = uri.Scheme == "amqps",
        };
    }
}

/// <summary>The broker, taken apart from <c>ConnectionStrings:RabbitMq</c>. A class, so that no generated text shows the password.</summary>
sealed class BrokerAddress
{
    public required string Host { get; init; }

    public required ushort Port { get; init; }

    public required string VirtualHost { get; init; }

    public required string User { get; init; }

    public required string Password { get; init; }

    public required bool UseTls { get; init; }

    public override string ToString() => $"{Host}:{Port}";
}
