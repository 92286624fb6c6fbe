using System.Net;
using System.Net.Sockets;
using Mavi.Tests.Support;

namespace Mavi.Tests.EndToEnd;

/// <summary>A setting that the Worker cannot work with ends it at once, with one sentence that a person can act on.</summary>
public sealed class SettingsTests
{
    const string Hush = "hush-hush-4711";

    static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("Mavi:ApiKey is missing", "Mavi__ApiKey", "")]
    [InlineData("Mavi:ApiKey holds 20 characters", "Mavi__ApiKey", "two words " + "0123456789")]
    [InlineData("Mavi:ApiKey and Mavi:ApiKeyFile are both set", "Mavi__ApiKeyFile", "/dev/null")]
    [InlineData("Mavi:ApiKeyFile (\"/nowhere/key\") cannot be read", "Mavi__ApiKeyFile", "/nowhere/key", "Mavi__ApiKey", "")]
    [InlineData("Mavi:ApiKeyFile (\"/dev/null\") is empty", "Mavi__ApiKeyFile", "/dev/null", "Mavi__ApiKey", "")]
    [InlineData("Mavi:BaseUrl is \"not a URL\"", "Mavi__BaseUrl", "not a URL")]
    [InlineData("Mavi:BaseUrl is \"ftp://127.0.0.1/\"", "Mavi__BaseUrl", "ftp://127.0.0.1/")]
    [InlineData("Mavi:BaseUrl is one with a user name", "Mavi__BaseUrl", "http://ann:" + Hush + "@127.0.0.1/")]
    [InlineData("Mavi:RequestsPerSecond is 0", "Mavi__RequestsPerSecond", "0")]
    [InlineData("Mavi:RequestsPerSecond is -1", "Mavi__RequestsPerSecond", "-1")]
    [InlineData("'Mavi:RequestsPerSecond'", "Mavi__RequestsPerSecond", "abc")]
    [InlineData("'Mavi:Timeout'", "Mavi__Timeout", "abc")]
    [InlineData("Mavi:Timeout is 00:00:00", "Mavi__Timeout", "0")]
    [InlineData("Mavi:Timeout is 30.00:00:00", "Mavi__Timeout", "30")]
    [InlineData("ConnectionStrings:RabbitMq is not an AMQP address", "ConnectionStrings__RabbitMq", "nonsense")]
    [InlineData("ConnectionStrings:RabbitMq is not an AMQP address", "ConnectionStrings__RabbitMq", "http://ann:" + Hush + "@127.0.0.1/")]
    [InlineData("ConnectionStrings:Ledger cannot be used", "ConnectionStrings__Ledger", "nonsense")]
    [InlineData("ConnectionStrings:Ledger cannot be used", "ConnectionStrings__Ledger", "Database=x;Password=" + Hush)]
    [InlineData("ConnectionStrings:Ledger cannot be used", "ConnectionStrings__Ledger", "Host=127.0.0.1;Port=many;Password=" + Hush)]
    [InlineData("Worker:OverdueAfter is 00:00:00.5000000", "Worker__OverdueAfter", "00:00:00.5")]
    [InlineData("Worker:OverdueAfter is 1.00:00:00; expected at least 00:00:01 and less than Worker:LostAfter", "Worker__OverdueAfter", "1.00:00:00")]
    [InlineData("'Worker:OverdueAfter'", "Worker__OverdueAfter", "later")]
    [InlineData("Worker:LostAfter is 00:00:00", "Worker__LostAfter", "0")]
    [InlineData("Worker:LostAfter is 366.00:00:00", "Worker__LostAfter", "366")]
    [InlineData("'Worker:LostAfter'", "Worker__LostAfter", "later")]
    [InlineData("Worker:GiveUpAfter is 00:00:00", "Worker__GiveUpAfter", "0")]
    [InlineData("'Worker:GiveUpAfter'", "Worker__GiveUpAfter", "later")]
    [InlineData("Worker:Retention is 1.00:00:00", "Worker__Retention", "1")]
    [InlineData("Worker:Retention is 3651.00:00:00", "Worker__Retention", "3651")]
    [InlineData("'Worker:Retention'", "Worker__Retention", "later")]
    [InlineData("'Worker:OnUncertain'", "Worker__OnUncertain", "Guess")]
    [InlineData("Worker:OnUncertain is 7", "Worker__OnUncertain", "7")]
    [InlineData("'Worker:ExclusiveAccount'", "Worker__ExclusiveAccount", "perhaps")]
    [InlineData("Worker:SweepInterval is 00:00:00.0900000", "Worker__SweepInterval", "00:00:00.09")]
    [InlineData("Worker:SweepInterval is 5.00:00:00", "Worker__SweepInterval", "5")]
    [InlineData("'Worker:SweepInterval'", "Worker__SweepInterval", "often")]
    [InlineData("ASPNETCORE_URLS", "ASPNETCORE_URLS", "not an address")]
    public async Task A_wrong_one_ends_the_worker_at_once_with_one_sentence_that_names_it(string says, params string[] settings)
    {
        await using var worker = Start(settings.Chunk(2).Select(pair => (pair[0], pair[1])));

        await EndsWithAsync(worker, says);
        Assert.DoesNotContain(Hush, worker.Output + worker.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_ends_the_worker_at_once_with_one_sentence_that_names_it()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        await using var worker = Start([("ASPNETCORE_URLS", $"http://{other.LocalEndpoint}")]);

        await EndsWithAsync(worker, $"{other.LocalEndpoint}");
    }

    static ServiceProcess Start(IEnumerable<(string, string)> settings) => ServiceProcess.Start(
        ServiceProcess.Worker,
        [
            ("ConnectionStrings__RabbitMq", $"amqp://127.0.0.1:{FreePorts.Next()}"), ("ConnectionStrings__Ledger", "Data Source=mavi.db"),
            ("Mavi__BaseUrl", "http://127.0.0.1/"), ("Mavi__ApiKey", Hush), .. settings,
        ]);

    static async Task EndsWithAsync(ServiceProcess worker, string says)
    {
        Assert.NotEqual(0, await worker.ExitCodeAsync(AtOnce));
        Assert.Contains(says, worker.Errors, StringComparison.Ordinal);
        Assert.Contains("expected", worker.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', worker.Errors);
        Assert.DoesNotContain("   at ", worker.Output + worker.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", worker.Output + worker.Errors, StringComparison.Ordinal);
    }
}
