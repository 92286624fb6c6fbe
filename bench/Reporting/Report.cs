using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mavi.Bench.Reporting;

/// <summary>The rows of a run, as a table for people and as JSON for programs.</summary>
static class Report
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Table(IEnumerable<Row> rows) => $"""

        | What | Value | Goal | Holds | |
        |---|---:|---|---|---|
        {string.Join('\n', rows.Select(static row => $"| {row.Name} | {Shown(row.Value)} | {row.Goal} | {Shown(row.Holds)} | {row.Note} |"))}

        """;

    /// <summary>One array of objects of <c>name</c>, <c>value</c>, <c>goal</c> and <c>holds</c>; written aside first, so that nobody reads half of it.</summary>
    public static void Write(string file, IEnumerable<Row> rows)
    {
        var unfinished = file + ".part";
        File.WriteAllText(unfinished, JsonSerializer.Serialize(rows.Select(static row => new { row.Name, row.Value, row.Goal, row.Holds }), Json) + "\n");
        File.Move(unfinished, file, overwrite: true);
    }

    static string Shown(double? value) => value?.ToString("0.00##", CultureInfo.InvariantCulture) ?? "-";

    static string Shown(bool? holds) => holds switch { true => "yes", false => "**no**", null => "not judged" };
}
