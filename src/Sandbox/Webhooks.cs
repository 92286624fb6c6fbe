using System.Collections.Immutable;

namespace Mavi.Sandbox;

/// <summary>The webhooks of the account; at the vendor they are set in the console.</summary>
sealed class Webhooks(SandboxOptions options)
{
    ImmutableArray<Uri> urls = [.. options.WebhookUrls];

    public ImmutableArray<Uri> Urls
    {
        get => urls;
        set => ImmutableInterlocked.InterlockedExchange(ref urls, value);
    }

    /// <summary>The address without the last part of its path: the unsigned webhooks of Mavi carry their secret there.</summary>
    public static string Mask(string url)
    {
        var afterScheme = url.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? scheme + 3 : 0;
        var slash = url.LastIndexOf('/');
        return slash < afterScheme || slash == url.Length - 1 && url.IndexOf('/', afterScheme) == slash ? WithoutQuery(url) : url[..(slash + 1)] + "…";
    }

    static string WithoutQuery(string url) => url.IndexOf('?') is >= 0 and var query ? url[..(query + 1)] + "…" : url;
}
