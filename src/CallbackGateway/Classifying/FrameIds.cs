using System.Collections;

namespace Mavi.CallbackGateway.Classifying;

/// <summary>
/// The frame ids of a callback, checked, and left as the JSON they came in: a long video has a hundred thousand of them, and the event holds them as they are.
/// Reads the callback's own memory, so it is good only as long as that is.
/// </summary>
sealed class FrameIds : IReadOnlyList<string>
{
    FrameIds(ReadOnlyMemory<byte> json, int count) => (Json, Count) = (json, count);

    /// <summary>The JSON array.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    public int Count { get; }

    public string this[int index] => this.ElementAt(index);

    /// <summary>The ids in <paramref name="json"/>, a well-formed array; or what is wrong with them, one sentence.</summary>
    public static string? Read(ReadOnlyMemory<byte> json, out FrameIds ids)
    {
        var count = 0;
        ids = new(default, 0);
        foreach (var element in new JsonSlice(json.Span))
        {
            if (!CallbackClassifier.IsId(element))
                return CallbackClassifier.NotAnId($"data.asset_ch_ids[{count}]", element);
            count++;
        }

        ids = new(json, count);
        return null;
    }

    public IEnumerator<string> GetEnumerator()
    {
        var ids = new List<string>(Count);
        foreach (var element in new JsonSlice(Json.Span))
            ids.Add(element.Text()!);
        return ids.GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
