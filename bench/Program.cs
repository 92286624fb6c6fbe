using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Mavi.Bench;
using Mavi.Bench.References;

[assembly: UnsupportedOSPlatform("windows")]

// A reference is a process of its own, as what it is compared with.
if (args is [Roles.Verb, var name])
    return await Roles.RunAsync(name);

using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
return await Stage.ExecuteAsync(args, stop.Token);

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
