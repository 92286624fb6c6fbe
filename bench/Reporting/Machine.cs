using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Mavi.Bench.Reporting;

/// <summary>Where a run was and of what versions: its figures say nothing without.</summary>
sealed class Machine
{
    readonly Dictionary<string, string> _versions = new()
    {
        [".NET"] = $"{Environment.Version}",
        ["ffmpeg"] = Said("ffmpeg", "-version")?.Split(' ').ElementAtOrDefault(2) ?? "none",
        ["this project"] = Said("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*") ?? "not in git",
    };

    /// <summary>Adds what only a running server can say.</summary>
    public void Note(string what, string version) => _versions[what] = version;

    public string Table() => $"""

        | | |
        |---|---|
        | machine | {Environment.ProcessorCount} cores, {Field("/proc/cpuinfo", "model name") ?? $"{RuntimeInformation.ProcessArchitecture}"}, {Gibibytes()} GiB |
        | system | {RuntimeInformation.OSDescription} |
        {string.Join('\n', _versions.Select(static version => $"| {version.Key} | {version.Value} |"))}

        """;

    static string Gibibytes() =>
        (long.Parse(Field("/proc/meminfo", "MemTotal")!.Split(' ')[0], CultureInfo.InvariantCulture) / 1024.0 / 1024.0).ToString("0.0", CultureInfo.InvariantCulture);

    static string? Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();

    /// <summary>The first line that a program prints; null where it cannot be run or fails.</summary>
    static string? Said(string program, params string[] words)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var line = process.StandardOutput.ReadToEnd().Split('\n')[0];
            process.WaitForExit();
            return process.ExitCode == 0 ? line : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
