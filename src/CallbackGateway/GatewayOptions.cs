using System.Globalization;

namespace Mavi.CallbackGateway;

/// <summary>The section <c>Gateway</c>; read and checked once, at start.</summary>
public sealed class GatewayOptions
{
    /// <summary>The secrets that end a callback address: at least one, several while they are rotated; each 16 to 256 letters, digits, <c>-</c>, <c>.</c>, <c>_</c> or <c>~</c>.</summary>
    public required IReadOnlyList<string> Secrets { get; init; }

    /// <summary>How long a callback waits for the broker's confirm before it goes to the spool; 100 ms to 60 s, 2 s unless set.</summary>
    public TimeSpan PublishTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The largest body taken, in bytes; 1 KiB to 1 GiB, 16 MiB unless set.</summary>
    public int MaxBodyBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How long a body may take from its first to its last byte; 1 s to 10 min, 30 s unless set.</summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where callbacks wait while the broker is away: a directory of this gateway alone; <c>spool</c> in the working directory unless set.</summary>
    public string SpoolDirectory { get; init; } = "spool";

    /// <summary>Reads the section from <paramref name="configuration"/>.</summary>
    /// <exception cref="GatewaySettingsException">A setting is missing or wrong.</exception>
    public static GatewayOptions From(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection("Gateway");
        var defaults = new GatewayOptions { Secrets = [] };
        return new GatewayOptions
        {
            Secrets = ReadSecrets(section.GetSection(nameof(Secrets))),
            PublishTimeout = ReadTime(section, nameof(PublishTimeout), defaults.PublishTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(60)),
            MaxBodyBytes = ReadBytes(section, nameof(MaxBodyBytes), defaults.MaxBodyBytes, 1024, 1024 * 1024 * 1024),
            BodyTimeout = ReadTime(section, nameof(BodyTimeout), defaults.BodyTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            SpoolDirectory = section[nameof(SpoolDirectory)] is { Length: > 0 } directory ? directory : defaults.SpoolDirectory,
        };
    }

    const string ExpectedSecret = "16 to 256 letters, digits, '-', '.', '_' or '~': set it to a random one and end the callback address with it.";

    static string[] ReadSecrets(IConfigurationSection section)
    {
        var secrets = section.GetChildren().ToArray();
        if (secrets.Length == 0)
            throw new GatewaySettingsException(
                $"Gateway:Secrets is empty, expected at least one secret, Gateway__Secrets__0, of {ExpectedSecret}");

        // A place that is kept for the next secret stays empty while none is coming.
        var given = Array.FindAll(secrets, secret => !string.IsNullOrEmpty(secret.Value));
        return Array.ConvertAll(given.Length > 0 ? given : secrets, secret => secret.Value is { Length: >= 16 and <= 256 } value && value.All(IsUrlSafe)
            ? value
            : throw new GatewaySettingsException(
                $"{secret.Path} has {secret.Value?.Length ?? 0} characters{(secret.Value?.All(IsUrlSafe) is false ? ", some of them not URL-safe" : "")}, expected {ExpectedSecret}"));
    }

    static bool IsUrlSafe(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_' or '~';

    static TimeSpan ReadTime(IConfigurationSection section, string name, TimeSpan unlessSet, TimeSpan least, TimeSpan most)
    {
        if (section[name] is not { Length: > 0 } text)
            return unlessSet;
        if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var time) && time >= least && time <= most)
            return time;

        throw new GatewaySettingsException($"Gateway:{name} is \"{text}\", expected a time from {least:c} to {most:c}: write it as hours:minutes:seconds, such as {unlessSet:c}.");
    }

    static int ReadBytes(IConfigurationSection section, string name, int unlessSet, int least, int most)
    {
        if (section[name] is not { Length: > 0 } text)
            return unlessSet;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes >= least && bytes <= most)
            return bytes;

        throw new GatewaySettingsException($"Gateway:{name} is \"{text}\", expected a number of bytes from {least} to {most}: write it in digits only, such as {unlessSet}.");
    }
}
