using System.Text.Json;

namespace Mavi.CallbackGateway.Classifying;

/// <summary>
/// One JSON value as a slice of the callback's own bytes: nothing is copied, however large the callback is. Of members of the same name the
/// last one counts, as in most readers. Outside <see cref="Document"/> the bytes are known to be well formed.
/// </summary>
readonly ref struct JsonSlice(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> _bytes = bytes;

    public bool IsMissing => _bytes.IsEmpty;

    public bool IsObject => First == '{';

    public bool IsArray => First == '[';

    public bool IsString => First == '"';

    public bool IsNumber => char.IsAsciiDigit(First) || First == '-';

    /// <summary>What the value is, in the words of an error text.</summary>
    public string Kind => First switch
    {
        '{' => "an object",
        '[' => "an array",
        '"' => "a string",
        't' => "true",
        'f' => "false",
        'n' => "null",
        '\0' => "missing",
        _ => "a number",
    };

    /// <summary>What is between the quotes of a string without escapes; nothing for anything else.</summary>
    public ReadOnlySpan<byte> Plain => IsString && !_bytes.Contains((byte)'\\') ? _bytes[1..^1] : default;

    char First => _bytes.IsEmpty ? '\0' : (char)_bytes[0];

    /// <summary>The value of a whole document.</summary>
    /// <exception cref="JsonException">It is not one JSON value, or one nested deeper than 64 levels.</exception>
    public static JsonSlice Document(ReadOnlySpan<byte> bytes)
    {
        var reader = new Utf8JsonReader(bytes);
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        var end = (int)reader.BytesConsumed;
        reader.Read();
        return new JsonSlice(bytes[start..end]);
    }

    /// <summary>Finds the members called <paramref name="names"/> in one pass; where each begins and ends goes to the same place of <paramref name="found"/>.</summary>
    public void Find(byte[][] names, Span<Range> found)
    {
        found.Clear();
        var reader = new Utf8JsonReader(_bytes);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = IndexOf(names, ref reader);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (name >= 0)
                found[name] = start..(int)reader.BytesConsumed;
        }
    }

    /// <summary>The same slice of the memory that the document is in.</summary>
    public ReadOnlyMemory<byte> Within(ReadOnlyMemory<byte> document) =>
        document.Span.Overlaps(_bytes, out var offset) ? document.Slice(offset, _bytes.Length) : throw new ArgumentException("It is not of this document.", nameof(document));

    public JsonSlice this[Range range] => new(_bytes[range]);

    public ArrayElements GetEnumerator() => new(_bytes);

    /// <summary>The text of a string, or a number as it is written; null for anything else, and for a string with half a surrogate pair.</summary>
    public string? Text()
    {
        if (IsNumber)
            return System.Text.Encoding.UTF8.GetString(_bytes);
        if (!IsString)
            return null;

        var reader = new Utf8JsonReader(_bytes);
        reader.Read();
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    static int IndexOf(byte[][] names, ref Utf8JsonReader reader)
    {
        try
        {
            for (var index = 0; index < names.Length; index++)
            {
                if (reader.ValueTextEquals(names[index]))
                    return index;
            }
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair in the name: none of ours.
        }

        return -1;
    }

    /// <summary>The elements of an array, for <c>foreach</c>.</summary>
    public ref struct ArrayElements
    {
        readonly ReadOnlySpan<byte> _bytes;
        Utf8JsonReader _reader;

        public ArrayElements(ReadOnlySpan<byte> bytes)
        {
            _bytes = bytes;
            _reader = new Utf8JsonReader(bytes);
            _reader.Read();
        }

        public JsonSlice Current { get; private set; }

        public bool MoveNext()
        {
            if (!_reader.Read() || _reader.TokenType == JsonTokenType.EndArray)
                return false;
            var start = (int)_reader.TokenStartIndex;
            _reader.Skip();
            Current = new JsonSlice(_bytes[start..(int)_reader.BytesConsumed]);
            return true;
        }
    }
}
