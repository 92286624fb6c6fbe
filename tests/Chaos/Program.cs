using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Mavi.Chaos;

[assembly: UnsupportedOSPlatform("windows")]

Settings settings;
try
{
    settings = Settings.Parse(args);
}
catch (SettingsException wrong)
{
    await Console.Error.WriteLineAsync($"{wrong.Message}\n{Settings.Usage}");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await Run.ExecuteAsync(settings, stop.Token);

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
