namespace Mavi.CallbackGateway;

/// <summary>A setting that the gateway cannot start with. The message is one sentence that names the setting, and holds no secret.</summary>
public sealed class GatewaySettingsException : Exception
{
    public GatewaySettingsException(string message)
        : base(message)
    {
    }

    public GatewaySettingsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public GatewaySettingsException()
    {
    }
}
