using Mavi.Bench.Reporting;
using Mavi.Chaos;

namespace Mavi.Bench;

/// <summary>A whole run: its scenarios one after the other, each in a lab of its own; Markdown on the standard output, progress on the error output.</summary>
static class Stage
{
    const int WrongWords = 2;
    const int Interrupted = 130;

    /// <returns>0 where no goal was missed, 1 where one was or something could not be measured, 2 for wrong words, 130 where it was interrupted.</returns>
    public static async Task<int> ExecuteAsync(string[] given, CancellationToken stop)
    {
        try
        {
            var words = Words.Of(given);
            var machine = new Machine();
            var rows = new List<Row>();
            Console.WriteLine("# Performance");
            foreach (var scenario in words.Scenarios)
                await PlayAsync(scenario, machine, words.IsQuick, rows, stop);

            Console.WriteLine("\n## All of it");
            Console.WriteLine(machine.Table());
            Console.WriteLine(Report.Table(rows));
            if (words.JsonFile is { } file)
                Report.Write(file, rows);
            return rows.Exists(static row => row.Holds == false) ? 1 : 0;
        }
        catch (SettingsException wrong)
        {
            await Console.Error.WriteLineAsync($"{wrong.Message}\n{Words.Usage}");
            return WrongWords;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted; every process of the run has been ended.");
            return Interrupted;
        }
    }

    /// <summary>A scenario that fails is a row that does not hold; the others go on.</summary>
    static async Task PlayAsync(IScenario scenario, Machine machine, bool isQuick, List<Row> rows, CancellationToken stop)
    {
        await Console.Error.WriteLineAsync($"{scenario.Name}: {scenario.Title}");
        Console.WriteLine($"\n## {scenario.Name}\n\n{scenario.Title}.");
        await using var lab = new Lab(machine, isQuick, Console.Out, Console.Error);
        try
        {
            await foreach (var row in scenario.MeasureAsync(lab, stop))
                rows.Add(row);
        }
#pragma warning disable CA1031 // Whatever went wrong: it is told, it counts as missed, and what the other scenarios find is not thrown away for it.
        catch (Exception failed) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            lab.Folder.KeepLogs();
            await Console.Error.WriteLineAsync($"  failed: {failed}\n  The logs of its processes are in {lab.Folder.Logs}");
            rows.Add(Row.Failed(scenario.Name, failed.Message.ReplaceLineEndings(" ").Replace('|', '/')));
        }
    }
}
