using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mavi.Client;

/// <summary>The account's key: put on a request, and kept out of every text. The only place that knows it.</summary>
sealed class ApiKey
{
    const string Header = "Authorization";
    const string Mask = "***";
    const int MaxLength = 4096;

    readonly string key;
    readonly string[] forms;

    public ApiKey(MaviOptions options)
    {
        if (Problem(options) is { } problem)
            throw new ArgumentException(problem, nameof(options));

        key = options.ReadKey();
        // As it stands, and as an answer that quotes the request would write it.
        forms = [.. new[]
        {
            key,
            JsonEncodedText.Encode(key).Value,
            JsonEncodedText.Encode(key, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
            Uri.EscapeDataString(key),
        }.Distinct()];
    }

    /// <summary>One sentence that says what is wrong with the key's settings, or null. Never shows the key.</summary>
    public static string? Problem(MaviOptions options)
    {
        const string Expected = "expected exactly one of Mavi:ApiKey (the key) and Mavi:ApiKeyFile (the path of a file that holds it)";
        var (inline, file) = (!string.IsNullOrEmpty(options.ApiKey), !string.IsNullOrEmpty(options.ApiKeyFile));
        if (inline && file)
            return $"Mavi:ApiKey and Mavi:ApiKeyFile are both set; {Expected}: remove one of them.";
        if (!inline && !file)
            return $"Mavi:ApiKey is missing; {Expected}: set one of them.";

        var setting = inline ? "Mavi:ApiKey" : $"Mavi:ApiKeyFile (\"{options.ApiKeyFile}\")";
        string key;
        try
        {
            key = options.ReadKey();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return $"{setting} cannot be read ({error.Message.TrimEnd('.')}); expected a readable file that holds the key: " +
                "correct the path or its permissions.";
        }

        if (key.Length is > 0 and <= MaxLength && key.All(c => c is > ' ' and <= '~'))
            return null;

        var received = key.Length == 0
            ? "is empty"
            : $"holds {key.Length} characters, some of them white space or outside printable ASCII, or more than {MaxLength} (not shown)";
        return $"{setting} {received}; expected the raw key without \"Bearer\": set it as Mavi's console shows it.";
    }

    /// <summary>Puts the key on a request for as long as the result lives: afterwards the request can be printed by anyone.</summary>
    public IDisposable On(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation(Header, key);
        return new Placed(request);
    }

    /// <summary><paramref name="text"/> without the key, also where it ends in the middle of one.</summary>
    public string Redact(string text)
    {
        foreach (var form in forms)
            text = text.Replace(form, Mask, StringComparison.Ordinal);

        for (var length = key.Length - 1; length >= 6; length--)
        {
            if (text.AsSpan().EndsWith(key.AsSpan(0, length), StringComparison.Ordinal))
                return string.Concat(text.AsSpan(0, text.Length - length), Mask);
        }

        return text;
    }

    public override string ToString() => Mask;

    sealed class Placed(HttpRequestMessage request) : IDisposable
    {
        public void Dispose() => request.Headers.Remove(Header);
    }
}
