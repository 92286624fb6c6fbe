using System.Globalization;
using System.Text.RegularExpressions;
using MassTransit;
using Mavi.CallbackGateway;
using Mavi.CallbackGateway.Publishing;
using Mavi.Client;
using Mavi.Ledger;
using Mavi.Sandbox;
using Mavi.Tests.CallbackGateway;
using Mavi.Worker;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Mavi.Tests.Docs;

/// <summary>The README's table of settings against what the programs read.</summary>
public sealed partial class SettingsTableTests
{
    static readonly IReadOnlyList<SettingRow> Table = [.. Row().Matches(Pages.Section(Pages.Readme, "Settings")).Select(SettingRow.Of)];

    [Fact]
    public void Every_option_is_in_the_table_with_the_default_it_really_has()
    {
        var real = Defaults("Worker", new WorkerOptions()).Concat(Defaults("Mavi", new MaviOptions()))
            .Concat(Defaults("Gateway", new GatewayOptions { Secrets = [] })).Concat(Defaults("Sandbox", new SandboxOptions()));
        var written = Table.Where(row => SectionOfOptions().IsMatch(row.Names[0])).SelectMany(row =>
        {
            Assert.True(row.Names.Count == row.Defaults.Count, $"{row.Names.Count} settings and {row.Defaults.Count} defaults in the row of {row.Names[0]}");
            return row.Names.Zip(row.Defaults, (name, value) => $"{name} = {value}");
        });
        Assert.Equal(real.Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_addresses_that_are_used_without_a_setting_are_those_of_the_table()
    {
        await using var worker = BuildWorker();
        await using var gateway = GatewayApp.Build(["--Gateway:Secrets:0", "0123456789abcdef"]);
        using var data = new TemporaryFolder();
        await using (var sandbox = SandboxApp.Build([$"--Sandbox:DataDirectory={data.Path}"]))
            Assert.Equal(Urls(Find("ASPNETCORE_URLS").Default), new[] { gateway, worker, sandbox }.Select(app => app.Configuration["urls"]!));

        Assert.Equal($"`Data Source={worker.Services.GetRequiredService<LedgerDatabase>().Place}`", Find("ConnectionStrings__Ledger").Default);
        var broker = new Uri(Find("ConnectionStrings__RabbitMq").Default.Trim('`'));
        var address = worker.Services.GetRequiredService<IBus>().Address;
        Assert.Equal((broker.Host, broker.Port), (address.Host, address.Port < 0 ? 5672 : address.Port));
        Assert.Equal($"{broker.Host}:{broker.Port}", $"{gateway.Services.GetRequiredService<BrokerAddress>()}");
    }

    public static TheoryData<string, string, string> Bounds
    {
        get
        {
            var bounds = new TheoryData<string, string, string>();
            foreach (var row in Table.Where(row => row.Least is not null))
                bounds.Add(row.Names[0], row.Least!, row.Most!);
            return bounds;
        }
    }

    [Theory]
    [MemberData(nameof(Bounds))]
    public async Task Bounds_are_taken_and_what_lies_outside_is_refused_by_name(string setting, string least, string most)
    {
        var (low, high) = Outside(least, most);
        Assert.Null(await ComplaintAsync(setting, least));
        Assert.Null(await ComplaintAsync(setting, most));
        var name = setting.Replace("__", ":", StringComparison.Ordinal);
        Assert.Contains(name, await ComplaintAsync(setting, low) ?? "", StringComparison.Ordinal);
        Assert.Contains(name, await ComplaintAsync(setting, high) ?? "", StringComparison.Ordinal);
    }

    static async Task<string?> ComplaintAsync(string setting, string value)
    {
        var name = setting.Replace("__", ":", StringComparison.Ordinal);
        try
        {
            if (name.StartsWith("Gateway:", StringComparison.Ordinal))
            {
                GatewayOptions.From(new ConfigurationBuilder().AddInMemoryCollection(
                    new Dictionary<string, string?> { ["Gateway:Secrets:0"] = "0123456789abcdef", [name] = value }).Build());
                return null;
            }

            await using var worker = BuildWorker($"--{name}", value);
            _ = worker.Services.GetRequiredService<IOptions<WorkerOptions>>().Value;
            _ = worker.Services.GetRequiredService<IOptions<MaviOptions>>().Value;
            return null;
        }
        catch (Exception refused) when (refused is GatewaySettingsException or OptionsValidationException)
        {
            return refused.Message;
        }
    }

    static WebApplication BuildWorker(params string[] settings) => WorkerApp.Build(["--Mavi:ApiKey", "a-key", .. settings]);

    static (string Low, string High) Outside(string least, string most) =>
        int.TryParse(least, CultureInfo.InvariantCulture, out var low) && int.TryParse(most, CultureInfo.InvariantCulture, out var high)
            ? (Text(low - 1), Text(high + 1))
            : (Text(Time(least) - TimeSpan.FromMilliseconds(1)), Text(Time(most) + TimeSpan.FromMilliseconds(1)));

    static TimeSpan Time(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    static IEnumerable<string> Defaults<T>(string section, T options) => typeof(T).GetProperties().Select(property =>
        $"{section}__{property.Name} = {(property.Name == nameof(SandboxOptions.ParallelTasks) ? "processors" : Text(property.GetValue(options)))}");

    /// <summary>As in the environment.</summary>
    static string Text(object? value) => value switch
    {
        null or System.Collections.ICollection { Count: 0 } => "none",
        bool flag => flag ? "true" : "false",
        TimeSpan time => time.ToString("c"),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    static SettingRow Find(string name) => Assert.Single(Table, row => row.Names.Contains(name));

    /// <summary>The first address is whole; the others have only their port.</summary>
    static IEnumerable<string> Urls(string cell)
    {
        var first = Url().Match(cell).Value;
        return [first, .. OtherPort().Matches(cell).Select(match => first[..first.LastIndexOf(':')] + match.Groups[1].Value)];
    }

    [GeneratedRegex(@"^\| (?<names>`\w.*?) \| (?<default>.*?) \| (?<text>.*?)\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("^(Worker|Mavi|Gateway|Sandbox)__")]
    private static partial Regex SectionOfOptions();

    [GeneratedRegex(@"http://[\d.]+:\d+")]
    private static partial Regex Url();

    [GeneratedRegex(@"`(:\d+)`")]
    private static partial Regex OtherPort();

    /// <summary>One row: settings that share it, their defaults in the same order, and the range of the first where one is given.</summary>
    sealed partial record SettingRow(IReadOnlyList<string> Names, string Default, IReadOnlyList<string> Defaults, string? Least, string? Most)
    {
        public static SettingRow Of(Match row)
        {
            var names = Setting().Matches(row.Groups["names"].Value).Select(match => match.Groups[1].Value).ToList();
            var range = Range().Match(row.Groups["text"].Value);
            var cell = row.Groups["default"].Value;
            return new(names, cell, [.. cell.Split(", ").Select(value => value.Trim('`'))], Given(range.Groups[1]), Given(range.Groups[2]));
        }

        static string? Given(Group group) => group.Success ? group.Value : null;

        /// <summary>A list is written by its first entry, <c>…__0</c>.</summary>
        [GeneratedRegex(@"`(\w+?)(?:__0)?`")]
        private static partial Regex Setting();

        [GeneratedRegex("^`([^`]+)` to `([^`]+)`")]
        private static partial Regex Range();
    }
}
