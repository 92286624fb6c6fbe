using System.Globalization;
using System.Text;
using Mavi.CallbackGateway.Classifying;
using Mavi.Contracts;

namespace Mavi.Tests.CallbackGateway;

public sealed class CallbackClassifierTests
{
    const string Task = "0f3c9a6be1d24c7f8a55d0b1c2e3f4a5";

    static readonly DateTimeOffset At = new(2026, 1, 31, 23, 59, 59, 123, TimeSpan.Zero);

    [Theory]
    [InlineData("200")]
    [InlineData("\"200\"")]
    [InlineData("\"0000\"")]
    public void A_split_of_any_generation_is_read_in_full(string code)
    {
        var split = Is<VideoSplitCompleted>(CallbackBodies.Split(Task, code, "SUCCESS", "FAILED"));

        Assert.Equal((Task, At, 2), (split.TaskId, split.ReceivedAt, split.Segments.Count));
        Assert.Equal(
            new VideoSegment
            {
                AssetId = "re_700000000004194300",
                Index = 0,
                FileName = "segment_video_1a2b3c4d_0000",
                Extension = "mp4",
                SizeBytes = 1048576,
                UploadStatus = "SUCCESS",
                CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(1770000000000),
                ModifiedAt = DateTimeOffset.FromUnixTimeMilliseconds(1770000000010),
            },
            split.Segments[0]);
        Assert.Equal((1, "FAILED"), (split.Segments[1].Index, split.Segments[1].UploadStatus));
    }

    [Theory]
    [InlineData("200")]
    [InlineData("\"200\"")]
    [InlineData("\"0000\"")]
    public void Frames_of_any_generation_are_read_in_full(string code)
    {
        var frames = Is<FramesExtracted>(CallbackBodies.Frames(Task, 3, code));

        Assert.Equal((Task, "im_700000000000000002", At), (frames.TaskId, frames.CollectionId, frames.ReceivedAt));
        Assert.Equal(["imc_700000000000000002_0", "imc_700000000000000002_1", "imc_700000000000000002_2"], frames.FrameIds);
    }

    [Theory]
    [InlineData("""{"file_size":"1048576"}""", 1048576L)]
    [InlineData("""{"file_size":1048576}""", 1048576L)]
    [InlineData("""{"file_size":-1}""", null)]
    [InlineData("""{"file_size":99999999999999999999999999}""", null)]
    [InlineData("""{"file_size":"big"}""", null)]
    [InlineData("""{"file_size":null}""", null)]
    [InlineData("""{}""", null)]
    public void A_size_may_be_a_number_or_a_string_or_unreadable(string members, long? bytes) => Assert.Equal(bytes, OneSegment(members).SizeBytes);

    [Theory]
    [InlineData("""{"create_time":1770000000001}""", "2026-02-02T02:40:00.001Z")]
    [InlineData("""{"create_time":"1770000000001"}""", "2026-02-02T02:40:00.001Z")]
    [InlineData("""{"create_time":253402300800000}""", null)]
    [InlineData("""{"create_time":"-99999999999999999"}""", null)]
    [InlineData("""{"create_time":1e400}""", null)]
    [InlineData("""{"create_time":"yesterday"}""", null)]
    [InlineData("""{"create_time":{"at":1}}""", null)]
    public void A_time_may_be_a_number_or_a_string_or_out_of_range(string members, string? time) =>
        Assert.Equal(time is null ? null : DateTimeOffset.Parse(time, CultureInfo.InvariantCulture), OneSegment(members).CreatedAt);

    [Theory]
    [InlineData("segment_video_1a2b3c4d_0017", 17)]
    [InlineData("segment_video_1a2b3c4d_10000", 10000)]
    [InlineData("a_b_0003_0002", 2)]
    [InlineData("segment_video_1a2b3c4d", null)]
    [InlineData("segment_video_1a2b3c4d_", null)]
    [InlineData("segment_video_1a2b3c4d_-001", null)]
    [InlineData("0001", null)]
    [InlineData("segment_99999999999", null)]
    [InlineData("", null)]
    public void The_index_is_the_number_after_the_last_underscore(string fileName, int? index) =>
        Assert.Equal(index, OneSegment($$"""{"original_filename":"{{fileName}}"}""").Index);

