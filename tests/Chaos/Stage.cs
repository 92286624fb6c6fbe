using Mavi.Chaos.Fuzzing;
using Mavi.Chaos.Limits;
using Mavi.Chaos.Outages;
using Mavi.Chaos.Spools;

namespace Mavi.Chaos;

/// <summary>A run of this program: prints its figures and a verdict line, and says whether that is PASS.</summary>
interface IRun
{
    /// <summary>What is about to happen, in one sentence.</summary>
    string Title { get; }

    Task<bool> ExecuteAsync(RunFolder folder, TextWriter log, CancellationToken stop);
}

/// <summary>Every run by its name, and what is common to them: options, a folder, a log, an exit code.</summary>
static class Stage
{
    const int WrongOptions = 2;
    const int Interrupted = 130;

    const string Usage = """
        chaos  [--requests N] [--kills N] [--seed S] [--minutes M] [--cluster] [--keep]
        limit  [--workers 1,2,4,8] [--minutes M] [--keep]
        outage [--requests N] [--minutes M] [--seed S] [--keep]
        spool  [--minutes M] [--rate N] [--keep]
        fuzz   [--count N] [--seed S] [--keep]
        """;

    static readonly Dictionary<string, Func<Options, IRun>> Runs = new()
    {
        ["chaos"] = static options => new Run(Settings.From(options)),
        ["limit"] = static options => new LimitRun(LimitSettings.From(options)),
        ["outage"] = static options => new OutageRun(OutageSettings.From(options)),
        ["spool"] = static options => new SpoolRun(SpoolSettings.From(options)),
        ["fuzz"] = static options => new FuzzRun(FuzzSettings.From(options)),
    };

    /// <returns>0 where the verdict is PASS, 1 where it is not or the run failed, 2 for wrong options, 130 where it was interrupted.</returns>
    public static async Task<int> ExecuteAsync(string[] words, CancellationToken stop)
    {
        try
        {
            var options = new Options(words.Skip(1));
            var run = Runs.GetValueOrDefault(words.FirstOrDefault() ?? "")
                ?? throw new SettingsException($"The run is \"{words.FirstOrDefault()}\"; expected one of {string.Join(", ", Runs.Keys)}: give one of them first.");
            var keepLogs = options.Switch("--keep");
            var made = run(options);
            options.End();
            return await ExecuteAsync(made, keepLogs, stop);
        }
        catch (SettingsException wrong)
        {
            await Console.Error.WriteLineAsync($"{wrong.Message}\n{Usage}");
            return WrongOptions;
        }
    }

    static async Task<int> ExecuteAsync(IRun run, bool keepLogs, CancellationToken stop)
    {
        await using var folder = new RunFolder();
        await using var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(folder.Logs, "runner.log")) { AutoFlush = true });
        var code = 1;
        try
        {
            Console.WriteLine(run.Title);
            code = await run.ExecuteAsync(folder, log, stop) ? 0 : 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.WriteLine("Interrupted; everything that was started is ended.");
            code = Interrupted;
        }
        catch (Exception failed) when (failed is not SettingsException)
        {
            await log.WriteLineAsync(failed.ToString());
            Console.WriteLine($"The run itself failed: {failed.Message}");
        }

        if (code == 1 || keepLogs)
        {
            folder.KeepLogs();
            Console.WriteLine($"Logs: {folder.Logs}");
        }

        return code;
    }
}
