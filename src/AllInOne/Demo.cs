using System.Runtime.InteropServices;
using Mavi.Sandbox;

namespace Mavi.AllInOne;

/// <summary>What <c>./demo.sh</c> runs: one video through Sandbox, worker and gateway in this one process, checked at the end.</summary>
static class Demo
{
    const int Cancelled = 130;

    /// <param name="args">The folder for the results, and optionally a video; without one the demo makes its own.</param>
    /// <returns>0 where both outcomes succeeded and every file is there and readable; 1 with the reason on stderr; 130 after Ctrl-C.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (args is not ([_] or [_, _]))
        {
            await Console.Error.WriteLineAsync($"{args.Length} arguments were given; expected the folder for the results, and at most one video: ./demo.sh [VIDEO].");
            return 1;
        }

        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            // The second one is the system's: whoever presses twice does not want to wait.
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        var temporary = Directory.CreateTempSubdirectory("mavi-demo-").FullName;
        try
        {
            using var screen = new Screen();
            await new DemoRun(screen, temporary, args[0]).RunAsync(args.ElementAtOrDefault(1), stop.Token);
            return 0;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            // Whatever broke, it broke because everything was told to stop.
            await Console.Error.WriteLineAsync("Stopped; nothing is left behind.");
            return Cancelled;
        }
        catch (Exception e) when (e is DemoException or SettingException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"A file could not be read or written: {e.Message.TrimEnd('.')}; free the space or the file and run the demo again.");
            return 1;
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }
}
