using System.ComponentModel;
using System.Diagnostics;

namespace Mavi.AllInOne;

/// <summary>ffmpeg and ffprobe as the demo uses them; killed when the demo is stopped.</summary>
static class Programs
{
    /// <summary>Runs to the end.</summary>
    /// <exception cref="DemoException">The program is missing, or it failed.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string folder, CancellationToken cancel)
    {
        var (exitCode, output, complaint) = await TryAsync(program, arguments, folder, cancel);
        return exitCode == 0 ? output : throw new DemoException($"{program} failed: {complaint.Trim().ReplaceLineEndings("; ")}");
    }

    /// <summary>Runs to the end, however that is.</summary>
    /// <exception cref="DemoException">The program is missing.</exception>
    public static async Task<(int ExitCode, string Output, string Complaint)> TryAsync(
        string program, IEnumerable<string> arguments, string folder, CancellationToken cancel)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder,
            },
        };
        try
        {
            process.Start();
        }
        catch (Win32Exception)
        {
            throw new DemoException($"{program} was not found; the demo needs ffmpeg: install it (Debian, Ubuntu: apt-get install ffmpeg) and run the demo again.");
        }

        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var complaint = process.StandardError.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel);
            // Ctrl-C reaches the child too, and may have ended it before we hear of it ourselves.
            if (process.ExitCode >= 128)
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancel);
            return (process.ExitCode, await output, await complaint);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }
}
