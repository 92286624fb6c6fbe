using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Mavi.Sandbox;

/// <summary>Generation of the vendor's documentation whose codes are answered.</summary>
public enum Generation
{
    /// <summary>January 2026: the success code is the string <c>"0000"</c>.</summary>
    A,

    /// <summary>July 2026: the success code is the integer <c>200</c>.</summary>
    C,
}

/// <summary>Settings of the section <c>Sandbox</c> (environment form <c>Sandbox__SegmentSeconds</c>), checked once at start.</summary>
public sealed class SandboxOptions
{
    const string Section = "Sandbox";

    /// <summary>Where callbacks go: absolute http or https addresses. Default none, and then split and extract-frames are refused.</summary>
    public IReadOnlyList<Uri> WebhookUrls { get; private set; } = [];

    /// <summary>The key expected, raw, in <c>Authorization</c>. Default <c>sk-mavi-sandbox</c>.</summary>
    public string ApiKey { get; private set; } = "sk-mavi-sandbox";

    /// <summary>Folder of the uploaded and the made files; they survive a restart. Created where missing; one Sandbox at a time. Default <c>sandbox-data</c>.</summary>
    public string DataDirectory { get; private set; } = "sandbox-data";

    /// <summary>Length of a segment in seconds, 0.1 to 86400; a cut waits for the next keyframe. Default 10. Our choice: the vendor states none.</summary>
    [Range(0.1, 86400)]
    public double SegmentSeconds { get; private set; } = 10;

    /// <summary>Seconds from one frame to the next, 0.01 to 86400; the first is the video's first. Default 1. Our choice: the vendor states none.</summary>
    [Range(0.01, 86400)]
    public double FrameIntervalSeconds { get; private set; } = 1;

    /// <summary>Requests per second of each operation, 0 to 1000000; 0 is no limit. Default 1, as in "Rate Limits".</summary>
    [Range(0, 1_000_000)]
    public double RequestsPerSecond { get; private set; } = 1;

    /// <summary>Whose codes to answer, <c>A</c> or <c>C</c>. Default <c>C</c>.</summary>
    public Generation Generation { get; private set; } = Generation.C;

    /// <summary>Further attempts for a callback that was not answered 2xx, 0 to 100. Default 5. Our choice: the vendor states none.</summary>
    [Range(0, 100)]
    public int WebhookRetries { get; private set; } = 5;

    /// <summary>Seconds before the first further attempt, 0 to 3600, doubled for each later one. Default 1. Our choice.</summary>
    [Range(0, 3600)]
    public double WebhookRetryDelaySeconds { get; private set; } = 1;

    /// <summary>Seconds a webhook has for its answer, 0.1 to 3600. Default 10. Our choice.</summary>
    [Range(0.1, 3600)]
    public double WebhookTimeoutSeconds { get; private set; } = 10;

    /// <summary>Least time in seconds from acceptance to callback, 0 to 86400. Default 0: as soon as the work is done.</summary>
    [Range(0, 86400)]
    public double CallbackDelaySeconds { get; private set; }

    /// <summary>Tasks that work at the same time, 1 to 256. Default: the number of processors.</summary>
    [Range(1, 256)]
    public int ParallelTasks { get; private set; } = Environment.ProcessorCount;

    /// <summary>True: no ffmpeg is run and every task gives three small made-up assets, for load tests. Default false.</summary>
    public bool FakeMedia { get; private set; }

    /// <summary>The program ffmpeg: a name on the PATH or a path. Default <c>ffmpeg</c>.</summary>
    public string FfmpegPath { get; private set; } = "ffmpeg";

    /// <summary>The program ffprobe: a name on the PATH or a path. Default <c>ffprobe</c>.</summary>
    public string FfprobePath { get; private set; } = "ffprobe";

    internal static SandboxOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        var options = new SandboxOptions();
        var settings = typeof(SandboxOptions).GetProperties();
        foreach (var given in section.GetChildren())
        {
            if (settings.FirstOrDefault(known => known.Name.Equals(given.Key, StringComparison.OrdinalIgnoreCase)) is not { } setting)
            {
                var names = string.Join(", ", settings.Select(known => known.Name));
                throw new SettingException($"{given.Path} is no setting; expected one of {names}; correct or remove it.");
            }

            setting.SetValue(options, setting.Name == nameof(WebhookUrls) ? ParseWebhooks(given) : Parse(setting, given.Value, setting.GetValue(options)!));
        }

        if (options.ApiKey.Any(c => c is <= ' ' or > '~'))
            throw new SettingException($"{Section}:{nameof(ApiKey)} contains a character no header can carry; expected printable ASCII without blanks; choose another key.");
        if (!options.FakeMedia)
        {
            RequireProgram(nameof(FfmpegPath), options.FfmpegPath);
            RequireProgram(nameof(FfprobePath), options.FfprobePath);
        }

        return options;
    }

    /// <summary>An address callbacks can be sent to, or a sentence that says why it is none.</summary>
    internal static Uri ParseWebhook(string setting, string? received) =>
        Uri.TryCreate(received, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new SettingException($"{setting} is \"{Webhooks.Mask(received ?? "")}\"; expected an absolute http or https address; correct or remove it.");

    static Uri[] ParseWebhooks(IConfigurationSection list) => list.Value is null
        ? [.. list.GetChildren().Select(child => ParseWebhook(child.Path, child.Value))]
        : throw new SettingException($"{list.Path} is one text; expected a list; write its first address as Sandbox__WebhookUrls__0.");

    static object Parse(PropertyInfo property, string? received, object fallback)
    {
        var range = property.GetCustomAttributes(typeof(RangeAttribute), inherit: false).Cast<RangeAttribute>().SingleOrDefault();
        try
        {
            var value = TypeDescriptor.GetConverter(property.PropertyType).ConvertFromInvariantString(received ?? "");
            var isAllowed = value switch
            {
                string text => text.Trim().Length > 0,
                Enum name => Enum.IsDefined(property.PropertyType, name) && !char.IsAsciiDigit(received![0]),
                _ => range is null || Number(value) >= Number(range.Minimum) && Number(value) <= Number(range.Maximum),
            };
            if (isAllowed)
                return value!;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or NotSupportedException)
        {
            // Told below, in the words of the setting.
        }

        var expected = property.PropertyType switch
        {
            var type when type == typeof(bool) => "true or false",
            var type when type == typeof(string) => "a text that is not empty",
            { IsEnum: true } type => string.Join(" or ", Enum.GetNames(type)),
            var type => string.Create(CultureInfo.InvariantCulture, $"a {(type == typeof(int) ? "whole " : "")}number from {range!.Minimum} to {range.Maximum}"),
        };
        var shown = property.Name == nameof(ApiKey) ? "not usable" : $"\"{received}\"";
        var preset = string.Create(CultureInfo.InvariantCulture, $"{fallback}");
        throw new SettingException($"{Section}:{property.Name} is {shown}; expected {expected}; correct it, or remove it to use {preset}.");
    }

    static double Number(object? value) => Convert.ToDouble(value, CultureInfo.InvariantCulture);

    static void RequireProgram(string setting, string program)
    {
        string[] folders = program.Contains('/') ? [""] : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, program))))
            throw new SettingException(
                $"{Section}:{setting} is \"{program}\", which was not found; expected the ffmpeg programs; install them (Debian, Ubuntu: apt-get install ffmpeg) or name their path.");
    }
}

/// <summary>A setting the Sandbox cannot start with; the message is one sentence for the person who made it.</summary>
public sealed class SettingException(string message) : Exception(message);
