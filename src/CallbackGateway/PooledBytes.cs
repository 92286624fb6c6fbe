using System.Buffers;

namespace Mavi.CallbackGateway;

/// <summary>Bytes in an array of the shared pool, which goes back when this is disposed. Written into directly, or as a buffer writer that grows.</summary>
sealed class PooledBytes(int capacity) : IBufferWriter<byte>, IDisposable
{
    byte[] _array = ArrayPool<byte>.Shared.Rent(Math.Max(capacity, 1));

    /// <summary>How many bytes may be filled; the pool may have given more.</summary>
    public int Capacity { get; private set; } = capacity;

    /// <summary>How many bytes are filled.</summary>
    public int Length { get; set; }

    public Memory<byte> Buffer => _array.AsMemory(0, Capacity);

    public ReadOnlyMemory<byte> Memory => _array.AsMemory(0, Length);

    public ReadOnlySpan<byte> Span => _array.AsSpan(0, Length);

    public void Grow(int to)
    {
        var larger = ArrayPool<byte>.Shared.Rent(to);
        Span.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        (_array, Capacity) = (larger, to);
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        var needed = Length + Math.Max(sizeHint, 1);
        if (needed > Capacity)
            Grow(Math.Max(needed, Capacity * 2));
        return _array.AsMemory(Length, Capacity - Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_array);
        _array = [];
    }
}
