using System.Data.Common;
using RabbitMQ.Client.Exceptions;

namespace Mavi.HistoryChecker;

/// <summary>
/// Proves or refutes the four promises from outside: it knows the Sandbox's journal, the queues and the ledger, and nothing of the code that made
/// them. <c>listen</c> binds the taps before a run, <c>verdict</c> reads everything after it and may be asked again.
/// </summary>
static class Checker
{
    const string Usage = """
        listen  --broker AMQP
        verdict --broker AMQP --management URL --journal URL --ledger CONNECTION [-v]
        """;

    /// <returns>0 for PASS, 1 for FAIL, 2 where it could not find out.</returns>
    public static async Task<int> RunAsync(string[] words, TextWriter output, TextWriter errors)
    {
        try
        {
            var places = Places.Parse(words.Skip(1));
            switch (words.FirstOrDefault())
            {
                case "listen":
                    await Taps.ListenAsync(places.Broker);
                    return 0;
                case "verdict":
                    var verdict = Judge.Judged(await ReadAsync(places));
                    await SayAsync(verdict, places.IsVerbose, output, errors);
                    return verdict.IsPass ? 0 : 1;
                default:
                    throw new UsageException($"The command is \"{words.FirstOrDefault()}\"; expected listen or verdict: give one of them first.");
            }
        }
        catch (UsageException wrong)
        {
            await errors.WriteLineAsync($"{wrong.Message}\n{Usage}");
        }
        catch (Exception failed) when (failed is HttpRequestException or DbException or RabbitMQClientException or IOException or TimeoutException or FormatException)
        {
            await errors.WriteLineAsync($"No verdict: {failed.Message} Check that the Sandbox, the broker and the database are the run's and are up, and ask again.");
        }

        return 2;
    }

    /// <summary>Everything there is to see, read once.</summary>
    public static async Task<Evidence> ReadAsync(Places places)
    {
        var (posts, callbacks) = await JournalReader.ReadAsync(places.Journal);
        var depths = await QueueDepths.ReadAsync(places.Management, places.Broker);
        var messages = await Taps.ReadAsync(places.Broker);
        var ledger = await LedgerReader.ReadAsync(places.Ledger);
        return new Evidence(posts, callbacks, messages, depths, ledger);
    }

    static async Task SayAsync(Verdict verdict, bool isVerbose, TextWriter output, TextWriter errors)
    {
        if (isVerbose)
        {
            foreach (var finding in verdict.Findings)
                await errors.WriteLineAsync($"{finding.Kind} {finding.Subject}: {finding.Sentence}");
        }

        await output.WriteLineAsync(verdict.Line);
    }
}
