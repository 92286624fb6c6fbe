using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Mavi.Tests.Support;

/// <summary>
/// One of our services as it runs in production: <c>dotnet Mavi.Worker.dll</c>, a process of its own that is told everything by environment variables.
/// It runs in a folder of its own, and ends with the test process in whatever way that ends.
/// </summary>
sealed partial class ServiceProcess : IAsyncDisposable
{
    public const string Worker = "Mavi.Worker";
    public const string Gateway = "Mavi.CallbackGateway";
    public const string Sandbox = "Mavi.Sandbox";

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    /// <summary>What a caller's own shell may have set for a service of ours must not reach it.</summary>
    static readonly string[] OurSettings =
        ["Mavi__", "Worker__", "Gateway__", "Sandbox__", "ConnectionStrings__", "Secrets__", "Logging__", "ASPNETCORE_", "DOTNET_ENVIRONMENT", "OTEL_"];

    readonly string _folder;
    readonly Process _process;
    readonly ConcurrentQueue<string> _output = new();
    readonly ConcurrentQueue<string> _errors = new();
    readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    ServiceProcess(string service, IEnumerable<(string Name, string Value)> settings)
    {
        Service = service;
        _folder = ProcessReaper.NewFolder(service);
        // The build puts a referenced program, with what it needs to run, beside the tests.
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, service + ".dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        foreach (var name in start.Environment.Keys.Where(name => Array.Exists(OurSettings, name.StartsWith)).ToArray())
            start.Environment.Remove(name);
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        ProcessReaper.Mark(start);
        foreach (var (name, value) in settings)
            start.Environment[name] = value;

        _process = Process.Start(start)!;
        ProcessReaper.Watch(_process);
        _process.OutputDataReceived += (_, line) => Heard(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Service { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything it said on its standard output so far.</summary>
    public string Output => string.Join('\n', _output).Trim();

    /// <summary>Everything it said on its standard error so far.</summary>
    public string Errors => string.Join('\n', _errors).Trim();

    /// <summary>Starts it on a free port, apart from what <paramref name="settings"/> say; returns at once.</summary>
    public static ServiceProcess Start(string service, params IEnumerable<(string Name, string Value)> settings) => new(service, settings);

    /// <summary>Where it listens, once it does.</summary>
    public Task<Uri> AddressAsync() => Eventually.GetAsync($"{Service} to listen; it said:\n{Errors}", _listening.Task, Limit);

    /// <summary>Waits until <c>/health/ready</c> (of the Sandbox <c>/health/live</c>) says 200.</summary>
    public async Task<ServiceProcess> ReadyAsync(TimeSpan? limit = null)
    {
        await AddressAsync();
        var route = Service == Sandbox ? "health/live" : "health/ready";
        await Eventually.TrueAsync($"{Service} to be ready", async () => (await GetAsync(route)).Status == 200, limit ?? Limit);
        return this;
    }

    /// <summary>One of its routes: the status and the body.</summary>
    public async Task<(int Status, string Body)> GetAsync(string route)
    {
        using var answer = await Http.GetAsync(new Uri(await AddressAsync(), route));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until it has said something.</summary>
    public Task SaysAsync(string text, TimeSpan? limit = null) =>
        Eventually.TrueAsync($"{Service} to say \"{text}\"", () => Output.Contains(text, StringComparison.Ordinal), limit ?? Limit);

    /// <summary>SIGTERM: what a rollout does.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{Id}"]);
        kill.WaitForExit();
    }

    /// <summary>SIGKILL: what a crash is. Returns when it has ended.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(Limit);
    }

    /// <summary>The exit code; by then all it said has been heard. Fails where it does not end in time.</summary>
    public async Task<int> ExitCodeAsync(TimeSpan? limit = null)
    {
        await Eventually.DoneAsync($"{Service} to end", _process.WaitForExitAsync(), limit ?? Limit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    static readonly HttpClient Http = new();

    void Heard(string? line)
    {
        if (line is null)
        {
            _listening.TrySetException(new InvalidOperationException($"{Service} ended before it listened. It said:\n{Output}\n{Errors}"));
            return;
        }

        _output.Enqueue(line);
        if (Listening().Match(line) is { Success: true } match)
            _listening.TrySetResult(new Uri(match.Groups[1].Value));
    }

    [GeneratedRegex("Now listening on: (http://[0-9.:]+)")]
    private static partial Regex Listening();
}
