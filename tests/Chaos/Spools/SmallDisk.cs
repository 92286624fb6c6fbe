using System.Diagnostics;

namespace Mavi.Chaos.Spools;

/// <summary>A file system of its own in memory, small enough to be filled; whoever ends the run unmounts it (<see cref="RunFolder"/>).</summary>
sealed class SmallDisk
{
    const string Filler = "filler";

    SmallDisk(string path) => Path = path;

    public string Path { get; }

    /// <summary>Mounts it; null where this user may not.</summary>
    public static async Task<SmallDisk?> MountAsync(RunFolder folder, string name, int megabytes)
    {
        if (!Environment.IsPrivilegedProcess)
            return null;
        var path = Directory.CreateDirectory(folder.In("mounts", name)).FullName;
        using var mount = Process.Start("mount", ["-t", "tmpfs", "-o", $"size={megabytes}m", "mavi-spool", path]);
        await mount.WaitForExitAsync();
        return mount.ExitCode == 0 ? new SmallDisk(path) : null;
    }

    /// <summary>Writes until nothing more fits.</summary>
    public void Fill()
    {
        var block = new byte[64 * 1024];
        using var file = new FileStream(System.IO.Path.Combine(Path, Filler), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = block.Length; size >= 1; size = size > 4096 ? 4096 : size / 2)
        {
            try
            {
                while (true)
                    file.Write(block, 0, size);
            }
            catch (IOException)
            {
                // Full for a block of this size; smaller ones may still fit.
            }
        }
    }

    /// <summary>Gives the space back.</summary>
    public void Free() => File.Delete(System.IO.Path.Combine(Path, Filler));
}
