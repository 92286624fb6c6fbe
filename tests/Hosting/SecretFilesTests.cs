using System.Net;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;

namespace Mavi.Tests.Hosting;

/// <summary>Settings as files, as a container engine mounts secrets.</summary>
public sealed class SecretFilesTests
{
    [Fact]
    public async Task Any_setting_may_come_as_a_file_of_its_name_and_the_file_wins()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "Gateway__Secrets__0", "secret-out-of-a-file\n");
        await using var gateway = GatewayProcess.Start(("Secrets__Directory", folder.Path));
        using var http = new HttpClient { BaseAddress = await gateway.AddressAsync() };

        Assert.Equal(HttpStatusCode.OK, await PostAsync(http, "secret-out-of-a-file"));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(http, GatewayHost.Secret));
    }

    [Fact]
    public async Task The_place_of_the_next_secret_may_be_empty_while_none_is_coming()
    {
        using var folder = new TemporaryFolder();
        Write(folder, "Gateway__Secrets__0", "secret-out-of-a-file\n");
        Write(folder, "Gateway__Secrets__1", "");
        await using var gateway = GatewayProcess.Start(("Secrets__Directory", folder.Path));
        using var http = new HttpClient { BaseAddress = await gateway.AddressAsync() };

        Assert.Equal(HttpStatusCode.OK, await PostAsync(http, "secret-out-of-a-file"));
    }

    [Theory]
    [InlineData(ServiceProcess.Worker)]
    [InlineData(ServiceProcess.Gateway)]
    [InlineData(ServiceProcess.Sandbox)]
    public async Task A_folder_that_is_not_there_ends_each_program_with_one_sentence(string service)
    {
        await using var process = ServiceProcess.Start(service, ("Secrets__Directory", "/nowhere/secrets"));

        Assert.NotEqual(0, await process.ExitCodeAsync());
        Assert.StartsWith("Secrets:Directory is \"/nowhere/secrets\", which cannot be read (", process.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', process.Errors);
    }

    static void Write(TemporaryFolder folder, string name, string value) => File.WriteAllText(Path.Combine(folder.Path, name), value);

    static async Task<HttpStatusCode> PostAsync(HttpClient gateway, string secret)
    {
        using var body = new StringContent(CallbackBodies.Split("kept"));
        using var answer = await gateway.PostAsync(new Uri($"callbacks/mavi/{secret}", UriKind.Relative), body);
        return answer.StatusCode;
    }
}
