using Microsoft.Extensions.Options;

namespace Mavi.Client;

/// <summary>Section <c>Mavi</c>: where the API is, whose account, how fast. Validated at start; see <see cref="MaviServices.AddMaviClient"/>.</summary>
public sealed class MaviOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Mavi";

    /// <summary>The API's base URL, absolute, <c>http</c> or <c>https</c>, without user name, query or fragment. Default: the public one.</summary>
    public string BaseUrl { get; set; } = "https://mavi-backend.memories.ai/serve/api/v2";

    /// <summary>The account's key as the console shows it, without <c>Bearer</c>. Exactly one of this and <see cref="ApiKeyFile"/>; never logged.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Path of a file that holds the key and nothing else (a mounted secret); read at start, white space around it is dropped.</summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>The key, from wherever it stands; read anew each time.</summary>
    /// <exception cref="IOException">The file cannot be read; see also what <see cref="File.ReadAllText(string)"/> throws.</exception>
    public string ReadKey() => (string.IsNullOrEmpty(ApiKey) ? File.ReadAllText(ApiKeyFile!) : ApiKey).Trim();

    /// <summary>The account's limit per operation, in requests a second: above 0, up to 1000. Default 1, what the vendor page "Rate Limits" grants.</summary>
    /// <remarks>Kept by whoever submits for the whole account, not by the client: one process cannot know what the others send.</remarks>
    public double RequestsPerSecond { get; set; } = 1;

    /// <summary>How long one call may take; for uploads and downloads, how long nothing may move. 1 second to 10 minutes. Default 30 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}

sealed class MaviOptionsValidator : IValidateOptions<MaviOptions>
{
    public ValidateOptionsResult Validate(string? name, MaviOptions options)
    {
        string?[] problems = [OfBaseUrl(options.BaseUrl), ApiKey.Problem(options), OfRate(options.RequestsPerSecond), OfTimeout(options.Timeout)];
        var found = problems.OfType<string>().ToArray();
        return found.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(found);
    }

    static string? OfBaseUrl(string? received)
    {
        if (Uri.TryCreate(received, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is { UserInfo: "", Query: "", Fragment: "" })
            return null;

        var shown = received?.IndexOfAny(['@', '?']) >= 0 ? "one with a user name or a query (not shown)" : $"\"{received}\"";
        return $"Mavi:BaseUrl is {shown}; expected an absolute http or https address without user name, query or fragment: " +
            $"set it to one such as {new MaviOptions().BaseUrl}.";
    }

    static string? OfRate(double received) => received is > 0 and <= 1000
        ? null
        : FormattableString.Invariant($"Mavi:RequestsPerSecond is {received}; expected a number above 0 and at most 1000: ") +
            "set it to the account's limit, 1 unless Mavi granted more.";

    static string? OfTimeout(TimeSpan received) => received >= TimeSpan.FromSeconds(1) && received <= TimeSpan.FromMinutes(10)
        ? null
        : $"Mavi:Timeout is {received:c}; expected a time from 00:00:01 to 00:10:00: " +
            "set it as hours:minutes:seconds, such as 00:00:30 (a bare number means days).";
}
