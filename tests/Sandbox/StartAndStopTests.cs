using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Mavi.Tests.Support;

namespace Mavi.Tests.Sandbox;

public sealed class StartAndStopTests
{
    [Theory]
    [InlineData("Sandbox__SegmentSeconds", "abc", "Sandbox:SegmentSeconds is \"abc\"; expected a number from 0.1 to 86400")]
    [InlineData("Sandbox__SegmentSeconds", "0", "Sandbox:SegmentSeconds is \"0\"")]
    [InlineData("Sandbox__SegmentSeconds", "", "Sandbox:SegmentSeconds is \"\"")]
    [InlineData("Sandbox__FrameIntervalSeconds", "-1", "Sandbox:FrameIntervalSeconds is \"-1\"")]
    [InlineData("Sandbox__RequestsPerSecond", "NaN", "Sandbox:RequestsPerSecond is \"NaN\"")]
    [InlineData("Sandbox__Generation", "B", "Sandbox:Generation is \"B\"; expected A or C")]
    [InlineData("Sandbox__Generation", "1", "Sandbox:Generation is \"1\"")]
    [InlineData("Sandbox__WebhookRetries", "1.5", "Sandbox:WebhookRetries is \"1.5\"; expected a whole number")]
    [InlineData("Sandbox__ParallelTasks", "0", "Sandbox:ParallelTasks is \"0\"")]
    [InlineData("Sandbox__FakeMedia", "yes", "Sandbox:FakeMedia is \"yes\"; expected true or false")]
    [InlineData("Sandbox__SegmentSecond", "5", "Sandbox:SegmentSecond is no setting; expected one of")]
    [InlineData("Sandbox__WebhookUrls", "http://127.0.0.1/hush", "write its first address as Sandbox__WebhookUrls__0")]
    [InlineData("Sandbox__ApiKey", "", "Sandbox:ApiKey")]
    [InlineData("Sandbox__WebhookUrls__0", "localhost/callbacks/mavi/hush", "Sandbox:WebhookUrls:0 is \"localhost/callbacks/mavi/…\"")]
    [InlineData("Sandbox__DataDirectory", "/dev/null/x", "Sandbox:DataDirectory is \"/dev/null/x\"")]
    [InlineData("Sandbox__FfmpegPath", "ffmpeg-that-is-not-there", "apt-get install ffmpeg")]
    [InlineData("ASPNETCORE_URLS", "nonsense", "ASPNETCORE_URLS")]
    public async Task A_wrong_setting_ends_it_at_once_with_one_sentence(string name, string value, string says)
    {
        await using var sandbox = ServiceProcess.Start(ServiceProcess.Sandbox, (name, value));
        Assert.NotEqual(0, await sandbox.ExitCodeAsync());
        Assert.Contains(says, OneLine(sandbox.Errors), StringComparison.Ordinal);
        Assert.DoesNotContain("hush", sandbox.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_one_sentence_too()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}";
        await using var sandbox = ServiceProcess.Start(ServiceProcess.Sandbox, ("ASPNETCORE_URLS", url));
        Assert.NotEqual(0, await sandbox.ExitCodeAsync());
        Assert.Contains("address already in use", OneLine(sandbox.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_on_one_data_directory_do_not_mix()
    {
        var folder = Directory.CreateTempSubdirectory("sandbox-test-").FullName;
        await using (var first = ServiceProcess.Start(ServiceProcess.Sandbox, ("Sandbox__DataDirectory", folder)))
        {
            await first.ReadyAsync();
            await using var second = ServiceProcess.Start(ServiceProcess.Sandbox, ("Sandbox__DataDirectory", folder));
            Assert.NotEqual(0, await second.ExitCodeAsync());
            Assert.Contains("no other Sandbox uses", OneLine(second.Errors), StringComparison.Ordinal);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Sigterm_ends_it_cleanly_with_its_ffmpeg_in_the_middle_of_a_video()
    {
        await using var webhook = await WebhookReceiver.StartAsync();
        await using var sandbox = ServiceProcess.Start(ServiceProcess.Sandbox, ("Sandbox__FrameIntervalSeconds", "0.01"), ("Sandbox__WebhookUrls__0", webhook.Url));
        using var api = new HttpClient { BaseAddress = new Uri(await sandbox.AddressAsync(), "serve/api/v2/") };
        api.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "sk-mavi-sandbox");
        using var form = new MultipartFormDataContent { { new ByteArrayContent(await File.ReadAllBytesAsync(Videos.Long.Value)), "file", "long.mp4" } };
        using var uploaded = await api.PostAsync("upload", form);
        var id = (await SandboxHost.ReadAsync(uploaded)).GetProperty("data").GetProperty("asset_id").GetString();
        using var accepted = await api.PostAsJsonAsync("video/extract-frames", new { asset_id = id });
        var ffmpeg = await Eventually.GetAsync("ffmpeg at work", () => ChildOf(sandbox.Id, "ffmpeg"));

        sandbox.Terminate();
        Assert.Equal(0, await sandbox.ExitCodeAsync());
        Assert.Empty(sandbox.Errors);
        Assert.False(Directory.Exists(ffmpeg));
        Assert.Empty(webhook.Bodies);
    }

    [Fact]
    public async Task It_watches_no_files()
    {
        await using var sandbox = ServiceProcess.Start(ServiceProcess.Sandbox);
        await sandbox.ReadyAsync();
        Assert.DoesNotContain(Directory.GetFiles($"/proc/{sandbox.Id}/fd"), static fd => new FileInfo(fd).LinkTarget is "anon_inode:inotify");
    }

    [Fact]
    public async Task It_says_that_it_lives()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var response = await sandbox.Control.GetAsync("/health/live");
        Assert.Equal(200, (int)response.StatusCode);
    }

    static string OneLine(string said)
    {
        Assert.DoesNotContain('\n', said);
        return said;
    }

    /// <summary>The child's folder under /proc; it goes with the process.</summary>
    static string? ChildOf(int parent, string name)
    {
        using var pgrep = Process.Start(new ProcessStartInfo("pgrep", ["-P", $"{parent}", "-x", name]) { RedirectStandardOutput = true })!;
        var found = pgrep.StandardOutput.ReadToEnd().Trim();
        return found.Length == 0 ? null : $"/proc/{found}";
    }
}
