using System.Text.Json;

namespace Mavi.Tests.Sandbox;

/// <summary>The upload takes anything, as the vendor's does; what a file is not shows in the callback.</summary>
public sealed class UnreadableVideoTests
{
    [Fact]
    public Task A_text_is_no_video() => AssertFailsAsync(Videos.Write("notes.txt", "not a video\n"u8.ToArray()), "cannot be read");

    [Fact]
    public Task A_text_called_mp4_is_no_video() => AssertFailsAsync(Videos.Write("notes.mp4", "not a video\n"u8.ToArray()), "cannot be read");

    [Fact]
    public Task Noise_is_no_video() => AssertFailsAsync(Videos.Write("noise.mp4", [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 31 + i / 7))]), "cannot be read");

    [Fact]
    public Task An_empty_file_has_zero_length() => AssertFailsAsync(Videos.Write("empty.mp4", []), "empty (0 bytes)");

    [Fact]
    public Task A_video_cut_in_its_middle_cannot_be_read() =>
        AssertFailsAsync(Videos.Write("half.mp4", [.. File.ReadAllBytes(Videos.Mp4.Value).Take(50_000)]), "cannot be read");

    [Fact]
    public Task Sound_has_no_video_stream() => AssertFailsAsync(Videos.Sound.Value, "no video stream");

    [Fact]
    public Task A_picture_is_no_video() => AssertFailsAsync(Videos.Picture.Value, "none of the documented video formats");

    [Fact]
    public Task A_playlist_cannot_make_it_read_other_files() =>
        AssertFailsAsync(Videos.Write("list.ffconcat", System.Text.Encoding.UTF8.GetBytes($"ffconcat version 1.0\nfile '{Videos.Mp4.Value}'\n")), "none of the documented video formats");

    static async Task AssertFailsAsync(string path, string says)
    {
        await using var sandbox = await SandboxHost.StartAsync();
        var id = await sandbox.UploadAsync(path);
        foreach (var operation in new[] { "split", "extract-frames" })
        {
            var callback = await sandbox.Webhook.CallbackOfAsync(await sandbox.AcceptedAsync(operation, id));
            Assert.Equal(500, callback.GetProperty("code").GetInt32());
            Assert.Contains(says, callback.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.DoesNotContain(Path.GetTempPath(), callback.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Equal(JsonValueKind.Null, callback.GetProperty("data").ValueKind);
        }
    }
}
