using System.Security.Cryptography;
using System.Text;
using Mavi.Contracts;

namespace Mavi.Tests.CallbackGateway;

/// <summary>Callbacks as the vendor's pages show them: split of generation A, frames of generation C.</summary>
static class CallbackBodies
{
    public static string NewTaskId() => Guid.NewGuid().ToString("N");

    public static string Split(string taskId, string code = "\"0000\"", params string[] statuses) =>
        $$$"""{"code":{{{code}}},"message":"SUCCESS","task_id":"{{{taskId}}}","data":{"splits":[{{{string.Join(',', (statuses is [] ? ["SUCCESS", "SUCCESS"] : statuses).Select(Segment))}}}]}}""";

    public static string Segment(string status, int index) =>
        $$"""{"asset_id":"re_70000000000419430{{index}}","create_time":"177000000000{{index}}","modify_time":"177000000001{{index}}","extension":"mp4","file_size":1048576,"original_filename":"segment_video_1a2b3c4d_{{index:D4}}","upload_status":"{{status}}"}""";

    public static string Frames(string taskId, int frames = 2, string code = "200") =>
        $$$"""{"code":{{{code}}},"message":"SUCCESS","task_id":"{{{taskId}}}","data":{"asset_id":"im_700000000000000002","asset_ch_ids":[{{{string.Join(',', Enumerable.Range(0, frames).Select(index => $"\"imc_700000000000000002_{index}\""))}}}]}}""";

    public static string OtherOperation(string taskId) =>
        $$$"""{"code":200,"message":"SUCCESS","task_id":"{{{taskId}}}","data":{"data":[{"start":0,"end":41}],"exec_time":1.5,"msg":"ok","success":true}}""";

    /// <summary>The id that an event of this body carries, however it reached its queue: the formula of the design, written down once more.</summary>
    public static Guid MessageId<T>(string? taskId, string body) =>
        NameBasedGuid.Create($"{typeof(T).Name}:{taskId ?? "-"}:{HashOf(body)}");

    public static string HashOf(string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
}
