using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Mavi.CallbackGateway.Spooling;

/// <summary>What the framework lacks: a rename is only durable once its directory is flushed, and it cannot open one.</summary>
static partial class Disk
{
    const int ReadOnly = 0;

    /// <exception cref="IOException">The directory could not be flushed.</exception>
    public static void FlushDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;

        var descriptor = Open(directory, ReadOnly);
        if (descriptor < 0)
            throw LastError(directory);
        try
        {
            if (Flush(descriptor) != 0)
                throw LastError(directory);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Deletes a file where that is possible; what remains is found at the next start.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    static IOException LastError(string directory) => new($"{directory}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
