using System.Globalization;
using Mavi.Bench.Measuring;

namespace Mavi.Bench.Reporting;

/// <summary>All figures of a comparison, as a table in Markdown: median (least to greatest) of each.</summary>
static class Figures
{
    static readonly (string Title, string Format, Func<Round, double> Of)[] Columns =
    [
        ("operations/s", "0.##", static round => round.PerSecond),
        ("p50 ms", "0.00", static round => round.P50),
        ("p99 ms", "0.00", static round => round.P99),
        ("own CPU-s/10k", "0.000", static round => round.CpuPer10k(round.Own)),
        ("broker CPU-s/10k", "0.000", static round => round.CpuPer10k(round.Broker)),
        ("database CPU-s/10k", "0.000", static round => round.CpuPer10k(round.Database)),
        ("RSS MiB", "0", static round => round.ResidentMebibytes),
    ];

    public static string Table(Comparison comparison) => Table(
        $"**{comparison.Name}**: {comparison.SubjectRounds.Count} pairs after {comparison.Discarded} discarded{(comparison.HasSettled ? "" : ", which had not settled")}",
        Line(comparison.Subject, comparison.SubjectRounds), Line(comparison.Reference, comparison.ReferenceRounds));

    /// <summary>Rounds that are compared with nothing.</summary>
    public static string Table(string name, string side, IReadOnlyList<Round> rounds) => Table($"**{name}**: {rounds.Count} rounds", Line(side, rounds));

    static string Table(string title, params string[] lines) => $"""

        {title}

        | | {string.Join(" | ", Columns.Select(static column => column.Title))} |
        |---|{string.Concat(Enumerable.Repeat("---:|", Columns.Length))}
        {string.Join('\n', lines)}

        """;

    static string Line(string side, IReadOnlyList<Round> rounds) => $"| {side} | {string.Join(" | ", Columns.Select(column => Cell(new Spread(rounds.Select(column.Of)), column.Format)))} |";

    /// <summary>A dash where that process had no part in it.</summary>
    static string Cell(Spread figure, string format) => figure.Greatest == 0 ? "-" : $"{Shown(figure.Median, format)} ({Shown(figure.Least, format)} to {Shown(figure.Greatest, format)})";

    static string Shown(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
