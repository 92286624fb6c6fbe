using System.Security.Cryptography;
using System.Text;

namespace Mavi.Contracts;

/// <summary>Name-based UUIDs (RFC 9562, version 5): the same name always gives the same id, on every machine and after every crash.</summary>
public static class NameBasedGuid
{
    /// <summary>The namespace of every id the Mavi worker makes from a name.</summary>
    public static readonly Guid Mavi = new("6f0cbd6b-63c5-5b0e-9a53-0d6f4c2f9f2e");

    /// <summary>The UUID of <paramref name="name"/> (as UTF-8) within <paramref name="space"/>.</summary>
    public static Guid Create(Guid space, string name)
    {
        ArgumentNullException.ThrowIfNull(name);

        Span<byte> spaceBytes = stackalloc byte[16];
        space.TryWriteBytes(spaceBytes, bigEndian: true, out _);

        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // Version 5 is defined over SHA-1; nothing here depends on its strength.
        SHA1.HashData([.. spaceBytes, .. Encoding.UTF8.GetBytes(name)], hash);
#pragma warning restore CA5350
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

    /// <summary>The UUID of <paramref name="name"/> within the namespace of the Mavi worker.</summary>
    public static Guid Create(string name) => Create(Mavi, name);
}
