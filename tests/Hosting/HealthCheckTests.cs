using System.Diagnostics;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;

namespace Mavi.Tests.Hosting;

/// <summary>The argument <c>healthcheck</c>, as an image's HEALTHCHECK gives it.</summary>
public sealed class HealthCheckTests
{
    [Fact]
    public async Task It_ends_with_0_and_the_answer_where_the_program_beside_it_is_ready()
    {
        await using var gateway = await GatewayProcess.Start().ReadyAsync();

        // As in a container: on any address of the machine.
        var (code, said) = await AskAsync(ServiceProcess.Gateway, $"http://+:{(await gateway.AddressAsync()).Port}");

        Assert.Equal(0, code);
        Assert.Contains("\"status\":\"ready\"", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_ends_with_1_and_the_answer_where_the_program_waits_for_something()
    {
        await using var worker = ServiceProcess.Start(
            ServiceProcess.Worker,
            ("Mavi__ApiKey", "a-key"), ("ConnectionStrings__RabbitMq", $"amqp://guest:guest@127.0.0.1:{FreePorts.Next()}"));

        var (code, said) = await AskAsync(ServiceProcess.Worker, (await worker.AddressAsync()).ToString());

        Assert.Equal(1, code);
        Assert.Contains("waiting for RabbitMQ", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ServiceProcess.Worker)]
    [InlineData(ServiceProcess.Gateway)]
    [InlineData(ServiceProcess.Sandbox)]
    public async Task It_ends_with_1_and_a_sentence_where_nothing_listens(string service)
    {
        var (code, said) = await AskAsync(service, $"http://+:{FreePorts.Next()}");

        Assert.Equal(1, code);
        Assert.Contains("did not answer within 4 s", said, StringComparison.Ordinal);
    }

    static async Task<(int Code, string Said)> AskAsync(string service, string urls)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, service + ".dll"), "healthcheck"]) { RedirectStandardOutput = true };
        start.Environment["ASPNETCORE_URLS"] = urls;
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await Eventually.DoneAsync($"the health check of {service} to end", process.WaitForExitAsync());
        return (process.ExitCode, said);
    }
}
