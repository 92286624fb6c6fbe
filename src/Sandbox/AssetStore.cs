using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mavi.Sandbox;

/// <summary>
/// One file of the account: an upload, a segment or a frame. <c>File</c> is its path below the data directory, null where the content is made up
/// from the id; <c>Seconds</c> its duration where it is known, for the cost; <c>Container</c> its segments' container once it was looked into; the times are
/// epoch milliseconds.
/// </summary>
sealed record Asset(
    string Id, string OriginalFilename, string Extension, long FileSize, string UploadStatus, long CreateTime, long ModifyTime, string? File,
    double? Seconds = null, Container? Container = null);

/// <summary>
/// The frames of one task. They are not held one by one: a collection may have tens of thousands. <c>Folder</c> is its path below the data
/// directory, null where the content is made up from the ids.
/// </summary>
sealed record FrameCollection(string Id, int Count, long CreateTime, string? Folder, ImmutableHashSet<int> Deleted)
{
    public const string FrameExtension = "jpg";

    public IEnumerable<string> FrameIds => Enumerable.Range(0, Count).Where(index => !Deleted.Contains(index)).Select(FrameId);

    public string FrameId(int index) => string.Create(CultureInfo.InvariantCulture, $"imc_{Id.AsSpan(3)}_{index}");

    public static string FrameFileName(int index) => string.Create(CultureInfo.InvariantCulture, $"frame_{index:D6}");
}

/// <summary>
/// All assets. Files lie in <c>assets</c> below the data directory; the facts about them are held in memory and appended to <c>index.jsonl</c>,
/// from which the next start reads them.
/// </summary>
sealed class AssetStore : IDisposable
{
    readonly ConcurrentDictionary<string, Asset> assets = new();
    readonly ConcurrentDictionary<string, FrameCollection> collections = new();
    readonly Snowflake snowflake = new();
    readonly string root;
    readonly Lock indexGate = new();
    readonly StreamWriter index;

