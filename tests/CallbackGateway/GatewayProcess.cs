using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Mavi.CallbackGateway;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

/// <summary>The gateway as what it is in production: a process of its own.</summary>
sealed partial class GatewayProcess : IDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    readonly TemporaryFolder _folder = new();
    readonly Process _process;
    readonly ConcurrentQueue<string> _output = new();
    readonly ConcurrentQueue<string> _errors = new();

    GatewayProcess(Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(GatewayApp).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Output => string.Join('\n', _output).Trim();

    public string Errors => string.Join('\n', _errors).Trim();

    /// <summary>Starts on a free port with a good secret, apart from what <paramref name="settings"/> say.</summary>
    public static GatewayProcess Start(params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Gateway__Secrets__0"] = GatewayHost.Secret,
            ["ConnectionStrings__RabbitMq"] = $"amqp://guest:guest@127.0.0.1:{FreePorts.Next()}",
        };
        foreach (var (name, value) in settings)
            environment[name] = value;
        return new GatewayProcess(environment);
    }

    public static GatewayProcess StartWithoutSecret() => new(new Dictionary<string, string> { ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" });

    public async Task<Uri> AddressAsync() =>
        new(await Eventually.GetAsync("the gateway to listen", () => Listening().Match(Output) is { Success: true } match ? match.Groups[1].Value : null));

    public Task SaysAsync(string text) => Eventually.TrueAsync($"the gateway to say \"{text}\"", () => Output.Contains(text, StringComparison.Ordinal));

    public void Terminate() => Process.Start("kill", ["-TERM", $"{_process.Id}"]).Dispose();

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Limit);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
    }

    [GeneratedRegex("Now listening on: (http://[0-9.:]+)")]
    private static partial Regex Listening();
}
