using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;

namespace Mavi.HistoryChecker;

/// <summary>
/// What is left in queues that are no taps. The broker itself says at once what is ready; only the management plugin tells what is delivered and not
/// acknowledged, and it counts every five seconds: one who asks sooner sees the past.
/// </summary>
static class QueueDepths
{
    static readonly TimeSpan CountedEvery = TimeSpan.FromSeconds(5.5);

    /// <summary>What is there for sure: what is held by a consumer now was so some seconds ago.</summary>
    public static async Task<IReadOnlyList<QueueDepth>> ReadAsync(Uri management, string broker)
    {
        await Task.Delay(CountedEvery);
        var queues = await ListAsync(management, broker);
        await using var connection = await new ConnectionFactory { Uri = new Uri(broker), ClientProvidedName = "history checker", AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        var depths = new List<QueueDepth>();
        foreach (var queue in queues)
        {
            var ready = (await channel.QueueDeclarePassiveAsync(queue.Name)).MessageCount;
            depths.Add(new QueueDepth(queue.Name, ready + queue.Held));
        }

        return depths;
    }

    /// <summary>As the plugin last counted.</summary>
    public static async Task<IReadOnlyList<QueueDepth>> NowAsync(Uri management, string broker) =>
        [.. (await ListAsync(management, broker)).Select(static queue => new QueueDepth(queue.Name, queue.Ready + queue.Held))];

    static async Task<IReadOnlyList<(string Name, long Ready, long Held)>> ListAsync(Uri management, string broker)
    {
        var host = new ConnectionFactory { Uri = new Uri(broker) };
        using var http = new HttpClient { BaseAddress = management };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{host.UserName}:{host.Password}")));
        using var queues = await http.GetFromJsonAsync<JsonDocument>(new Uri($"/api/queues/{Uri.EscapeDataString(host.VirtualHost)}", UriKind.Relative))
            ?? throw new FormatException("The list of queues is null.");
        return
        [
            .. queues.RootElement.EnumerateArray()
                .Select(static queue => (Name: queue.GetProperty("name").GetString()!, Count(queue, "messages_ready"), Count(queue, "messages_unacknowledged")))
                .Where(static queue => !queue.Name.StartsWith(Taps.Prefix, StringComparison.Ordinal)),
        ];
    }

    // A queue that was just made has no counts yet.
    static long Count(JsonElement queue, string name) => queue.TryGetProperty(name, out var count) ? count.GetInt64() : 0;
}
