using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

/// <summary>The gateway as what it is in production: a process of its own.</summary>
static class GatewayProcess
{
    /// <summary>Starts on a free port with a good secret and no broker to be reached, apart from what <paramref name="settings"/> say.</summary>
    public static ServiceProcess Start(params (string Name, string Value)[] settings) => ServiceProcess.Start(
        ServiceProcess.Gateway,
        [("Gateway__Secrets__0", GatewayHost.Secret), ("ConnectionStrings__RabbitMq", $"amqp://guest:guest@127.0.0.1:{FreePorts.Next()}"), .. settings]);

    public static ServiceProcess StartWithoutSecret() => ServiceProcess.Start(ServiceProcess.Gateway);
}
