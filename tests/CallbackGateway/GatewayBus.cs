using Mavi.Contracts;
using Mavi.Tests.Support;

namespace Mavi.Tests.CallbackGateway;

/// <summary>Somebody who listens to the gateway's events: an own virtual host, and a queue for each event that a test asks for.</summary>
sealed class GatewayBus : IAsyncDisposable
{
    readonly AmqpClient _client;

    GatewayBus(string address, AmqpClient client)
    {
        Address = address;
        _client = client;
    }

    public string Address { get; }

    /// <summary>A virtual host of the test run's broker with no queue in it.</summary>
    public static async Task<GatewayBus> CreateAsync() => await ConnectAsync(await (await PrivateBroker.SharedAsync()).CreateVirtualHostAsync());

    public static async Task<GatewayBus> ConnectAsync(string address) => new(address, await AmqpClient.ConnectAsync(address));

    public async Task BindAllAsync()
    {
        await BindAsync<VideoSplitCompleted>();
        await BindAsync<FramesExtracted>();
        await BindAsync<TaskFailed>();
        await BindAsync<CallbackReceived>();
    }

    public Task BindAsync<T>() => _client.BindQueueAsync<T>(typeof(T).Name);

    /// <summary>Binds a queue that refuses everything: the broker answers each publish with a nack.</summary>
    public Task BindFullAsync<T>() => _client.BindQueueAsync<T>($"full-{typeof(T).Name}", new Dictionary<string, object?> { ["x-max-length"] = 0, ["x-overflow"] = "reject-publish" });

    public Task UnbindFullAsync<T>() => _client.DeleteQueueAsync($"full-{typeof(T).Name}");

    public Task DeleteExchangeAsync<T>() => _client.DeleteExchangeAsync<T>();

    public Task<AmqpMessage> TakeAsync<T>(TimeSpan? within = null) => _client.TakeAsync(typeof(T).Name, within);

    public Task<uint> CountAsync<T>() => _client.CountAsync(typeof(T).Name);

    public async Task<long> CountAsync() =>
        await _client.CountAsync(nameof(VideoSplitCompleted)) + await _client.CountAsync(nameof(FramesExtracted))
        + await _client.CountAsync(nameof(TaskFailed)) + await _client.CountAsync(nameof(CallbackReceived));

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
