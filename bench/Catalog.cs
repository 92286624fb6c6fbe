using Mavi.Bench.Scenarios;

namespace Mavi.Bench;

/// <summary>Every scenario, in the order of the table.</summary>
static class Catalog
{
    public static readonly IReadOnlyList<IScenario> All =
    [
        new GatewayScenario(),
        new SagaScenario(),
        new RequestScenario(),
        new LatencyScenario(),
        new RssScenario(),
        new FootprintScenario(),
        new StartScenario(),
        new LedgerScenario(),
        new SandboxScenario(),
        new MemoryScenario(),
    ];
}
