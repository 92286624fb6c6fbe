using System.Diagnostics;

namespace Mavi.Tests.Sandbox;

/// <summary>The Sandbox as it is run: a process of its own.</summary>
sealed class SandboxProcess : IAsyncDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    readonly Process process;
    readonly string folder = Directory.CreateTempSubdirectory("sandbox-test-").FullName;
    readonly TaskCompletionSource<string> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly List<string> complaints = [];

    SandboxProcess(IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Mavi.Sandbox.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
            Environment = { ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" },
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.Split("Now listening on: ") is [_, var url])
                listening.TrySetResult(url);
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                complaints.Add(line.Data);
        };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    public IReadOnlyList<string> Complaints => complaints;

    public static SandboxProcess Start(params (string Name, string Value)[] environment) => new(environment.ToDictionary(e => e.Name, e => e.Value));

    /// <summary>The address it listens on.</summary>
    public Task<string> ReadyAsync() => listening.Task.WaitAsync(Limit);

    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>The exit code; fails where it does not end in time.</summary>
    public async Task<int> ExitAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
