using MassTransit;
using Mavi.Client;
using Mavi.Ledger;
using Mavi.Worker.ExtractingFrames;
using Mavi.Worker.Joining;
using Mavi.Worker.Operating;
using Mavi.Worker.Splitting;
using Mavi.Worker.Submitting;
using Mavi.Worker.Sweeping;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Mavi.Worker;

/// <summary>The composition root: every operation, consumer and sweep by name.</summary>
public static class WorkerServices
{
    const string LedgerSetting = "ConnectionStrings:Ledger";
    const string DefaultLedger = "Data Source=mavi.db";

    /// <summary>Between the broker's stop and the hand-back of what still waits for its slot.</summary>
    static readonly TimeSpan HandBackAfter = TimeSpan.FromSeconds(1);

    /// <summary>Adds everything but the bus.</summary>
    public static IServiceCollection AddMaviWorker(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<WorkerOptions>().Bind(configuration.GetSection("Worker")).ValidateOnStart();
        services.AddSingleton<IValidateOptions<WorkerOptions>, WorkerOptionsValidator>();
        services.AddMaviClient(configuration);
        services.AddLedger(LedgerAddress(configuration[LedgerSetting] ?? DefaultLedger));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<WorkerIdentity>();
        services.AddMetrics();
        services.AddSingleton<WorkerMetrics>();

        services.AddOperation<SplitVideo>();
        services.AddOperation<ExtractFrames>();

        services.AddSingleton<Submitter>();
        services.AddSingleton<CommandHandler>();
        services.AddSingleton<Announcer>();
        // The bus is built with the saga's repository: who is part of that asks for the bus when it is there.
        services.AddSingleton(static provider => new Lazy<IBus>(provider.GetRequiredService<IBus>));
        services.AddSingleton<TaskMemory>();
        services.AddSingleton<AccountWatch>();
        services.AddSingleton<Preparation>();
        services.AddHostedService(static provider => provider.GetRequiredService<Preparation>());
        services.AddHostedService<DeferredSubmissions>();
        services.AddHostedService<Sweep>();

        // A POST in flight is never cut: it may take Mavi:Timeout, and the process waits that long. What only waits is handed back at once.
        services.AddOptions<HostOptions>().Configure<IOptions<MaviOptions>>(static (host, mavi) => host.ShutdownTimeout = mavi.Value.Timeout + TimeSpan.FromSeconds(10));
        services.AddOptions<MassTransitHostOptions>().Configure<IOptions<MaviOptions>>(static (bus, mavi) =>
        {
            bus.ConsumerStopTimeout = HandBackAfter;
            bus.StopTimeout = mavi.Value.Timeout + TimeSpan.FromSeconds(5);
        });
        return services;
    }

    /// <summary>Adds the Worker's consumers and its saga to a bus.</summary>
    public static void AddMaviWorkerEndpoints(this IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<SplitVideoConsumer, SplitVideoConsumerDefinition>();
        bus.AddConsumer<ExtractFramesConsumer, ExtractFramesConsumerDefinition>();
        bus.AddConsumer<CallbackReceivedConsumer, CallbackReceivedConsumerDefinition>();
        bus.AddConsumer<OperatorConsumer, OperatorConsumerDefinition>();
        bus.AddSagaStateMachine<TaskStateMachine, TaskState, TaskStateDefinition>().Repository(LedgerSagaRepository.Register);
    }

    static void AddOperation<T>(this IServiceCollection services)
        where T : Operation => services.AddSingleton<T>().AddSingleton<Operation>(static provider => provider.GetRequiredService<T>());

    static string LedgerAddress(string value)
    {
        try
        {
            LedgerDatabase.Check(value);
            return value;
        }
        catch (ArgumentException wrong)
        {
            throw new OptionsValidationException(LedgerSetting, typeof(string),
                [$"{LedgerSetting} cannot be used: {wrong.Message.ReplaceLineEndings(" ")}; expected \"Host=…;Database=…;Username=…;Password=…\" for PostgreSQL or \"Data Source=file.db\" for SQLite: set ConnectionStrings__Ledger."]);
        }
    }
}
