using System.Buffers;

namespace Mavi.CallbackGateway;

/// <summary>Bytes in an array of the shared pool, which goes back when this is disposed.</summary>
sealed class PooledBytes(int capacity) : IDisposable
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

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_array);
        _array = [];
    }
}
