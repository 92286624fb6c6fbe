using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;
using Mavi.Worker.Operating;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;

namespace Mavi.Tests.Worker;

public sealed class DoctorTests
{
    [Fact]
    public async Task A_second_worker_on_a_sqlite_file_says_so()
    {
        await using var system = await WorkerSystem.StartAsync(sqlite: true);
        await SaysAsync(system, "looked at");
        var second = await system.StartWorkerAsync();
        await FindsAsync(second, "and another worker uses it");
        using var http = new HttpClient();
        Assert.Contains("SQLite is for one worker on one machine", await http.GetStringAsync(new Uri(second.Urls.Single() + "/health/ready")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clocks_that_differ_are_told()
    {
        // The ledger's clock is set here, the machine's is the real one.
        await using var system = await WorkerSystem.StartAsync(ledgerClock: new FakeClock());
        await SaysAsync(system, "clock and the ledger's differ by");
    }

    [Fact]
    public async Task A_queue_of_another_kind_is_told_with_the_brokers_own_words()
    {
        var broker = await (await PrivateBroker.SharedAsync()).CreateVirtualHostAsync();
        await using (var connection = await new ConnectionFactory { Uri = new Uri(broker) }.CreateConnectionAsync())
        await using (var channel = await connection.CreateChannelAsync())
            await channel.QueueDeclareAsync("mavi-operator", durable: true, exclusive: false, autoDelete: false);

        await using var system = await WorkerSystem.StartAsync(broker: broker, waitUntilReady: false);
        await SaysAsync(system, "Queue mavi-operator exists with other properties than the Worker declares");
        Assert.Contains(system.Logs.All, line => line.Contains("x-queue-type", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://mavi-backend.memories.ai/serve/api/v2", "sk-mavi-sandbox", "every submission will be refused with 401")]
    [InlineData("http://127.0.0.1:1/serve/api/v2", "sk-mavi-0123456789", "a real key should not be given to a stand-in")]
    public async Task A_key_that_does_not_fit_the_address_is_told(string address, string key, string sentence)
    {
        await using var system = await WorkerSystem.StartAsync(worker: ["--Mavi:BaseUrl", address, "--Mavi:ApiKey", key]);
        await SaysAsync(system, sentence);
        Assert.DoesNotContain(system.Logs.All, line => line.Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_key_out_of_a_file_is_looked_at_as_well()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "key");
        await File.WriteAllTextAsync(file, "sk-mavi-sandbox\n");
        await using var system = await WorkerSystem.StartAsync(
            worker: ["--Mavi:BaseUrl", "https://mavi-backend.memories.ai/serve/api/v2", "--Mavi:ApiKey", "", "--Mavi:ApiKeyFile", file]);
        await SaysAsync(system, "every submission will be refused with 401");
    }

    [Fact]
    public async Task A_healthy_installation_has_no_findings_and_the_broker_is_named()
    {
        await using var system = await WorkerSystem.StartAsync(worker: ["--Mavi:ApiKey", "sk-mavi-sandbox"]);
        await SaysAsync(system, "0 findings");
        await SaysAsync(system, "delivery limit of 20");
    }

    static Task SaysAsync(WorkerSystem system, string sentence) => Eventually.TrueAsync(
        $"the doctor to say \"{sentence}\"", () => system.Logs.All.Any(line => line.Contains(sentence, StringComparison.Ordinal)));

    static Task FindsAsync(WebApplication worker, string sentence) => Eventually.TrueAsync(
        $"the doctor to find \"{sentence}\"", () => worker.Services.GetRequiredService<Doctor>().Findings.Any(finding => finding.Contains(sentence, StringComparison.Ordinal)));
}
