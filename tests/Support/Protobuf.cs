using System.Buffers.Binary;
using System.Text;

namespace Mavi.Tests.Support;

/// <summary>A protobuf message as it came over the wire: its fields by number. Enough to read a few of them without generated code.</summary>
sealed class Protobuf
{
    enum Wire
    {
        VarInt = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    readonly List<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> _fields = [];

    public Protobuf(ReadOnlyMemory<byte> message)
    {
        while (!message.IsEmpty)
        {
            var tag = VarInt(ref message);
            var (number, value, bytes) = ((int)(tag >> 3), 0ul, ReadOnlyMemory<byte>.Empty);
            switch ((Wire)(tag & 7))
            {
                case Wire.VarInt:
                    value = VarInt(ref message);
                    break;
                case Wire.Fixed64:
                    value = BinaryPrimitives.ReadUInt64LittleEndian(Take(ref message, 8).Span);
                    break;
                case Wire.Fixed32:
                    value = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref message, 4).Span);
                    break;
                case Wire.Bytes:
                    bytes = Take(ref message, (int)VarInt(ref message));
                    break;
                default:
                    throw new FormatException($"Wire type {tag & 7} of field {number} is none that OTLP uses.");
            }

            _fields.Add((number, value, bytes));
        }
    }

    public bool Has(int number) => _fields.Exists(field => field.Number == number);

    public IEnumerable<Protobuf> Each(int number) => _fields.Where(field => field.Number == number).Select(field => new Protobuf(field.Bytes));

    public ulong Number(int number) => _fields.LastOrDefault(field => field.Number == number).Value;

    public double Double(int number) => BitConverter.UInt64BitsToDouble(Number(number));

    public string Text(int number) => Encoding.UTF8.GetString(_fields.LastOrDefault(field => field.Number == number).Bytes.Span);

    public string Hex(int number) => Convert.ToHexStringLower(_fields.LastOrDefault(field => field.Number == number).Bytes.Span);

    static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> from, int length)
    {
        var taken = from[..length];
        from = from[length..];
        return taken;
    }

    static ulong VarInt(ref ReadOnlyMemory<byte> from)
    {
        var value = 0ul;
        for (var shift = 0; ; shift += 7)
        {
            var next = Take(ref from, 1).Span[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
