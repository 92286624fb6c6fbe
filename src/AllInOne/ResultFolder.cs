namespace Mavi.AllInOne;

/// <summary>The folder of one video's results. What an earlier run left there is replaced; what an unfinished run made is removed.</summary>
sealed class ResultFolder : IDisposable
{
    readonly string root;
    bool isKept;

    /// <param name="output">Made where missing.</param>
    /// <param name="videoName">Names the folder below it.</param>
    public ResultFolder(string output, string videoName)
    {
        var name = Path.GetFileNameWithoutExtension(videoName).Trim(' ', '.');
        root = Path.GetFullPath(Path.Combine(output, name.Length == 0 ? "video" : name));
        try
        {
            Clear();
            Directory.CreateDirectory(Segments);
            Directory.CreateDirectory(Frames);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemoException($"\"{root}\" cannot be written ({e.Message.TrimEnd('.')}); expected a folder for the results: make it writable.");
        }
    }

    public string Segments => Path.Combine(root, "segments");

    public string Frames => Path.Combine(root, "frames");

    public string ContactSheet => Path.Combine(root, "contact-sheet.html");

    /// <summary>The run is through: the results stay.</summary>
    public void Keep() => isKept = true;

    public void Dispose()
    {
        if (isKept)
            return;
        Clear();
        if (Directory.Exists(root) && !Directory.EnumerateFileSystemEntries(root).Any())
            Directory.Delete(root);
    }

    // Only what the demo makes: the folder may hold files of somebody else.
    void Clear()
    {
        if (!Directory.Exists(root))
            return;
        foreach (var folder in new[] { Segments, Frames }.Where(Directory.Exists))
            Directory.Delete(folder, recursive: true);
        File.Delete(ContactSheet);
    }
}
