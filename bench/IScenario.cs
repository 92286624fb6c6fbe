using Mavi.Bench.Reporting;

namespace Mavi.Bench;

/// <summary>Something worth measuring: one or more rows of the table.</summary>
interface IScenario
{
    /// <summary>What it is called on the command line.</summary>
    string Name { get; }

    /// <summary>What is compared with what, in one sentence.</summary>
    string Title { get; }

    /// <summary>Measures in a lab of its own, whose processes end with it; yields each row once it is known.</summary>
    IAsyncEnumerable<Row> MeasureAsync(Lab lab, CancellationToken stop);
}
