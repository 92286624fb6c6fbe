using System.Data.Common;
using Mavi.Ledger;
using Mavi.Worker.Submitting;

namespace Mavi.Worker;

/// <summary>What must be done before the first POST: the ledger is there, every operation has its slots, and the way to Mavi is compiled.</summary>
public sealed partial class Preparation(
    SubmissionLedger ledger, LedgerDatabase database, IEnumerable<Operation> operations, IHostApplicationLifetime lifetime, ILogger<Preparation> logger) : BackgroundService
{
    static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done when the first POST may leave.</summary>
    public Task Done => _done.Task;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await WarmUp.RunAsync(operations, stoppingToken);
            await PrepareAsync(stoppingToken);
            if (database.IsSingleMachine)
                LogSingleMachine(database.Place);
            _done.SetResult();
        }
        catch (SchemaTooNewException tooNew)
        {
            LogTooNew(tooNew.Message);
            Environment.ExitCode = 3;
            lifetime.StopApplication();
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    /// <summary>Until it is done: a database that goes away in the middle of it comes back.</summary>
    async Task PrepareAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await ledger.PrepareAsync(operations.Select(static operation => operation.Name), stopping);
                return;
            }
            catch (DbException failed)
            {
                LogNotPrepared(failed.Message);
                await Task.Delay(Again, stopping);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "The ledger is not prepared yet, trying again: {Reason}")]
    partial void LogNotPrepared(string reason);

    [LoggerMessage(LogLevel.Information, "The ledger is the SQLite file {Place}: for one worker on one machine; for more, use PostgreSQL")]
    partial void LogSingleMachine(string place);

    [LoggerMessage(LogLevel.Critical, "{Sentence}")]
    partial void LogTooNew(string sentence);
}