    [Fact]
    public void Unknown_members_and_the_order_of_members_do_not_matter()
    {
        var split = Is<VideoSplitCompleted>(
            $$$"""{"data":{"more":[1,{"splits":7}],"splits":[{"x":{"asset_id":"no"},"asset_id":"re_1"}],"task_id":"no"},"msg":"ok","trace":null,"task_id":"{{{Task}}}","code":200,"success":true,"failed":false}""");

        Assert.Equal((Task, "re_1"), (split.TaskId, split.Segments[0].AssetId));
    }

    [Fact]
    public void Of_a_repeated_member_the_last_counts()
    {
        var failed = Is<TaskFailed>($$$"""{"code":200,"task_id":"a","task_id":"{{{Task}}}","data":{"splits":[]},"code":500}""");

        Assert.Equal((Task, "500"), (failed.TaskId, failed.Code));
    }

    [Fact]
    public void No_segments_and_no_frames_are_results_that_the_saga_judges()
    {
        Assert.Empty(Is<VideoSplitCompleted>($$$"""{"code":200,"task_id":"{{{Task}}}","data":{"splits":[]}}""").Segments);
        Assert.Empty(Is<FramesExtracted>(CallbackBodies.Frames(Task, 0)).FrameIds);
    }

    [Fact]
    public void A_byte_order_mark_and_escapes_are_read_past()
    {
        var body = "\uFEFF" + $$$"""{"c\u006fde":200,"task_id":"\u0030{{{Task[1..]}}}","data":{"splits":[]}}""";

        Assert.Equal(Task, Is<VideoSplitCompleted>(body).TaskId);
    }

    [Fact]
    public void A_stray_byte_in_a_file_name_does_not_cost_the_result()
    {
        byte[] body = [.. Encoding.UTF8.GetBytes($$$"""{"code":200,"task_id":"{{{Task}}}","data":{"splits":[{"asset_id":"re_1","original_filename":"caf"""), 0xE9, .. "_0001\"}]}}"u8];

        var split = Assert.IsType<VideoSplitCompleted>(CallbackClassifier.Classify(body, At).Message);

        Assert.Equal(("caf\uFFFD_0001", 1), (split.Segments[0].FileName, split.Segments[0].Index));
    }

    [Theory]
    [InlineData("ros-sd-20260313-a3f8c2b1")]
    [InlineData("0F3C9A6B-E1D2-4C7F-8A55-D0B1C2E3F4A5")]
    [InlineData("x")]
    [InlineData("задача 7")]
    public void A_task_id_need_not_be_hexadecimal(string taskId) => Assert.Equal(taskId, Is<VideoSplitCompleted>(CallbackBodies.Split(taskId)).TaskId);

    [Theory]
    [InlineData("", "The body is empty; expected a JSON object with a task_id.")]
    [InlineData(" ", "The body is not JSON")]
    [InlineData("<html>", "The body is not JSON")]
    [InlineData("""{"task_id":"a","code":200""", "The body is not JSON")]
    [InlineData("""{"task_id":"a"} more""", "The body is not JSON")]
    [InlineData("\0\0\0\0", "The body is not JSON")]
    [InlineData("NaN", "The body is not JSON")]
    [InlineData("[]", "The body is an array;")]
    [InlineData("\"text\"", "The body is a string;")]
    [InlineData("17", "The body is a number;")]
    [InlineData("null", "The body is null;")]
    [InlineData("{}", "task_id is missing;")]
    [InlineData("""{"task_id":null}""", "task_id is null;")]
    [InlineData("""{"task_id":12345678901234567890}""", "task_id is a number;")]
    [InlineData("""{"task_id":["a"]}""", "task_id is an array;")]
    [InlineData("""{"task_id":""}""", "task_id is a string that is no id;")]
    [InlineData("""{"task_id":"a\u0000b"}""", "task_id is a string that is no id;")]
    [InlineData("""{"task_id":"a\ud800"}""", "task_id is a string that is no id;")]
    [InlineData("""{"code":400,"msg":"Asset not found","data":null}""", "task_id is missing;")]
    public void What_cannot_be_read_is_kept_with_a_reason(string body, string reason)
    {
        var received = Is<CallbackReceived>(body);

        Assert.Equal((null, body, At), (received.TaskId, received.Body, received.ReceivedAt));
        Assert.StartsWith(reason, received.Reason, StringComparison.Ordinal);
        Assert.EndsWith(".", received.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_id_has_128_characters_at_most()
    {
        Is<VideoSplitCompleted>(CallbackBodies.Split(new string('a', 128)));
        Is<CallbackReceived>(CallbackBodies.Split(new string('a', 129)));
    }

    [Fact]
    public void A_deeply_nested_body_is_unreadable_and_not_a_crash()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 100_000));

