using System.Text.RegularExpressions;

namespace Mavi.Tests.Docs;

/// <summary>What docker-compose.yml can be told, against .env.example and the README.</summary>
public sealed partial class ComposeFileTests
{
    static readonly string Compose = Pages.Read("docker-compose.yml") + Pages.Read("deploy/observability/compose.yml");
    static readonly Dictionary<string, string> Example = Knob().Matches(Pages.Read(".env.example")).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);

    /// <summary>Of compose itself, not of the file.</summary>
    static readonly string[] OfCompose = ["COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES"];

    [Fact]
    public void The_example_has_every_variable_that_the_compose_file_reads_and_no_other()
    {
        var read = Variable().Matches(Compose).Select(match => match.Groups[1].Value).Concat(PassedOn().Matches(Compose).Select(match => match.Groups[1].Value));
        Assert.Equal(read.Concat(OfCompose).Distinct().Order(StringComparer.Ordinal), Example.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_comment_of_the_example_shows_the_default_that_the_compose_file_has()
    {
        var defaults = Variable().Matches(Compose).Where(match => match.Groups[1].Value != "MAVI_TAG").Select(match => (match.Groups[1].Value, match.Groups[2].Value)).Distinct().ToList();
        Assert.NotEmpty(defaults);
        Assert.All(defaults, one => Assert.Equal(one.Item2, Example[one.Item1]));
    }

    [Fact]
    public void A_setting_that_is_passed_on_is_in_the_README_with_the_default_of_the_example()
    {
        var table = Pages.Section(Pages.Readme, "Settings");
        foreach (var name in PassedOn().Matches(Compose).Select(match => match.Groups[1].Value).Where(name => !name.StartsWith("Logging", StringComparison.Ordinal)))
        {
            var row = Assert.Single(table.Split('\n'), line => line.Split(" | ")[0].Contains($"`{name}`", StringComparison.Ordinal));
            Assert.True(Example[name].Length == 0 || row.Contains($"`{Example[name]}`", StringComparison.Ordinal), $"{name} is {Example[name]} in .env.example: {row}");
        }
    }

    [Fact]
    public void No_service_of_the_compose_file_has_a_secret_in_its_environment()
    {
        var given = Environment().Matches(Compose).Select(match => (Name: match.Groups[1].Value, Value: match.Groups[2].Value))
            .Where(one => one.Name.Contains("password", StringComparison.OrdinalIgnoreCase) || one.Name.Contains("secret", StringComparison.OrdinalIgnoreCase)
                || one.Name.Contains("key", StringComparison.OrdinalIgnoreCase) || one.Name.Contains("ConnectionString", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(given);
        Assert.All(given, one => Assert.StartsWith("/run/secrets", one.Value, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\$\{(\w+):-([^}]*)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^ +(\w+__\w+):$", RegexOptions.Multiline)]
    private static partial Regex PassedOn();

    /// <summary>A variable and its value, on a line of their own.</summary>
    [GeneratedRegex(@"^ +([A-Z]\w*[_a-z]\w*): (\S.*)$", RegexOptions.Multiline)]
    private static partial Regex Environment();

    [GeneratedRegex("^#?([A-Z]\\w+)=(.*)$", RegexOptions.Multiline)]
    private static partial Regex Knob();
}
