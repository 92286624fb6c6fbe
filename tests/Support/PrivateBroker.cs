using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
#if TESTCONTAINERS
using Node = Mavi.Tests.Support.RabbitContainer;
#else
using Node = Mavi.Tests.Support.RabbitNode;
#endif

namespace Mavi.Tests.Support;

/// <summary>
/// A real RabbitMQ for tests: <see cref="SharedAsync"/> is the one of the test run (or the broker that <c>TEST_RABBITMQ</c> names),
/// <see cref="StartOwnAsync"/> one that the test may stop and kill. Each test asks for its own virtual host, so none sees another's messages.
/// </summary>
sealed class PrivateBroker : IAsyncDisposable
{
    static readonly Lazy<Task<PrivateBroker>> Shared = new(StartSharedAsync);

    readonly Uri _amqp;
    readonly HttpClient _management;
    readonly Node? _node;

    PrivateBroker(Uri amqp, Uri management, Node? node)
    {
        var credentials = amqp.UserInfo.Length > 0 ? Uri.UnescapeDataString(amqp.UserInfo) : "guest:guest";
        _amqp = amqp;
        _node = node;
        _management = new HttpClient { BaseAddress = management };
        _management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
    }

    /// <summary>The test run's broker, started when first asked for; it ends with the test process.</summary>
    public static Task<PrivateBroker> SharedAsync() => Shared.Value;

    /// <summary>A node of the test's own, for outages.</summary>
    public static async Task<PrivateBroker> StartOwnAsync()
    {
        var node = await Node.StartAsync();
        return new PrivateBroker(node.Amqp, node.Management, node);
    }

    /// <summary>A node of the test's own that is not running yet: its address is known, <see cref="StartAsync"/> starts it.</summary>
    public static PrivateBroker NotStarted()
    {
        var node = Node.Prepare();
        return new PrivateBroker(node.Amqp, node.Management, node);
    }

    /// <summary>The address of the broker's default virtual host.</summary>
    public string DefaultVirtualHost => _amqp.ToString();

    /// <summary>The address of the management plugin.</summary>
    public Uri Management => _management.BaseAddress!;

    /// <summary>The address of a new, empty virtual host: <c>amqp://guest:guest@127.0.0.1:port/vhost</c>.</summary>
    public async Task<string> CreateVirtualHostAsync()
    {
        var name = $"test-{Guid.NewGuid():N}";
        var user = Uri.UnescapeDataString(_amqp.UserInfo.Split(':')[0]);
        using var made = await _management.PutAsync(new Uri($"api/vhosts/{name}", UriKind.Relative), content: null);
        made.EnsureSuccessStatusCode();
        using var granted = await _management.PutAsJsonAsync($"api/permissions/{name}/{user}", new { configure = ".*", write = ".*", read = ".*" });
        granted.EnsureSuccessStatusCode();
        return new UriBuilder(_amqp) { Path = name }.Uri.ToString();
    }

    /// <summary>Stops the node in order (SIGTERM) and waits until it has ended.</summary>
    public Task StopAsync() => Own.StopAsync();

    /// <summary>Kills the node (SIGKILL) and waits until it has ended.</summary>
    public Task KillAsync() => Own.KillAsync();

    /// <summary>Starts the node again: same ports, same data.</summary>
    public Task StartAsync() => Own.RunAsync();

    public async ValueTask DisposeAsync()
    {
        _management.Dispose();
        if (_node is not null)
            await _node.DisposeAsync();
    }

    Node Own => _node ?? throw new NotSupportedException(
        "This broker is the one of TEST_RABBITMQ and is not ours to stop; a test of outages uses PrivateBroker.StartOwnAsync().");

    static async Task<PrivateBroker> StartSharedAsync()
    {
        if (Environment.GetEnvironmentVariable("TEST_RABBITMQ") is not { Length: > 0 } given)
            return await StartOwnAsync();

        var amqp = new Uri(given);
        var management = Environment.GetEnvironmentVariable("TEST_RABBITMQ_MANAGEMENT") is { Length: > 0 } url ? url : $"http://{amqp.Host}:15672";
        return new PrivateBroker(amqp, new Uri(management.TrimEnd('/') + "/"), node: null);
    }
}