        Assert.StartsWith("The body is not JSON", Is<CallbackReceived>($$"""{"code":200,"task_id":"{{Task}}","data":{{deep}}""").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_unreadable_and_not_a_crash()
    {
        var random = new Random(7);
        var body = new byte[200];
        for (var round = 0; round < 2000; round++)
        {
            random.NextBytes(body);
            Assert.IsType<CallbackReceived>(CallbackClassifier.Classify(body, At).Message);
        }
    }

    [Fact]
    public void A_good_callback_with_any_byte_changed_or_cut_off_is_never_a_crash()
    {
        var random = new Random(7);
        foreach (var good in new[] { CallbackBodies.Split(Task), CallbackBodies.Frames(Task), CallbackBodies.OtherOperation(Task) }.Select(Encoding.UTF8.GetBytes))
        {
            for (var at = 0; at < good.Length; at++)
            {
                Assert.IsType<CallbackReceived>(CallbackClassifier.Classify(good.AsMemory(0, at), At).Message);
                byte[] changed = [.. good];
                changed[at] = (byte)random.Next(256);
                Assert.NotNull(CallbackClassifier.Classify(changed, At).Message);
            }
        }
    }

    [Theory]
    [InlineData("""{"code":200,"task_id":"T","data":null}""")]
    [InlineData("""{"code":200,"task_id":"T"}""")]
    [InlineData("""{"code":200,"task_id":"T","data":"done"}""")]
    [InlineData("""{"code":200,"task_id":"T","data":{}}""")]
    [InlineData("""{"code":200,"task_id":"T","data":{"asset_id":"re_1","extension":"mp4","file_size":1,"upload_status":"SUCCESS"}}""")]
    [InlineData("""{"code":200,"task_id":"T","data":{"data":[{"start":0,"end":1}],"exec_time":1,"msg":"ok","success":true}}""")]
    [InlineData("""{"code":200,"task_id":"T","data":{"audio_transcription":[],"faces":[],"usage_metadata":[]}}""")]
    public void Other_operations_are_kept_with_their_task_id(string body)
    {
        var received = Is<CallbackReceived>(body);

        Assert.Equal(("T", body), (received.TaskId, received.Body));
        Assert.EndsWith(".", received.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"code":500,"message":"Out of disk","task_id":"T","data":null}""", "500", "Out of disk")]
    [InlineData("""{"code":"0500","msg":"Out of disk","task_id":"T"}""", "0500", "Out of disk")]
    [InlineData("""{"code":500,"message":"","task_id":"T"}""", "500", "The callback's code is 500; expected 200 or \"0000\".")]
    [InlineData("""{"task_id":"T","data":{"splits":[]}}""", null, "The callback's code is missing; expected 200 or \"0000\".")]
    [InlineData("""{"code":true,"task_id":"T","data":{"splits":[]}}""", null, "The callback's code is true; expected 200 or \"0000\".")]
    [InlineData("""{"code":200,"success":false,"message":"no","task_id":"T","data":{"splits":[]}}""", "200", "success is false: no")]
    [InlineData("""{"code":200,"failed":true,"task_id":"T","data":{"splits":[]}}""", "200", "failed is true.")]
    [InlineData("""{"code":"0000","failed":"True","task_id":"T","data":{"splits":[]}}""", "0000", "failed is true.")]
    [InlineData("""{"code":200,"success":0,"task_id":"T","data":{"splits":[]}}""", "200", "success is false.")]
    [InlineData("""{"code":200,"message":"SUCCESS","task_id":"T","data":{"success":false,"msg":"codec","splits":[]}}""", "200", "data.success is false: codec")]
    [InlineData("""{"code":200,"task_id":"T","data":{"failed":true,"asset_id":"im_1","asset_ch_ids":[]}}""", "200", "data.failed is true.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"data":[],"success":false,"msg":"no speech"}}""", "200", "data.success is false: no speech")]
    [InlineData("""{"code":200,"task_id":"T","data":{"splits":null}}""", "200", "data.splits is null; expected an array of segments.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"splits":{}}}""", "200", "data.splits is an object; expected an array of segments.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"splits":[{"asset_id":"re_1"},7]}}""", "200", "data.splits[1] is a number; expected an object.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"splits":[{"asset_id":700000000004194305}]}}""", "200", "data.splits[0].asset_id is a number; expected a string of 1 to 128 characters.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"splits":[{"upload_status":"SUCCESS"}]}}""", "200", "data.splits[0].asset_id is missing; expected a string of 1 to 128 characters.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"asset_id":"im_1"}}""", "200", "data.asset_ch_ids is missing; expected an array of frame ids.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"asset_id":"im_1","asset_ch_ids":null}}""", "200", "data.asset_ch_ids is null; expected an array of frame ids.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"asset_ch_ids":["imc_1_0"]}}""", "200", "data.asset_id is missing; expected a string that begins with im_.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"asset_id":7,"asset_ch_ids":["imc_1_0"]}}""", "200", "data.asset_id is a number; expected a string that begins with im_.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"asset_id":"re_1","asset_ch_ids":["imc_1_0"]}}""", "200", "data.asset_id is no collection's id; expected a string that begins with im_.")]
    [InlineData("""{"code":200,"task_id":"T","data":{"asset_id":"im_1","asset_ch_ids":["imc_1_0",1]}}""", "200", "data.asset_ch_ids[1] is a number; expected a string of 1 to 128 characters.")]
    public void A_failure_or_a_broken_result_is_a_failed_task_with_the_raw_body(string body, string? code, string message)
    {
        var failed = Is<TaskFailed>(body);

        Assert.Equal(("T", code, message, body, At), (failed.TaskId, failed.Code, failed.Message, failed.Body, failed.ReceivedAt));
    }

