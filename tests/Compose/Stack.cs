using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Mavi.HistoryChecker;
using Mavi.Tests.Support;
using RabbitMQ.Client.Exceptions;

namespace Mavi.Tests.Compose;

/// <summary>
/// The composed system that <c>./test.sh --compose</c> has started, seen from outside: the broker's port, the gateway's, the Sandbox's, and what an
/// operator types. Every test leaves one ready worker behind.
/// </summary>
public sealed class Stack : IAsyncLifetime
{
    static readonly TimeSpan CommandLimit = TimeSpan.FromMinutes(3);
    static readonly string Root = RootOf();

    internal string Broker { get; } = Secret("broker").Replace("@rabbitmq:5672", $"@127.0.0.1:{Port("RABBITMQ_PORT")}", StringComparison.Ordinal);

    internal HttpClient Sandbox { get; } = new() { BaseAddress = new Uri($"http://127.0.0.1:{Port("SANDBOX_PORT")}") };

    internal HttpClient Gateway { get; } = new() { BaseAddress = new Uri($"http://127.0.0.1:{Port("GATEWAY_PORT")}") };

    /// <summary>Listens to everything before the first command.</summary>
    public Task InitializeAsync() => Taps.ListenAsync(Broker);

    public Task DisposeAsync()
    {
        Sandbox.Dispose();
        Gateway.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>A file of the secrets for trying, as every service reads it.</summary>
    internal static string Secret(string name) => File.ReadAllText(Path.Combine(Root, "deploy", "secrets-for-trying", name)).Trim();

    /// <summary><c>docker compose</c> on this system; returns what it printed.</summary>
    internal Task<string> ComposeAsync(params string[] words) => ComposeAsync([], words);

    /// <inheritdoc cref="ComposeAsync(string[])" />
    internal Task<string> ComposeAsync((string Name, string Value)[] environment, params string[] words) =>
        DockerAsync(environment, ["compose", "--env-file", "tests/Compose/settings.env", "--profile", "sandbox", .. words]);

    /// <summary><c>docker</c>; returns what it printed.</summary>
    internal Task<string> DockerAsync(params string[] words) => DockerAsync([], words);

    /// <summary>The container ids of a service, stopped ones included.</summary>
    internal async Task<IReadOnlyList<string>> ContainersAsync(string service) =>
        (await ComposeAsync("ps", "--all", "--quiet", service)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>New requests, half of them splits, each for an asset of its own; nothing is published yet.</summary>
    internal async Task<IReadOnlyList<Request>> RequestsAsync(int count)
    {
        using var answer = await Sandbox.PostAsJsonAsync("sandbox/assets", new { count });
        var assets = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("assetIds").EnumerateArray().Select(static id => id.GetString()!);
        return [.. assets.Select(static (asset, index) => new Request { Id = $"{Guid.NewGuid()}", Operation = index % 2 == 0 ? "Split" : "ExtractFrames", AssetId = asset })];
    }

    /// <summary>Publishes the requests' commands as plain JSON, as any other service does.</summary>
    internal async Task PublishAsync(IEnumerable<Request> requests)
    {
        await using var bus = await AmqpClient.ConnectAsync(Broker);
        foreach (var request in requests)
        {
            await bus.PublishAsync(
                $"Mavi.Contracts:{(request.Operation == "Split" ? "SplitVideo" : "ExtractFrames")}Requested",
                JsonSerializer.SerializeToUtf8Bytes(new { requestId = request.Id, assetId = request.AssetId, caller = "compose" }));
        }
    }

    /// <summary>Publishes an operator's decision.</summary>
    internal async Task DecideAsync(string kind, object decision)
    {
        await using var bus = await AmqpClient.ConnectAsync(Broker);
        await bus.PublishAsync($"Mavi.Contracts:{kind}", JsonSerializer.SerializeToUtf8Bytes(decision));
    }

    /// <summary>Replaces the Sandbox's faults.</summary>
    internal async Task ArmAsync(string rules)
    {
        using var body = new StringContent($$"""{ "rules": {{rules}} }""", Encoding.UTF8);
        using var answer = await Sandbox.PutAsync(new Uri("sandbox/faults", UriKind.Relative), body);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>The POSTs for these requests so far.</summary>
    internal async Task<IReadOnlyList<Post>> PostsAsync(IEnumerable<Request> requests)
    {
        var assets = requests.Select(static request => request.AssetId).ToHashSet();
        return [.. (await JournalReader.ReadAsync(Sandbox.BaseAddress!)).Posts.Where(post => assets.Contains(post.AssetId ?? ""))];
    }

    /// <summary>When they came, by the Sandbox's clock that never goes back.</summary>
    internal async Task<IReadOnlyList<Arrival>> ArrivalsAsync(IEnumerable<Request> requests)
    {
        var assets = requests.Select(static request => request.AssetId).ToHashSet();
        var journal = await Sandbox.GetFromJsonAsync<JsonElement>("sandbox/journal?bodies=false");
        return [.. journal.GetProperty("submissions").Deserialize<Arrival[]>(JsonSerializerOptions.Web)!.Where(post => assets.Contains(post.AssetId))];
    }

    /// <summary>Waits until so many of the requests have reached Mavi: the moment to do something to the system.</summary>
    internal Task PostedAsync(IReadOnlyCollection<Request> requests, int count) => Eventually.TrueAsync(
        $"{count} of {requests.Count} POSTs", async () => (await PostsAsync(requests)).Count >= count, TimeSpan.FromMinutes(1));

    /// <summary>What is in the taps; null while the broker is away.</summary>
    internal async Task<IReadOnlyList<Message>?> HeardAsync()
    {
        try
        {
            return await Taps.ReadAsync(Broker);
        }
        catch (Exception away) when (away is RabbitMQClientException or IOException or TimeoutException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Messages that are ready in a queue.</summary>
    internal async Task<uint> CountAsync(string queue)
    {
        await using var bus = await AmqpClient.ConnectAsync(Broker);
        return await bus.CountAsync(queue);
    }

    static async Task<string> DockerAsync((string Name, string Value)[] environment, string[] words)
    {
        var start = new ProcessStartInfo("docker", words) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(CommandLimit);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, $"docker {string.Join(' ', words)} ended with code {process.ExitCode}:\n{await errors}");
        return (await output).Trim();
    }

    static string Port(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } port
        ? port
        : throw new InvalidOperationException($"{name} is not set; these tests need the composed system: run ./test.sh --compose.");

    static string RootOf([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}

/// <summary>When a POST came.</summary>
sealed record Arrival(string Operation, string AssetId, double MonotonicMs);

/// <summary>One system for all tests, one test after the other.</summary>
[CollectionDefinition(Name)]
public sealed class OneStack : ICollectionFixture<Stack>
{
    public const string Name = "compose";
}
