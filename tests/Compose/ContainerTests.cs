using System.Text.Json;
using Mavi.Tests.Support;

namespace Mavi.Tests.Compose;

/// <summary>What the containers may do, as the engine knows it.</summary>
[Collection(OneStack.Name)]
public sealed class ContainerTests(Stack stack)
{
    public static TheoryData<string> Ours => ["worker", "gateway", "sandbox"];

    public static TheoryData<string> All => ["worker", "gateway", "sandbox", "rabbitmq", "postgres"];

    [Theory]
    [MemberData(nameof(Ours))]
    public async Task Ours_have_no_rights_and_write_only_to_volumes(string service)
    {
        var container = await InspectAsync(service);
        var host = container.GetProperty("HostConfig");
        Assert.Equal("1654:1654", container.GetProperty("Config").GetProperty("User").GetString());
        Assert.True(host.GetProperty("ReadonlyRootfs").GetBoolean());
        Assert.Equal("ALL", Assert.Single(host.GetProperty("CapDrop").EnumerateArray()).GetString());
        Assert.Contains("no-new-privileges", host.GetProperty("SecurityOpt").ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Each_is_healthy_limited_and_started_again_and_shows_no_secret(string service)
    {
        // What depends on one that was just restarted is healthy again a moment after it.
        await Eventually.TrueAsync($"{service} to be healthy", async () =>
            (await InspectAsync(service)).GetProperty("State").GetProperty("Health").GetProperty("Status").GetString() == "healthy");
        var container = await InspectAsync(service);
        var host = container.GetProperty("HostConfig");
        Assert.Equal("unless-stopped", host.GetProperty("RestartPolicy").GetProperty("Name").GetString());
        Assert.NotEqual(0, host.GetProperty("Memory").GetInt64());
        Assert.NotEqual(0, host.GetProperty("NanoCpus").GetInt64());
        foreach (var secret in new[] { "postgres-password", "gateway-secret", "mavi-api-key" })
            Assert.DoesNotContain(Stack.Secret(secret), container.GetProperty("Config").GetProperty("Env").ToString().Replace("secrets-for-trying", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Only_the_gateway_is_on_the_front_network_and_every_port_is_published_on_the_loopback(string service)
    {
        var network = (await InspectAsync(service)).GetProperty("NetworkSettings");
        Assert.Equal(service == "gateway", network.GetProperty("Networks").EnumerateObject().Any(static one => one.Name.EndsWith("_front", StringComparison.Ordinal)));
        foreach (var port in network.GetProperty("Ports").EnumerateObject().Where(static port => port.Value.ValueKind == JsonValueKind.Array))
            Assert.All(port.Value.EnumerateArray(), static binding => Assert.Equal("127.0.0.1", binding.GetProperty("HostIp").GetString()));
    }

    async Task<JsonElement> InspectAsync(string service) =>
        JsonDocument.Parse(await stack.DockerAsync("inspect", (await stack.ContainersAsync(service))[0])).RootElement[0];
}
