using Mavi.CallbackGateway.Classifying;

namespace Mavi.CallbackGateway.Spooling;

/// <summary>
/// Callbacks on disk, one file each, while the broker is away. A file under its own name is whole and survives a crash: it is written under
/// another name, flushed, renamed, and the directory is flushed. What cannot be understood goes to <c>rejected/</c> and is never deleted.
/// </summary>
sealed partial class Spool : IDisposable
{
    const string Unfinished = ".part";
    const string LockName = ".lock";
    const string ProbeName = ".probe";

    readonly ILogger<Spool> _logger;
    readonly string _directory;
    readonly string _rejected;
    readonly FileStream _lock;
    long _sequence;

    /// <summary>Takes the directory for this process.</summary>
    /// <exception cref="GatewaySettingsException">It cannot be written, or another gateway has it.</exception>
    public Spool(GatewayOptions options, ILogger<Spool> logger)
    {
        _logger = logger;
        _directory = Path.GetFullPath(options.SpoolDirectory);
        _rejected = Path.Combine(_directory, "rejected");
        try
        {
            Directory.CreateDirectory(_rejected);
            Disk.FlushDirectory(Path.GetDirectoryName(_directory) ?? _directory);
            Probe();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new GatewaySettingsException(
                $"Gateway:SpoolDirectory is \"{options.SpoolDirectory}\", expected a directory that can be written ({exception.Message.TrimEnd('.')}): name another or grant the right to write.", exception);
        }

        try
        {
            _lock = new FileStream(Path.Combine(_directory, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new GatewaySettingsException(
                $"Gateway:SpoolDirectory is \"{options.SpoolDirectory}\", expected a directory of this gateway alone, but another gateway is using it: give each its own or stop the other one.", exception);
        }

        RecoverUnfinished();
    }

    /// <summary>Keeps a callback; returns when it would survive a power cut.</summary>
    /// <exception cref="IOException">The disk did not take it; also as <see cref="UnauthorizedAccessException"/>.</exception>
    public async Task AddAsync(ReadOnlyMemory<byte> body, string bodyHash, DateTimeOffset receivedAt)
    {
        var file = SpoolFile.Create(receivedAt, Interlocked.Increment(ref _sequence), bodyHash);
        var unfinished = PathOf(file.Name + Unfinished);
        try
        {
            await using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
            {
                await stream.WriteAsync(body);
                stream.Flush(flushToDisk: true);
            }

            File.Move(unfinished, PathOf(file.Name), overwrite: true);
            Disk.FlushDirectory(_directory);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Disk.TryDelete(unfinished);
            throw;
        }
    }

    /// <summary>The callbacks in the order of their arrival. Files that are none of ours are moved aside first.</summary>
    public List<SpoolFile> List()
    {
        var files = new List<SpoolFile>();
        foreach (var name in Names())
        {
            if (SpoolFile.Parse(name) is { } file)
                files.Add(file);
            else if (!name.EndsWith(Unfinished, StringComparison.Ordinal))
                Reject(name, "its name is not that of a callback");
        }

        files.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
        return files;
    }

    /// <summary>The body of a callback, in memory that the caller returns; null where the file was damaged, and is moved aside now.</summary>
    public async Task<PooledBytes?> ReadAsync(SpoolFile file)
    {
        await using var stream = new FileStream(PathOf(file.Name), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var body = new PooledBytes((int)Math.Min(stream.Length, Array.MaxLength));
        body.Length = await stream.ReadAtLeastAsync(body.Buffer, body.Capacity, throwOnEndOfStream: false);
        if (CallbackEvent.HashOf(body.Span) == file.BodyHash)
            return body;

        body.Dispose();
        Reject(file.Name, "its content is not what was written");
        return null;
    }

    /// <summary>Forgets a callback that a queue has. A crash before this publishes it once more, under the same message id.</summary>
    public void Remove(SpoolFile file) => File.Delete(PathOf(file.Name));

    /// <summary>How many callbacks wait; null where the directory cannot be read.</summary>
    public int? Count() => CountFiles(_directory, '*' + SpoolFile.Extension);

    /// <summary>How many files were moved aside; null where the directory cannot be read.</summary>
    public int? CountRejected() => CountFiles(_rejected, "*");

    /// <summary>Whether a callback could be kept now: writes a small file and deletes it.</summary>
    public bool IsWritable()
    {
        try
        {
            Probe();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Dispose() => _lock.Dispose();

    /// <summary>What a crash left half written was never answered for; where it is whole all the same, it is kept.</summary>
    void RecoverUnfinished()
    {
        foreach (var name in Names().Where(name => name.EndsWith(Unfinished, StringComparison.Ordinal)))
        {
            var finished = name[..^Unfinished.Length];
            if (SpoolFile.Parse(finished) is { } file && CallbackEvent.HashOf(File.ReadAllBytes(PathOf(name))) == file.BodyHash)
                File.Move(PathOf(name), PathOf(finished));
            else
                Reject(name, "the process ended while writing it");
        }
    }

    void Reject(string name, string reason)
    {
        File.Move(PathOf(name), Path.Combine(_rejected, $"{Guid.NewGuid():N}-{name}"));
        LogRejected(name, reason);
    }

    IEnumerable<string> Names() =>
        Directory.EnumerateFiles(_directory).Select(path => Path.GetFileName(path)).Where(name => name is not (LockName or ProbeName));

    void Probe()
    {
        File.WriteAllBytes(PathOf(ProbeName), [1]);
        File.Delete(PathOf(ProbeName));
    }

    string PathOf(string name) => Path.Combine(_directory, name);

    static int? CountFiles(string directory, string pattern)
    {
        try
        {
            return Directory.EnumerateFiles(directory, pattern).Count();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(LogLevel.Error, "{File} was moved from the spool to rejected/: {Reason}")]
    partial void LogRejected(string file, string reason);
}
