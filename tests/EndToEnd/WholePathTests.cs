using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text.Json;
using Mavi.Contracts;
using Mavi.Tests.Sandbox;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

/// <summary>A real video through the whole installation: what callers get, and whether it is what Mavi made.</summary>
public sealed class WholePathTests(ITestOutputHelper log)
{
    [Theory]
    [InlineData("A")]
    [InlineData("C")]
    public async Task A_video_becomes_segments_and_frames_whether_asked_for_in_plain_json_or_in_an_envelope(string generation)
    {
        await using var installation = await Installation.StartAsync(
            log, sandbox: [("Sandbox__Generation", generation), ("Sandbox__SegmentSeconds", "2"), ("Sandbox__FrameIntervalSeconds", "1")]);
        var requests = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ => new Request(Guid.NewGuid(), await UploadAsync(installation))));

        await installation.PublishAsync<SplitVideoRequested>(requests[0].Id, requests[0].AssetId);
        await installation.PublishAsync<ExtractFramesRequested>(requests[1].Id, requests[1].AssetId);
        await installation.PublishEnvelopeAsync(new SplitVideoRequested { RequestId = requests[2].Id, AssetId = requests[2].AssetId });
        await installation.PublishEnvelopeAsync(new ExtractFramesRequested { RequestId = requests[3].Id, AssetId = requests[3].AssetId });
        var outcomes = await installation.EndAsync(requests);

        foreach (var request in (Request[])[requests[0], requests[2]])
            await IsSplitAsync(installation, request, outcomes[request.Id]);
        foreach (var request in (Request[])[requests[1], requests[3]])
            await HasFramesAsync(installation, request, outcomes[request.Id]);
    }

    static async Task IsSplitAsync(Installation installation, Request request, Event outcome)
    {
        var split = outcome.Read<SplitVideoSucceeded>();
        Assert.Equal((request.Id, request.AssetId, false), (split.RequestId, split.AssetId, split.Late));
        Assert.Equal([0, 1, 2, 3], split.Segments.Select(segment => segment.Index));
        Assert.All(split.Segments, segment => Assert.Equal(("mp4", "SUCCESS"), (segment.Extension, segment.UploadStatus)));
        Assert.True(split.SubmittedAt <= split.CompletedAt);

        var played = 0.0;
        foreach (var segment in split.Segments)
        {
            var file = await DownloadAsync(installation, segment.AssetId);
            Assert.Equal(segment.SizeBytes, file.Length);
            played += Videos.PlayedSeconds(Videos.Write($"{segment.AssetId}.mp4", file));
        }

        Assert.Equal(7.0, played, tolerance: 0.2);
    }

    static async Task HasFramesAsync(Installation installation, Request request, Event outcome)
    {
        var frames = outcome.Read<ExtractFramesSucceeded>();
        Assert.Equal((request.Id, request.AssetId, false), (frames.RequestId, frames.AssetId, frames.Late));
        Assert.Equal(Enumerable.Range(0, 7).Select(index => $"imc_{frames.CollectionId["im_".Length..]}_{index}"), frames.FrameIds);
        byte[] jpeg = [0xFF, 0xD8];
        Assert.Equal(jpeg, (await DownloadAsync(installation, frames.FrameIds[6]))[..2]);
        using var zip = new ZipArchive(new MemoryStream(await DownloadAsync(installation, frames.CollectionId)));
        Assert.Equal(7, zip.Entries.Count);
    }

    static async Task<string> UploadAsync(Installation installation)
    {
        using var request = Api(HttpMethod.Post, "upload");
        using var form = new MultipartFormDataContent { { new ByteArrayContent(await File.ReadAllBytesAsync(Videos.Mp4.Value)), "file", "holiday.mp4" } };
        request.Content = form;
        using var answer = await installation.Mavi.SendAsync(request);
        return JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync()).GetProperty("data").GetProperty("asset_id").GetString()!;
    }

    static async Task<byte[]> DownloadAsync(Installation installation, string id)
    {
        using var request = Api(HttpMethod.Get, $"{id}/download");
        using var answer = await installation.Mavi.SendAsync(request);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition?.DispositionType);
        return await answer.Content.ReadAsByteArrayAsync();
    }

    static HttpRequestMessage Api(HttpMethod method, string route) =>
        new(method, new Uri($"serve/api/v2/{route}", UriKind.Relative)) { Headers = { Authorization = new AuthenticationHeaderValue(Installation.Key) } };
}
