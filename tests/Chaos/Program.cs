using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Mavi.Chaos;

[assembly: UnsupportedOSPlatform("windows")]

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await Stage.ExecuteAsync(args, stop.Token);

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
