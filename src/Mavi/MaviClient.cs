using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Mavi.Client;

/// <summary>
/// The API "Mavi" (memories.ai), version 2. Every call is one request: nothing is retried and no redirect is followed here, because a second POST
/// costs money; <see cref="MaviException.Kind"/> says what may be tried again. Safe for use by many threads.
/// </summary>
/// <remarks>
/// Cancelling a call gives <see cref="OperationCanceledException"/>, except where a billed call (split, extract frames) had left: whether it was
/// accepted is then not known, and it ends as <see cref="MaviFailure.Unknown"/>. So an <see cref="OperationCanceledException"/> from those two
/// always means that nothing was sent. Better still is to give them a token that does not fire: <see cref="MaviOptions.Timeout"/> bounds them.
/// </remarks>
public sealed partial class MaviClient : IDisposable
{
    const int MaxIdLength = 128;

    readonly HttpClient http;
    readonly ApiKey key;
    readonly string baseUrl;
    readonly TimeSpan timeout;
    readonly TimeProvider time;

    /// <param name="http">Must neither retry, follow redirects nor time out by itself: <see cref="MaviServices.NewHttpClient"/>. Disposed with the client.</param>
    /// <param name="options">Valid ones; the key is read from them now.</param>
    /// <param name="time">Measures the calls and ends those that take too long.</param>
    /// <exception cref="ArgumentException">The options hold no usable key.</exception>
    public MaviClient(HttpClient http, MaviOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        (this.http, this.time) = (http, time);
        (baseUrl, timeout, key) = (options.BaseUrl.TrimEnd('/'), options.Timeout, new ApiKey(options));
    }

    /// <inheritdoc />
    public void Dispose() => http.Dispose();

    Deadline NewDeadline(CancellationToken ct) => new(timeout, time, ct);

    async Task<Exchange> SendAsync(Call call, CancellationToken ct)
    {
        using var deadline = NewDeadline(ct);
        return await SendAsync(call, deadline, ct);
    }

    /// <summary>The only place a request leaves from. What goes wrong on the way is in the result; only a cancellation by the caller is thrown.</summary>
    /// <param name="call">What to ask.</param>
    /// <param name="deadline">Ends it.</param>
    /// <param name="ct">The caller's; also in <paramref name="deadline"/>.</param>
    /// <param name="take">Consumes the answer where it is a file; false leaves it to be read as JSON.</param>
    async Task<Exchange> SendAsync(Call call, Deadline deadline, CancellationToken ct, Func<HttpResponseMessage, Task<bool>>? take = null)
    {
        ct.ThrowIfCancellationRequested();
        var exchange = new Exchange(call, deadline, timeout, time, key);
        try
        {
            using var request = new HttpRequestMessage(call.Method, call.Storage ?? new Uri(baseUrl + call.Path)) { Content = call.Body };
            using var placed = call.Storage == null ? key.On(request) : null;
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            exchange.Begin(response);
            if (take == null || !await take(response))
                await exchange.ReadBodyAsync(response);
        }
        catch (Exception error) when (call is { Billed: true, Body.Started: true })
        {
            // Whatever it was, a cancellation and an error of our own included: the request may have arrived.
            exchange.Fail(error);
        }
        catch (OperationCanceledException cancelled) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException($"{call} was cancelled by its caller.", cancelled, ct);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or SocketException)
        {
            // The handler lets the bare error of the socket through where a connection is reset in the moment in which it comes about.
            exchange.Fail(error);
        }

        return exchange;
    }

    static BytesContent Json<T>(T value, JsonTypeInfo<T> type, Action? leaving = null) =>
        new(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json") { Leaving = leaving };

    /// <summary>An id that can be put into a path; anything else would be another call.</summary>
    static string RequireAssetId(string assetId) =>
        assetId is { Length: > 0 and <= MaxIdLength } && assetId.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? assetId
            : throw new ArgumentException(
                $"The asset id has {assetId?.Length ?? 0} characters or holds others than letters, digits, _ and -; expected 1 to {MaxIdLength} of those, " +
                "such as re_700000000000000001: nothing was sent, correct it.", nameof(assetId));

    /// <summary>An id of Mavi's: its format is not promised, so only what could not be stored or shown is refused.</summary>
    static string? UsableId(string? id) => id is { Length: > 0 and <= MaxIdLength } && !id.Any(char.IsControl) ? id : null;
}
