using System.IO.Compression;
using System.Text;

namespace Mavi.Tests.Hostile;

/// <summary>Good bodies made bad, repeatable by seed: what a broken sender, a drifting vendor or somebody who means harm could send.</summary>
sealed class Mutations(int seed)
{
    readonly Random _random = new(seed);

    /// <summary>One to three mutations of one of the samples.</summary>
    public byte[] Of(IReadOnlyList<string> samples)
    {
        var body = Encoding.UTF8.GetBytes(samples[_random.Next(samples.Count)]);
        for (var i = _random.Next(1, 4); i > 0; i--)
            body = Mutate(body);
        return body;
    }

    byte[] Mutate(byte[] body) => _random.Next(16) switch
    {
        0 => Flip(body),
        1 => body[..At(body)],
        2 => [.. body[..At(body)], .. body[At(body)..]],
        3 => Insert(body, Bytes(_random.Next(1, 40))),
        4 => Insert(body, Encoding.UTF8.GetBytes(Deep("[", _random.Next(1, 5000)))),
        5 => Insert(body, Encoding.UTF8.GetBytes(Deep("{\"a\":", _random.Next(1, 2000)))),
        6 => Replace(body, "\"", ""),
        7 => Replace(body, "\":\"", "\":" + new string('9', _random.Next(1, 400)) + ",\"x\":\""),
        8 => Replace(body, "{", "{\"task_id\":\"dup\",\"requestId\":null,\"data\":1,"),
        9 => [0xEF, 0xBB, 0xBF, .. body],
        10 => Insert(body, "\\u0000\\ud800\u202E\uFFFF"u8.ToArray()),
        11 => Insert(body, [0xC3, 0x28, 0xF0, 0x9F, 0x00]),
        12 => Zip(body),
        13 => Insert(body, Encoding.UTF8.GetBytes(string.Join(',', Enumerable.Range(0, _random.Next(1, 5000)).Select(static i => $"\"imc_{i}\"")))),
        14 => Replace(body, "200", Pick("1e999", "-0", "200.0", "\"200 \"", "null", "true", "{}", "[]", "2e2")),
        _ => Insert(body, Encoding.UTF8.GetBytes(new string(Pick("a", "/", "%", "\"", "\\", "../")[0], _random.Next(1, 20_000)))),
    };

    byte[] Flip(byte[] body)
    {
        if (body.Length == 0)
            return body;
        var changed = (byte[])body.Clone();
        changed[_random.Next(changed.Length)] ^= (byte)(1 << _random.Next(8));
        return changed;
    }

    /// <summary>As a sender who compresses without saying so.</summary>
    static byte[] Zip(byte[] body)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest))
            gzip.Write(body);
        return zipped.ToArray();
    }

    byte[] Insert(byte[] body, byte[] what)
    {
        var at = At(body);
        return [.. body[..at], .. what, .. body[at..]];
    }

    byte[] Replace(byte[] body, string what, string by)
    {
        var text = Encoding.UTF8.GetString(body);
        var places = Enumerable.Range(0, text.Length).Where(i => string.CompareOrdinal(text, i, what, 0, what.Length) == 0).Take(200).ToList();
        if (places.Count == 0)
            return body;
        var at = places[_random.Next(places.Count)];
        return Encoding.UTF8.GetBytes(string.Concat(text.AsSpan(0, at), by, text.AsSpan(at + what.Length)));
    }

    byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    int At(byte[] body) => _random.Next(body.Length + 1);

    string Pick(params string[] from) => from[_random.Next(from.Length)];

    static string Deep(string open, int depth) => string.Concat(Enumerable.Repeat(open, depth));
}