    [Fact]
    public void Codes_and_messages_without_end_are_cut_and_control_characters_replaced()
    {
        var failed = Is<TaskFailed>($$"""{"code":{{new string('9', 5000)}},"message":"a\u0000b{{new string('m', 5000)}}","task_id":"T"}""");

        Assert.Equal(64, failed.Code!.Length);
        Assert.Equal(2000, failed.Message!.Length);
        Assert.StartsWith("a\uFFFDbm", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_message_id_depends_on_event_task_and_body_alone()
    {
        var body = CallbackBodies.Split(Task);
        var bytes = Encoding.UTF8.GetBytes(body);

        var today = CallbackClassifier.Classify(bytes, At).MessageId(CallbackEvent.HashOf(bytes));
        var later = CallbackClassifier.Classify(bytes, At.AddDays(1)).MessageId(CallbackEvent.HashOf(bytes));

        Assert.Equal(CallbackBodies.MessageId<VideoSplitCompleted>(Task, body), today);
        Assert.Equal(today, later);
    }

    static T Is<T>(string body) => Assert.IsType<T>(CallbackClassifier.Classify(Encoding.UTF8.GetBytes(body), At).Message);

    static VideoSegment OneSegment(string members) =>
        Is<VideoSplitCompleted>($$$"""{"code":200,"task_id":"{{{Task}}}","data":{"splits":[{"asset_id":"re_1",{{{members.Trim('{')}}}]}}""".Replace(",}", "}", StringComparison.Ordinal)).Segments[0];
}
