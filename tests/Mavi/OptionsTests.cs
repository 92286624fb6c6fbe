using Mavi.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Mavi.Tests.Client;

/// <summary>Settings in, one sentence out: what stops a service at its start.</summary>
public sealed class OptionsTests : IDisposable
{
    const string Secret = "sk-mavi-0123456789abcdef";

    readonly string folder = Directory.CreateTempSubdirectory("mavi-options-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_defaults_and_a_key_are_enough()
    {
        var options = await StartAsync(("ApiKey", Secret));

        Assert.Equal("https://mavi-backend.memories.ai/serve/api/v2", options.BaseUrl);
        Assert.Equal((1.0, TimeSpan.FromSeconds(30)), (options.RequestsPerSecond, options.Timeout));
    }

    [Fact]
    public async Task The_key_may_be_in_a_file_with_white_space_around_it()
    {
        await using var server = await MaviServer.StartAsync(200, """{"code":200,"data":{"task_id":"a"}}""");
        var path = Path.Combine(folder, "key with space");
        await File.WriteAllTextAsync(path, $"\uFEFF  {Secret}\r\n\n");
        using var host = Build(("ApiKeyFile", path), ("BaseUrl", server.BaseUrl + "/"));
        await host.StartAsync();

        await host.Services.GetRequiredService<MaviClient>().SplitAsync("re_1", CancellationToken.None);

        var request = Assert.Single(server.Requests);
        Assert.Equal((Secret, "/video/split"), (request.Headers["Authorization"], request.Path));
    }

    [Theory]
    [InlineData("BaseUrl", "mavi.example", "Mavi:BaseUrl is \"mavi.example\"; expected an absolute http or https address")]
    [InlineData("BaseUrl", "", "Mavi:BaseUrl is \"\"; expected")]
    [InlineData("BaseUrl", "ftp://mavi.example/", "Mavi:BaseUrl is \"ftp://mavi.example/\"; expected")]
    [InlineData("BaseUrl", "https://user:" + Secret + "@mavi.example/", "Mavi:BaseUrl is one with a user name or a query (not shown); expected")]
    [InlineData("BaseUrl", "https://mavi.example/?key=" + Secret, "Mavi:BaseUrl is one with a user name or a query (not shown); expected")]
    [InlineData("RequestsPerSecond", "0", "Mavi:RequestsPerSecond is 0; expected a number above 0 and at most 1000")]
    [InlineData("RequestsPerSecond", "-1", "Mavi:RequestsPerSecond is -1; expected")]
    [InlineData("RequestsPerSecond", "1000.5", "Mavi:RequestsPerSecond is 1000.5; expected")]
    [InlineData("RequestsPerSecond", "NaN", "Mavi:RequestsPerSecond is NaN; expected")]
    [InlineData("RequestsPerSecond", "fast", "'fast' at 'Mavi:RequestsPerSecond'")]
    [InlineData("Timeout", "30", "Mavi:Timeout is 30.00:00:00; expected a time from 00:00:01 to 00:10:00")]
    [InlineData("Timeout", "00:00:00.5", "Mavi:Timeout is 00:00:00.5000000; expected")]
    [InlineData("Timeout", "00:10:01", "Mavi:Timeout is 00:10:01; expected")]
    [InlineData("Timeout", "30s", "'30s' at 'Mavi:Timeout'")]
    [InlineData("ApiKeyFile", "also set", "Mavi:ApiKey and Mavi:ApiKeyFile are both set; expected exactly one of")]
    [InlineData("ApiKey", "Bearer " + Secret, "Mavi:ApiKey holds 31 characters, some of them white space")]
    [InlineData("ApiKey", "ключ", "Mavi:ApiKey holds 4 characters")]
    [InlineData("ApiKey", " ", "Mavi:ApiKey is empty; expected the raw key without \"Bearer\"")]
    [InlineData("ApiKey", "", "Mavi:ApiKey is missing; expected exactly one of Mavi:ApiKey (the key) and Mavi:ApiKeyFile")]
    public async Task A_wrong_setting_stops_the_start_with_one_sentence(string name, string value, string expected)
    {
        var stopped = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(("ApiKey", Secret), (name, value)));

        Assert.Contains(expected, stopped.Message, StringComparison.Ordinal);
        Assert.Matches(@"expected .+: \w[^:]+.*\.$", stopped.Message);
        Assert.Single(stopped.Failures);
        Assert.DoesNotContain(Secret, stopped.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing", null, "cannot be read")]
    [InlineData("empty", " \n", "is empty")]
    [InlineData("two lines", "a key\nand more", "holds 14 characters")]
    public async Task A_wrong_key_file_stops_the_start_with_one_sentence(string name, string? content, string expected)
    {
        var path = Path.Combine(folder, name);
        if (content != null)
            await File.WriteAllTextAsync(path, content);

        var stopped = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(("ApiKeyFile", path)));

        Assert.StartsWith($"Mavi:ApiKeyFile (\"{path}\") {expected}", stopped.Message, StringComparison.Ordinal);
    }

    static async Task<MaviOptions> StartAsync(params (string Name, string Value)[] settings)
    {
        using var host = Build(settings);
        await host.StartAsync();
        return host.Services.GetRequiredService<IOptions<MaviOptions>>().Value;
    }

    static IHost Build(params (string Name, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        foreach (var (name, value) in settings)
            builder.Configuration[$"Mavi:{name}"] = value;
        builder.Services.AddMaviClient(builder.Configuration);
        return builder.Build();
    }
}
