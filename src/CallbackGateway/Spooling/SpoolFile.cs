using System.Globalization;

namespace Mavi.CallbackGateway.Spooling;

/// <summary>
/// A callback in the spool. The file holds the body and nothing else; its name says the rest, and sorts by arrival:
/// <c>20260131T235959123Z-0000000001-{SHA-256 of the body}.callback</c>.
/// </summary>
readonly record struct SpoolFile(string Name, DateTimeOffset ReceivedAt, string BodyHash)
{
    public const string Extension = ".callback";

    const string TimeFormat = "yyyyMMdd'T'HHmmssfff'Z'";

    public static SpoolFile Create(DateTimeOffset receivedAt, long sequence, string bodyHash) =>
        new($"{receivedAt.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}-{sequence:D10}-{bodyHash}{Extension}", receivedAt, bodyHash);

    /// <summary>The file of that name; null where the name is none of ours.</summary>
    public static SpoolFile? Parse(string name)
    {
        var parts = Path.GetFileNameWithoutExtension(name).Split('-');
        return parts is [var time, var sequence, { Length: 64 } hash]
            && name.EndsWith(Extension, StringComparison.Ordinal)
            && sequence.All(char.IsAsciiDigit)
            && hash.All(char.IsAsciiHexDigitLower)
            && DateTimeOffset.TryParseExact(time, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var receivedAt)
                ? new SpoolFile(name, receivedAt, hash)
                : null;
    }
}
