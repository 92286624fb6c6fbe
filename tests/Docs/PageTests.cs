using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Mavi.Tests.Docs;

/// <summary>Pages rot where nothing holds them to the sources.</summary>
public sealed partial class PageTests
{
    [Fact]
    public void Every_relative_link_leads_to_something()
    {
        var links = Pages.All.SelectMany(page => Link().Matches(Pages.Read(page)).Select(match => (Page: page, Target: match.Groups[1].Value)))
            .Where(link => !link.Target.Contains("://", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.True(Exists(Path.Combine(Path.GetDirectoryName(link.Page)!, link.Target)), $"{link.Page} links to {link.Target}"));
    }

    [Fact]
    public void Every_path_that_is_named_exists_but_for_what_is_yet_to_be_added()
    {
        var named = Pages.All.SelectMany(page => NamedPath().Matches(Pages.Read(page)).Select(match => (Page: page, Path: match.Groups[1].Value))).ToList();
        Assert.NotEmpty(named);
        var toBeAdded = named.Where(it => it.Page == "docs/adding-an-operation.md" && it.Path.Contains("Clip", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(toBeAdded);
        Assert.All(named.Except(toBeAdded), it => Assert.True(Exists(it.Path), $"{it.Page} names {it.Path}"));
    }

    [Fact]
    public void Every_package_that_a_project_refers_to_has_its_reason_and_no_other()
    {
        var used = Pages.Files(Pages.Root, "*.csproj").SelectMany(project => XDocument.Parse(Pages.Read(project)).Descendants("PackageReference"))
            .Select(reference => reference.Attribute("Include")!.Value).ToHashSet();
        var explained = PackageLine().Matches(Pages.Section(Pages.Read("docs/decisions.md"), "2026-11-21: Packages"))
            .SelectMany(line => Quoted().Matches(line.Value).Select(match => match.Groups[1].Value)).ToHashSet();
        Assert.Equal(used.Order(StringComparer.Ordinal), explained.Order(StringComparer.Ordinal));
    }

    static bool Exists(string path) => Path.Combine(Pages.Root, path) is var whole && (File.Exists(whole) || Directory.Exists(whole));

    [GeneratedRegex(@"\]\(([^)#\s]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:src|tests|docs)/[\w./-]+)`")]
    private static partial Regex NamedPath();

    /// <summary>The names of a line before its colon.</summary>
    [GeneratedRegex("^- `[^:]*:", RegexOptions.Multiline)]
    private static partial Regex PackageLine();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
