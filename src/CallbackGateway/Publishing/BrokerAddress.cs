namespace Mavi.CallbackGateway.Publishing;

/// <summary>The broker, taken apart from <c>ConnectionStrings:RabbitMq</c>. A class, so that no generated text shows the password.</summary>
sealed class BrokerAddress
{
    const string Setting = "ConnectionStrings:RabbitMq";
    const string Default = "amqp://guest:guest@localhost:5672";

    public required string Host { get; init; }

    public required ushort Port { get; init; }

    public required string VirtualHost { get; init; }

    public required string User { get; init; }

    public required string Password { get; init; }

    public required bool UseTls { get; init; }

    public override string ToString() => $"{Host}:{Port}";

    /// <exception cref="GatewaySettingsException">The setting is no address of a broker.</exception>
    public static BrokerAddress From(IConfiguration configuration)
    {
        var text = configuration.GetConnectionString("RabbitMq") is { Length: > 0 } given ? given : Default;
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
