using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Mavi.Tests.Docs;

/// <summary>The project's own pages, as they lie among the sources.</summary>
static partial class Pages
{
    static readonly string[] NotOurs = ["artifacts", "bin", "obj", "demo-output", "TestResults"];

    /// <summary>The folder of the whole project.</summary>
    public static readonly string Root = RootOf();

    public static string Readme => Read("README.md");

    /// <summary>Every page, as a path below <see cref="Root"/>.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Files(Root, "*.md").Order(StringComparer.Ordinal)];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Files of the project by pattern, as paths below <see cref="Root"/>; not what was built, nor hidden folders.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) => Directory
        .EnumerateDirectories(folder)
        .Where(inner => Path.GetFileName(inner) is var name && !name.StartsWith('.') && !NotOurs.Contains(name))
        .SelectMany(inner => Files(inner, pattern))
        .Concat(Directory.EnumerateFiles(folder, pattern).Select(file => Path.GetRelativePath(Root, file)));

    /// <summary>What stands under a heading, up to the next one of its kind.</summary>
    public static string Section(string page, string heading)
    {
        var from = page.IndexOf($"\n## {heading}\n", StringComparison.Ordinal);
        Assert.True(from >= 0, $"There is no heading \"## {heading}\".");
        var to = page.IndexOf("\n## ", from + 1, StringComparison.Ordinal);
        return to < 0 ? page[from..] : page[from..to];
    }

    /// <summary>The one fenced block of a language, without its fences.</summary>
    public static string Block(string text, string language) => Assert.Single(Fence().Matches(text), fence => fence.Groups["language"].Value == language).Groups["body"].Value;

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<body>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    static string RootOf([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
