using System.Globalization;
using System.Text;
using Mavi.Tests.CallbackGateway;

namespace Mavi.Bench.Loads;

/// <summary>A callback as Mavi sends it, of about a given size; each one that is sent gets a task id of its own.</summary>
sealed class CallbackBody
{
    static readonly string AnyId = new('0', 32);

    // No two runs have a task in common.
    static readonly long Run = Random.Shared.NextInt64();
    static long _number;

    readonly byte[] _bytes;
    readonly int _idAt;

    CallbackBody(string text)
    {
        _bytes = Encoding.UTF8.GetBytes(text);
        _idAt = text.IndexOf(AnyId, StringComparison.Ordinal);
    }

    public int Length => _bytes.Length;

    /// <summary>The largest split that is no larger than <paramref name="bytes"/>.</summary>
    public static CallbackBody Split(int bytes) =>
        new(Largest(bytes, static segments => CallbackBodies.Split(AnyId, statuses: [.. Enumerable.Repeat("SUCCESS", segments)])));

    /// <summary>The largest frames that are no larger than <paramref name="bytes"/>.</summary>
    public static CallbackBody Frames(int bytes) => new(Largest(bytes, static frames => CallbackBodies.Frames(AnyId, frames)));

    /// <summary>Writes the callback of a new task.</summary>
    public void WriteTo(Span<byte> target)
    {
        _bytes.CopyTo(target);
        Span<byte> id = target.Slice(_idAt, AnyId.Length);
        Run.TryFormat(id[..16], out _, "x16", CultureInfo.InvariantCulture);
        Interlocked.Increment(ref _number).TryFormat(id[16..], out _, "x16", CultureInfo.InvariantCulture);
    }

    static string Largest(int bytes, Func<int, string> make)
    {
        var (fits, tooMany) = (1, 2);
        while (make(tooMany).Length <= bytes)
            (fits, tooMany) = (tooMany, tooMany * 2);
        while (tooMany - fits > 1)
        {
            var middle = (fits + tooMany) / 2;
            (fits, tooMany) = make(middle).Length <= bytes ? (middle, tooMany) : (fits, middle);
        }

        return make(fits);
    }
}
