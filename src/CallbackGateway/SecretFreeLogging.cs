namespace Mavi.CallbackGateway;

/// <summary>
/// The secret is part of the path, and the framework writes the path into its request lines at Information, into its debug lines, and into a log
/// scope around everything we log ourselves. These are off, also where the configuration asks for them.
/// </summary>
static class SecretFreeLogging
{
    const string Framework = "Microsoft.AspNetCore";

    // Its lines and, at whatever level it is enabled, the scope with RequestPath.
    const string Diagnostics = "Microsoft.AspNetCore.Hosting.Diagnostics";

    /// <summary>Adds the condition to every rule, because one rule alone would lose against a more specific one of the configuration.</summary>
    public static void KeepPathsOutOfLogs(this IServiceCollection services) => services.PostConfigure<LoggerFilterOptions>(filter =>
    {
        var rules = filter.Rules.Prepend(new LoggerFilterRule(null, null, filter.MinLevel, null)).ToArray();
        filter.Rules.Clear();
        foreach (var rule in rules)
        {
            filter.Rules.Add(new LoggerFilterRule(
                rule.ProviderName,
                rule.CategoryName,
                rule.LogLevel,
                (provider, category, level) => MayLog(category, level) && rule.Filter?.Invoke(provider, category, level) is not false));
        }
    });

    static bool MayLog(string? category, LogLevel level)
    {
        if (category is null || !category.StartsWith(Framework, StringComparison.Ordinal))
            return true;
        return level >= LogLevel.Warning && category != Diagnostics;
    }
}
