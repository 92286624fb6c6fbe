using System.Globalization;
using System.Text;
using Mavi.Contracts;

namespace Mavi.CallbackGateway.Classifying;

/// <summary>Reads <c>data.splits</c> of the page "Video Split". Only the asset id must be right; everything else is null where it cannot be read.</summary>
static class Segments
{
    enum Member { AssetId, FileName, Extension, FileSize, UploadStatus, CreateTime, ModifyTime }

    static readonly byte[][] Names = Array.ConvertAll(
        ["asset_id", "original_filename", "extension", "file_size", "upload_status", "create_time", "modify_time"], Encoding.UTF8.GetBytes);

    /// <summary>The segments in their order; or what is wrong with them, one sentence.</summary>
    public static string? Read(JsonSlice splits, out List<VideoSegment> segments)
    {
        segments = [];
        if (!splits.IsArray)
            return $"data.splits is {splits.Kind}; expected an array of segments.";

        Span<Range> members = stackalloc Range[Names.Length];
        foreach (var split in splits)
        {
            if (!split.IsObject)
                return $"data.splits[{segments.Count}] is {split.Kind}; expected an object.";

            split.Find(Names, members);
            var asset = split[members[(int)Member.AssetId]];
            if (CallbackClassifier.IdOf(asset) is not { } assetId)
                return CallbackClassifier.NotAnId($"data.splits[{segments.Count}].asset_id", asset);

            var fileName = TextOf(split[members[(int)Member.FileName]]);
            segments.Add(new VideoSegment
            {
                AssetId = assetId,
                Index = IndexOf(fileName),
                FileName = fileName,
                Extension = TextOf(split[members[(int)Member.Extension]]),
                SizeBytes = Number(split[members[(int)Member.FileSize]]) is >= 0 and var size ? size : null,
                UploadStatus = TextOf(split[members[(int)Member.UploadStatus]]),
                CreatedAt = Time(split[members[(int)Member.CreateTime]]),
                ModifiedAt = Time(split[members[(int)Member.ModifyTime]]),
            });
        }

        return null;
    }

    static string? TextOf(JsonSlice value) => value.IsString ? CallbackClassifier.Printable(value.Text()) : null;

    /// <summary>The digits after the last underscore; four of them today, more from segment 10000 on.</summary>
    static int? IndexOf(string? fileName)
    {
        var digits = fileName.AsSpan(fileName is null ? 0 : fileName.LastIndexOf('_') + 1);
        return digits.Length < fileName?.Length && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
    }

    static long? Number(JsonSlice value) =>
        long.TryParse(value.Text(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Milliseconds since 1970 as a string or a number; null where they are no time from the year 1 to 9999.</summary>
    static DateTimeOffset? Time(JsonSlice value)
    {
        const long Year1 = -62_135_596_800_000;
        const long Year9999 = 253_402_300_799_999;
        return Number(value) is >= Year1 and <= Year9999 and var milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
    }
}
