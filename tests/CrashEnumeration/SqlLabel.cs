using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>A name for what a group of SQL statements does: the same for the same statements, whatever their values.</summary>
static partial class SqlLabel
{
    /// <summary>Null for a pool's housekeeping between two users of a connection.</summary>
    public static string? Of(IReadOnlyCollection<string> statements)
    {
        if (statements.Count == 0 || statements.All(Housekeeping().IsMatch))
            return null;
        var acts = statements.Select(ActOf).Distinct().ToList();
        var told = acts.Exists(static act => act.Contains(' ', StringComparison.Ordinal) && !IsRead(act)) ? acts.Where(static act => !IsRead(act)) : acts;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(';', statements))))[..4];
        return $"sql {string.Join(", ", told)} #{hash}";
    }

    static bool IsRead(string act) => act.StartsWith("read", StringComparison.Ordinal);

    static string ActOf(string statement)
    {
        var match = Change().Match(statement);
        if (match.Success)
            return match.Value.ToLowerInvariant();
        match = Read().Match(statement);
        return match.Success ? $"read {match.Groups[1].Value}" : "read";
    }

    [GeneratedRegex(@"^\s*(begin|commit|rollback|insert\s+into\s+\w+|update\s+\w+|delete\s+from\s+\w+|create\s+\w+)", RegexOptions.IgnoreCase)]
    private static partial Regex Change();

    [GeneratedRegex(@"\bfrom\s+(\w+)", RegexOptions.IgnoreCase)]
    private static partial Regex Read();

    [GeneratedRegex(@"^\s*(DISCARD|SET SESSION|RESET|CLOSE|UNLISTEN)", RegexOptions.None)]
    private static partial Regex Housekeeping();
}