    public AssetStore(SandboxOptions options)
    {
        root = Path.GetFullPath(options.DataDirectory);
        try
        {
            Directory.CreateDirectory(Path.Combine(root, "assets"));
            if (Directory.Exists(WorkFolder))
                Directory.Delete(WorkFolder, recursive: true);
            Directory.CreateDirectory(WorkFolder);
            var file = new FileStream(Path.Combine(root, "index.jsonl"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            Load(file);
            index = new StreamWriter(file) { AutoFlush = true };
            // Ends the line a killed Sandbox may have left half written.
            index.WriteLine();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException(
                $"Sandbox:DataDirectory is \"{options.DataDirectory}\", which cannot be used ({e.Message.TrimEnd('.')}); "
                + "expected a writable folder that no other Sandbox uses; choose another.");
        }
    }

    string WorkFolder => Path.Combine(root, "work");

    public Asset? Find(string id) => assets.TryGetValue(id, out var asset) ? asset : FindFrame(id);

    public FrameCollection? FindCollection(string id) => collections.GetValueOrDefault(id);

    /// <summary>The frames that are left, as assets like any other, in order.</summary>
    public IReadOnlyList<Asset> Frames(FrameCollection collection) =>
        [.. Enumerable.Range(0, collection.Count).Where(number => !collection.Deleted.Contains(number)).Select(number => Frame(collection, number))];

    /// <summary>A new id, and its creation time in epoch milliseconds.</summary>
    public (string Id, long CreatedAt) NewId(string prefix, TimeProvider time)
    {
        var (id, createdAt) = snowflake.Next(time.GetUtcNow());
        return (string.Create(CultureInfo.InvariantCulture, $"{prefix}{id}"), createdAt);
    }

    /// <summary>Adds the asset, or puts it in the place of the one with its id.</summary>
    public Asset Put(Asset asset)
    {
        assets[asset.Id] = asset;
        Append(new IndexLine(Asset: asset));
        return asset;
    }

    /// <summary>Adds the assets of one task, their lines in one append.</summary>
    public IReadOnlyList<Asset> Put(IReadOnlyList<Asset> added)
    {
        foreach (var asset in added)
            assets[asset.Id] = asset;
        Append([.. added.Select(asset => new IndexLine(Asset: asset))]);
        return added;
    }

    public FrameCollection Put(FrameCollection collection)
    {
        collections[collection.Id] = collection;
        Append(new IndexLine(Collection: collection));
        return collection;
    }

    /// <summary>Keeps what an asset was found to be, unless it was deleted meanwhile.</summary>
    public void Note(string id, Media media)
    {
        // Held over both, so that the line of a deletion comes after this one.
        lock (indexGate)
        {
            if (assets.TryGetValue(id, out var asset)
                && asset with { Seconds = media.Seconds, Container = media.Container } is var noted && assets.TryUpdate(id, noted, asset))
                Append(new IndexLine(Asset: noted));
        }
    }

    /// <summary>Registers an asset whose content is made up from its id.</summary>
    public Asset PutMadeUp(string originalFilename, string extension, string uploadStatus, double? seconds, TimeProvider time)
    {
        var (id, createdAt) = NewId("re_", time);
        return Put(new Asset(id, originalFilename, extension, MadeUpContent(id).Length, uploadStatus, createdAt, createdAt, File: null, seconds));
    }

    /// <summary>Removes an asset, a frame, or a collection with its frames; false where there is none.</summary>
    public bool Delete(string id)
    {
        if (assets.TryRemove(id, out var asset))
        {
            if (asset.File is not null)
                File.Delete(PathOf(asset.File));
        }
        else if (collections.TryRemove(id, out var collection))
        {
            if (collection.Folder is not null && Directory.Exists(PathOf(collection.Folder)))
                Directory.Delete(PathOf(collection.Folder), recursive: true);
        }
        else if (!DeleteFrame(id))
        {
            return false;
        }

        Append(new IndexLine(Deleted: id));
        return true;
    }

    /// <summary>Opens the content of an asset or a frame.</summary>
    /// <exception cref="IOException">The file was deleted meanwhile.</exception>
    public Stream Open(Asset asset) => asset.File is null
        ? new MemoryStream(MadeUpContent(asset.Id))
        : new FileStream(PathOf(asset.File), new FileStreamOptions
        {
            Access = FileAccess.Read,
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = 128 * 1024,
            Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
        });

    public string PathOf(string file) => Path.Combine(root, file);

    /// <summary>Where the file of a new asset goes, below the data directory. Only letters and digits of the extension are used.</summary>
    public static string NewFile(string id, string extension)
    {
        var suffix = string.Concat(extension.Where(char.IsAsciiLetterOrDigit).Take(16));
        return Path.Combine("assets", suffix.Length == 0 ? id : $"{id}.{suffix}");
    }

    /// <summary>A folder for the files of one task until they are assets; emptied at every start.</summary>
    public string NewWorkFolder(string taskId) => Directory.CreateDirectory(Path.Combine(WorkFolder, taskId)).FullName;

    public void Dispose() => index.Dispose();

    static byte[] MadeUpContent(string id) => Encoding.ASCII.GetBytes($"made up by the Sandbox: {id}\n");

    Asset? FindFrame(string id) =>
        SplitFrameId(id) is var (collection, number) ? Frame(collection, number) : null;

    Asset Frame(FrameCollection collection, int number)
    {
        var id = collection.FrameId(number);
        var name = FrameCollection.FrameFileName(number);
        var file = collection.Folder is null ? null : Path.Combine(collection.Folder, $"{name}.{FrameCollection.FrameExtension}");
        var size = file is null ? MadeUpContent(id).Length : new FileInfo(PathOf(file)) is { Exists: true } info ? info.Length : 0;
        return new Asset(id, name, FrameCollection.FrameExtension, size, "SUCCESS", collection.CreateTime, collection.CreateTime, file);
    }

    bool DeleteFrame(string id)
    {
        if (SplitFrameId(id) is not var (collection, number))
            return false;
        var isRemoved = collections.TryUpdate(collection.Id, collection with { Deleted = collection.Deleted.Add(number) }, collection);
        if (isRemoved && collection.Folder is not null)
            File.Delete(PathOf(Frame(collection, number).File!));
        return isRemoved || DeleteFrame(id);
    }

    (FrameCollection Collection, int Number)? SplitFrameId(string id) =>
        id.Split('_') is ["imc", var digits, var number]
        && collections.TryGetValue("im_" + digits, out var collection)
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        && index < collection.Count && !collection.Deleted.Contains(index) && collection.FrameId(index) == id
            ? (collection, index)
            : null;

    void Load(Stream file)
    {
        using var reader = new StreamReader(file, leaveOpen: true);
        while (reader.ReadLine() is { } line)
        {
            var entry = ReadLine(line);
            if (entry.Asset is { } asset)
                assets[asset.Id] = asset;
            if (entry.Collection is { } collection)
                collections[collection.Id] = collection;
            if (entry.Deleted is { } id && !assets.TryRemove(id, out _) && !collections.TryRemove(id, out _) && SplitFrameId(id) is var (of, number))
                collections[of.Id] = of with { Deleted = of.Deleted.Add(number) };
        }
    }

    static IndexLine ReadLine(string line)
    {
        if (line.Length == 0)
            return new IndexLine();
        try
        {
            return JsonSerializer.Deserialize<IndexLine>(line) ?? new IndexLine();
        }
        catch (JsonException)
        {
            // What a killed Sandbox left half written.
            return new IndexLine();
        }
    }

    void Append(params ReadOnlySpan<IndexLine> lines)
    {
        var text = new StringBuilder();
        foreach (var line in lines)
            text.Append(JsonSerializer.Serialize(line)).Append('\n');
        lock (indexGate)
            index.Write(text.ToString());
    }

    sealed record IndexLine(Asset? Asset = null, FrameCollection? Collection = null, string? Deleted = null);
}
