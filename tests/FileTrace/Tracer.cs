using System.Runtime.InteropServices;
using System.Text;

namespace Mavi.FileTrace;

/// <summary>Stops a process at each of its system calls (ptrace, Linux) and tells of those that change something under one folder, before and after.</summary>
/// <param name="process">Its id.</param>
/// <param name="folder">What happens here is told.</param>
/// <param name="watch">To whom; each call waits until it has heard.</param>
sealed class Tracer(int process, string folder, Watch watch)
{
    const int Seize = 0x4206, Interrupt = 0x4207, Listen = 0x4208, GetEventMessage = 0x4201, GetSystemCall = 0x420e, ToNextCall = 24;
    const int MarkCalls = 1, FollowThreads = 8, EndWithTracer = 0x100000;
    const int Anybody = 0, Stops = 2, Ends = 4, LooksOnly = 0x1000000, HasExited = 1, WasKilled = 2, WasDumped = 3;
    const int AllThreads = 0x40000000, OnlyOurs = 0x20000000;
    const int CallStop = 5 | 0x80, StopEvent = 128, CloneEvent = 3, StopSignal = 19;
    const int Writable = 3, Creates = 0x40, Truncates = 0x200;
    const nint CurrentFolder = -100;

    enum Act
    {
        Open,
        OpenAt,
        Write,
        Flush,
        Truncate,
        Move,
        MoveAt,
        Delete,
        DeleteAt,
    }

