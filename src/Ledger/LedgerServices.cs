using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mavi.Ledger;

/// <summary>Registers the ledger.</summary>
public static class LedgerServices
{
    /// <summary>The ledger on the database that <paramref name="connectionString"/> names.</summary>
    /// <param name="services">The container.</param>
    /// <param name="connectionString"><c>Host=…</c> is PostgreSQL, <c>Data Source=…</c> is SQLite.</param>
    public static IServiceCollection AddLedger(this IServiceCollection services, string connectionString) => services
        .AddSingleton(provider => new LedgerDatabase(
            connectionString, provider.GetRequiredService<ILogger<LedgerDatabase>>(), provider.GetService<LedgerClock>()?.Time))
        .AddSingleton<SubmissionLedger>()
        .AddSingleton<SubmissionSweeps>()
        .AddSingleton<OperatorLedger>()
        .AddSingleton<TaskLedger>()
        .AddSingleton<TaskSweeps>()
        .AddSingleton<CallbackLedger>()
        .AddSingleton<Announcements>()
        .AddSingleton<Retention>()
        .AddSingleton<LedgerView>();
}

/// <summary>Registered by tests of deadlines only: in production time is the database's, because workers' clocks differ.</summary>
public sealed record LedgerClock(TimeProvider Time);
