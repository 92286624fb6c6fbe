using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Mavi.Sandbox;

/// <summary>What one webhook answered: its position in the list, and its status or what went wrong.</summary>
sealed record WebhookAnswer(int Webhook, int? Status, string? Error);

/// <summary>
/// Posts callbacks to every webhook of the account. The vendor states no retry policy; ours is <c>Sandbox:WebhookRetries</c> further attempts, the
/// first after <c>Sandbox:WebhookRetryDelaySeconds</c>, each wait twice the one before, up to an hour. Anything but 2xx, redirects too, is not delivered.
/// </summary>
sealed partial class CallbackSender(SandboxOptions options, Webhooks webhooks, Journal journal, TimeProvider time, ILogger<CallbackSender> logger) : IDisposable
{
    const int AtOnce = 64;
    static readonly TimeSpan LongestDelay = TimeSpan.FromHours(1);

    readonly HttpClient http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    readonly SemaphoreSlim sockets = new(AtOnce);

    /// <summary>Delivers a callback to every webhook; ends when each has it, or has been tried often enough.</summary>
    public async Task DeliverAsync(string? taskId, string? operation, string body, CancellationToken cancel)
    {
        var urls = webhooks.Urls;
        await Task.WhenAll(urls.Select((url, index) => DeliverAsync(index, url, taskId, operation, body, cancel)));
    }

    /// <summary>One attempt for every webhook, by hand; the body need not be JSON.</summary>
    public async Task<IReadOnlyList<WebhookAnswer>> SendOnceAsync(string? taskId, string body, CancellationToken cancel) =>
        await Task.WhenAll(webhooks.Urls.Select(async (url, index) =>
        {
            var entry = await SendAsync(index, url, taskId, operation: null, attempt: 1, body, cancel);
            return new WebhookAnswer(index, entry.Status, entry.Error);
        }));

    async Task DeliverAsync(int index, Uri url, string? taskId, string? operation, string body, CancellationToken cancel)
    {
        var delay = TimeSpan.FromSeconds(options.WebhookRetryDelaySeconds);
        for (var attempt = 1; ; attempt++, delay = delay < LongestDelay ? delay * 2 : delay)
        {
            var entry = await SendAsync(index, url, taskId, operation, attempt, body, cancel);
            if (entry.Delivered)
                return;

            if (attempt > options.WebhookRetries)
            {
                LogGivenUp(taskId, index, attempt, entry.Status, entry.Error);
                return;
            }

            LogNotDelivered(taskId, index, attempt, entry.Status, entry.Error, delay.TotalSeconds);
            await Task.Delay(delay, time, cancel);
        }
    }

    async Task<CallbackEntry> SendAsync(int index, Uri url, string? taskId, string? operation, int attempt, string body, CancellationToken cancel)
    {
        await sockets.WaitAsync(cancel);
        var entry = journal.Sending(taskId, operation, index, Webhooks.Mask(url.OriginalString), attempt, body);
        try
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(options.WebhookTimeoutSeconds), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var response = await http.PostAsync(url, content, either.Token);
            journal.Note(entry, e => e.Status = (int)response.StatusCode);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            journal.Note(entry, e => e.Error = $"no answer within {options.WebhookTimeoutSeconds} s");
        }
        catch (OperationCanceledException)
        {
            journal.Note(entry, e => e.Error = "the Sandbox stopped");
            throw;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            // The bare error of the socket comes where a connection is reset in the moment in which it comes about.
            journal.Note(entry, noted => noted.Error = e.Message);
        }
        finally
        {
            sockets.Release();
        }

        return entry;
    }

    public void Dispose()
    {
        http.Dispose();
        sockets.Dispose();
    }

    [LoggerMessage(1, LogLevel.Information, "Callback of task {TaskId} not delivered to webhook {Webhook} (attempt {Attempt}, status {Status}, {Error}); next attempt in {Seconds} s")]
    private partial void LogNotDelivered(string? taskId, int webhook, int attempt, int? status, string? error, double seconds);

    [LoggerMessage(2, LogLevel.Warning, "Callback of task {TaskId} given up for webhook {Webhook} after {Attempt} attempts (status {Status}, {Error}); send it by hand with POST /sandbox/callbacks")]
    private partial void LogGivenUp(string? taskId, int webhook, int attempt, int? status, string? error);
}
