namespace Mavi.Sandbox;

/// <summary>The API's operations, by the names that settings, journal and fault document use; each has a rate limit of its own.</summary>
static class Operation
{
    public const string Split = "split";
    public const string ExtractFrames = "extract-frames";
    public const string Upload = "upload";
    public const string SignedUrl = "signed-url";
    public const string Metadata = "metadata";
    public const string Download = "download";
    public const string Delete = "delete";

    /// <summary>The file sent to a signed URL: another host at the vendor, neither keyed nor limited.</summary>
    public const string Storage = "storage";

    public static readonly string[] All = [Split, ExtractFrames, Upload, SignedUrl, Metadata, Download, Delete, Storage];

    /// <summary>True for the operations that cost money and answer by callback.</summary>
    public static bool IsSubmission(string operation) => operation is Split or ExtractFrames;
}
