using System.Security.Cryptography;
using System.Text;

namespace Mavi.CallbackGateway;

/// <summary>Tells whether a callback address ends with one of our secrets, in a time that says nothing about them: neither their length nor which one it was.</summary>
sealed class CallbackSecrets(GatewayOptions options)
{
    readonly byte[][] _hashes = [.. options.Secrets.Select(Hash)];

    public bool Contain(string candidate)
    {
        var hash = Hash(candidate);
        var found = false;
        foreach (var known in _hashes)
            found |= CryptographicOperations.FixedTimeEquals(known, hash);
        return found;
    }

    static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
