namespace Mavi.Client;

/// <summary>One call: what is asked, and what is expected back (in words, for the error text).</summary>
sealed record Call(HttpMethod Method, string Path, string Expected, OnceContent? Body = null)
{
    /// <summary>It costs money: where it is cancelled after it left, that is <see cref="MaviFailure.Unknown"/>, not a cancellation.</summary>
    public bool Billed { get; init; }

    /// <summary>Not Mavi but a file store, to which the key must not go; null for Mavi.</summary>
    public Uri? Storage { get; init; }

    public override string ToString() => $"{Method} {Path}";
}