    static readonly Dictionary<long, (Act Act, string Name)> Calls = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => new()
        {
            [2] = (Act.Open, "create"),
            [257] = (Act.OpenAt, "create"),
            [1] = (Act.Write, "write"),
            [18] = (Act.Write, "write"),
            [20] = (Act.Write, "write"),
            [296] = (Act.Write, "write"),
            [74] = (Act.Flush, "flush"),
            [75] = (Act.Flush, "flush"),
            [77] = (Act.Truncate, "truncate"),
            [82] = (Act.Move, "rename"),
            [264] = (Act.MoveAt, "rename"),
            [316] = (Act.MoveAt, "rename"),
            [86] = (Act.Move, "link"),
            [265] = (Act.MoveAt, "link"),
            [87] = (Act.Delete, "delete"),
            [263] = (Act.DeleteAt, "delete"),
        },
        Architecture.Arm64 => new()
        {
            [56] = (Act.OpenAt, "create"),
            [64] = (Act.Write, "write"),
            [66] = (Act.Write, "write"),
            [68] = (Act.Write, "write"),
            [70] = (Act.Write, "write"),
            [82] = (Act.Flush, "flush"),
            [83] = (Act.Flush, "flush"),
            [46] = (Act.Truncate, "truncate"),
            [38] = (Act.MoveAt, "rename"),
            [276] = (Act.MoveAt, "rename"),
            [37] = (Act.MoveAt, "link"),
            [35] = (Act.DeleteAt, "delete"),
        },
        var other => throw new PlatformNotSupportedException($"The processor is {other}; expected X64 or Arm64: run the crash enumeration of the gateway on one of these."),
    };

    readonly Dictionary<int, (string Change, string Path, string How)> _inCall = [];

    /// <summary>Returns at the process' end. Everything about a traced process must be asked by the one thread that traces it: this one.</summary>
    public void Run()
    {
        Attach();
        watch.Attached();
        var seen = default(Signalled);
        while (Look(Anybody, 0, ref seen, AllThreads | OnlyOurs | Ends | Stops | LooksOnly) == 0)
        {
            if (seen.Thread == process && seen.What is HasExited or WasKilled or WasDumped)
                return;
            if (WaitForThread(seen.Thread, out var status, AllThreads | OnlyOurs) > 0 && (status & 0xff) == 0x7f)
                Stopped(seen.Thread, (status >> 8) & 0xff, status >> 16);
        }
    }

    void Attach()
    {
        var attached = new HashSet<int>();
        for (var found = true; found;)
        {
            found = false;
            foreach (var thread in Directory.EnumerateDirectories($"/proc/{process}/task").Select(static path => int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture)))
            {
                if (!attached.Add(thread))
                    continue;
                found = true;
                if (Trace(Seize, thread, 0, MarkCalls | FollowThreads | EndWithTracer) == 0)
                    Trace(Interrupt, thread, 0, 0);
                else if (thread == process)
                    throw new IOException($"The process cannot be traced (error {Marshal.GetLastPInvokeError()}); expected the right to use ptrace on a process of the same user: allow it (in a container --cap-add SYS_PTRACE).");
            }
        }
    }

    void Stopped(int thread, int signal, int what)
    {
        if (signal == CallStop)
            InCall(thread);
        else if (what == StopEvent && signal == StopSignal)
            Trace(Listen, thread, 0, 0);
        if (what != StopEvent || signal != StopSignal)
            Trace(ToNextCall, thread, 0, what == 0 && signal != CallStop ? signal : 0);
    }

    void InCall(int thread)
    {
        var call = new SystemCall();
        if (Trace(GetSystemCall, thread, Marshal.SizeOf<SystemCall>(), ref call) <= 0)
            return;
        if (call.Kind == 1 && ChangeOf(call) is var (change, path))
            _inCall[thread] = (change, path, watch.Arrived(change, path));
        else if (call.Kind == 2 && _inCall.Remove(thread, out var ended))
            watch.Completed(ended.Change, ended.Path, ended.How);
    }

    (string Change, string Path)? ChangeOf(in SystemCall call)
    {
        if (!Calls.TryGetValue((long)call.Number, out var known))
            return null;
        var path = known.Act switch
        {
            Act.Open => IsChange(call.Second) ? TextAt(call.First) : null,
            Act.OpenAt => IsChange(call.Third) ? PathAt(call.First, call.Second) : null,
            Act.Write or Act.Flush or Act.Truncate => FileOf(call.First),
            Act.Move => TextAt(call.Second),
            Act.MoveAt => PathAt(call.Third, call.Fourth),
            Act.Delete => TextAt(call.First),
            _ => PathAt(call.First, call.Second),
        };
        return path is not null && (path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal)) ? (known.Name, path) : null;
    }

    static bool IsChange(nint flags) => (flags & (Writable | Creates | Truncates)) != 0;

    string? PathAt(nint folder, nint text)
    {
        var path = TextAt(text);
        return path.StartsWith('/') || folder == CurrentFolder ? path : FileOf(folder) + "/" + path;
    }

    string? FileOf(nint descriptor) => new FileInfo($"/proc/{process}/fd/{(int)descriptor}").LinkTarget;

    string TextAt(nint address)
    {
        using var memory = File.OpenHandle($"/proc/{process}/mem");
        var bytes = new byte[4096];
        var read = RandomAccess.Read(memory, bytes, address);
        var end = Array.IndexOf(bytes, (byte)0, 0, read);
        return Encoding.UTF8.GetString(bytes, 0, end < 0 ? read : end);
    }

    /// <summary>The kernel's <c>ptrace_syscall_info</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct SystemCall
    {
        public byte Kind;
        public uint Architecture;
        public ulong Instruction;
        public ulong Stack;
        public ulong Number;
        public nint First, Second, Third, Fourth, Fifth, Sixth;
    }

    [DllImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    static extern nint Trace(nint request, int thread, nint address, nint data);

    [DllImport("libc", EntryPoint = "ptrace", SetLastError = true)]
    static extern nint Trace(nint request, int thread, nint size, ref SystemCall call);

    /// <summary>The kernel's <c>siginfo_t</c>, as far as it concerns us.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    struct Signalled
    {
        [FieldOffset(8)]
        public int What;

        [FieldOffset(16)]
        public int Thread;
    }

    [DllImport("libc", EntryPoint = "waitid", SetLastError = true)]
    static extern int Look(int whom, int id, ref Signalled seen, int options);

    [DllImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    static extern int WaitForThread(int thread, out int status, int options);
}
