using System.Text.RegularExpressions;

namespace Mavi.Ledger.Scripts;

/// <summary>
/// Statements that are run often, read once: each with its parameters in the order of their first use. The library that the rest goes through reads the text again
/// each time, and finds out anew what is to be written and read how.
/// </summary>
/// <param name="text">Statements with <c>@Name</c>, <c>{now}</c> and <c>{asOf}</c> in them, each ended by a semicolon; none may be within a literal.</param>
sealed partial class Script(string text)
{
    Parts? _parts;

    /// <summary>The statements as one database understands them. A process has one ledger, hence one of them.</summary>
    public Parts For(Dialect dialect, bool hasOwnClock) =>
        _parts is { } parts && parts.Dialect == dialect ? parts : _parts = new Parts(dialect, dialect.Render(text, hasOwnClock));

    /// <summary>What is sent.</summary>
    public sealed class Parts
    {
        public Parts(Dialect dialect, string rendered)
        {
            (Dialect, Whole) = (dialect, rendered);
            Names = [.. NameOf(rendered).Distinct()];
            Statements = [.. rendered.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(static statement =>
            {
                string[] names = [.. NameOf(statement).Distinct()];
                return new Statement(Parameter().Replace(statement, match => $"${Array.IndexOf(names, match.Groups[1].Value) + 1}"), names);
            })];
        }

        public Dialect Dialect { get; }

        /// <summary>All of it, with named parameters.</summary>
        public string Whole { get; }

        /// <summary>All parameters.</summary>
        public IReadOnlyList<string> Names { get; }

        /// <summary>One by one, with numbered parameters.</summary>
        public IReadOnlyList<Statement> Statements { get; }

        static IEnumerable<string> NameOf(string statement) => Parameter().Matches(statement).Select(static match => match.Groups[1].Value);
    }

    /// <summary>A statement with <c>$1</c>, <c>$2</c>, … for these names.</summary>
    public sealed record Statement(string Text, IReadOnlyList<string> Names);

    [GeneratedRegex("@([A-Za-z]+)")]
    private static partial Regex Parameter();
}
