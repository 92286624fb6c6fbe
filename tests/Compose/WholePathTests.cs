using System.Net.Http.Headers;
using System.Text.Json;
using Mavi.HistoryChecker;
using Mavi.Tests.Support;

namespace Mavi.Tests.Compose;

/// <summary>What somebody sees who has just started the system.</summary>
[Collection(OneStack.Name)]
public sealed class WholePathTests(Stack stack)
{
    const string Api = "serve/api/v2";

    [Fact]
    public async Task A_real_video_becomes_segments_and_frames()
    {
        var assetId = await UploadAsync();
        Request[] requests =
        [
            new() { Id = $"{Guid.NewGuid()}", Operation = "Split", AssetId = assetId }, new() { Id = $"{Guid.NewGuid()}", Operation = "ExtractFrames", AssetId = assetId },
        ];

        await stack.PublishAsync(requests);
        await stack.EndAsync(requests);

        var segments = requests[0].Outcomes[0].Content.GetProperty("segments");
        Assert.Equal(3, segments.GetArrayLength());
        Assert.Equal(25, requests[1].Outcomes[0].Content.GetProperty("frameIds").GetArrayLength());
        Assert.Equal("ftyp", await DownloadAsync(segments[0].GetProperty("assetId").GetString()!));
    }

    [Fact]
    public async Task The_gateway_answers_404_where_the_secret_is_wrong_and_keeps_what_comes_with_the_right_one()
    {
        Assert.Equal(404, await CallAsync("wrong-secret-of-24-letters", "{}"));
        Assert.Equal(200, await CallAsync(Stack.Secret("gateway-secret"), """{"code":200,"message":"SUCCESS","task_id":"ros-1","data":{"other":true}}"""));
        await Eventually.TrueAsync("the Worker to have taken it", async () => await stack.CountAsync("mavi-callbacks") == 0);
    }

    /// <summary>A video of 25 s, made by the Sandbox's own ffmpeg.</summary>
    async Task<string> UploadAsync()
    {
        const string Video = "/tmp/video.mp4";
        var sandbox = (await stack.ContainersAsync("sandbox"))[0];
        await stack.DockerAsync(
            "exec", sandbox, "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10:duration=25", "-g", "10", "-pix_fmt", "yuv420p", Video);
        var bytes = Convert.FromBase64String(await stack.DockerAsync("exec", sandbox, "base64", Video));

        using var file = new ByteArrayContent(bytes);
        using var form = new MultipartFormDataContent { { file, "file", "video.mp4" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{Api}/upload", UriKind.Relative)) { Content = form };
        return (await SendAsync(request, static async content =>
            JsonDocument.Parse(await content.ReadAsByteArrayAsync()).RootElement.GetProperty("data").GetProperty("asset_id").GetString()))!;
    }

    /// <summary>The kind of box that an MP4 file begins with.</summary>
    async Task<string> DownloadAsync(string assetId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{Api}/{assetId}/download", UriKind.Relative));
        return await SendAsync(request, static async content => System.Text.Encoding.ASCII.GetString((await content.ReadAsByteArrayAsync())[4..8]));
    }

    async Task<T> SendAsync<T>(HttpRequestMessage request, Func<HttpContent, Task<T>> read)
    {
        request.Headers.Authorization = AuthenticationHeaderValue.Parse(Stack.Secret("mavi-api-key"));
        using var answer = await stack.Sandbox.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await read(answer.Content);
    }

    async Task<int> CallAsync(string secret, string body)
    {
        using var content = new StringContent(body);
        using var answer = await stack.Gateway.PostAsync(new Uri($"callbacks/mavi/{secret}", UriKind.Relative), content);
        return (int)answer.StatusCode;
    }
}
