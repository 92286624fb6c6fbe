using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Mavi.Client;

/// <summary>What one call brings in, as far as it gets, and what follows from it: the result, or the one exception.</summary>
sealed class Exchange(Call call, Deadline deadline, TimeSpan limit, TimeProvider time, ApiKey key)
{
    const int MaxBodyBytes = 1024 * 1024;
    const int ShownBytes = 2048;
    const int ShownCharacters = 300;

    readonly long started = time.GetTimestamp();
    int? status;
    TimeSpan? retryAfter;
    string? redirectsTo;
    byte[] body = [];
    bool whole;
    bool tooLong;
    Envelope? envelope;
    Exception? error;

    public void Begin(HttpResponseMessage response)
    {
        status = (int)response.StatusCode;
        if (status is >= 300 and < 400 && response.Headers.Location is { IsAbsoluteUri: true } to)
            redirectsTo = to.GetLeftPart(UriPartial.Authority);

        var header = response.Headers.RetryAfter;
        var asked = header?.Delta ?? (header?.Date - time.GetUtcNow());
        retryAfter = asked is { } wait ? TimeSpan.FromSeconds(Math.Clamp(wait.TotalSeconds, 0, TimeSpan.SecondsPerDay)) : null;
    }

    public async Task ReadBodyAsync(HttpResponseMessage response)
    {
        using var collected = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(deadline.Token);
            while (!whole && !tooLong)
            {
                var read = await ReadAsync(stream, buffer, deadline.Token);
                collected.Write(buffer, 0, read);
                (whole, tooLong) = (read == 0, collected.Length > MaxBodyBytes);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            body = collected.ToArray();
        }

        if (whole && call.Storage == null)
            envelope = Envelope.TryRead(body);
    }

    /// <summary>Reads what the network has. Its errors become those of HTTP, so that they are not taken for errors of a local file.</summary>
    public static async ValueTask<int> ReadAsync(Stream network, Memory<byte> buffer, CancellationToken ct)
    {
        try
        {
            return await network.ReadAsync(buffer, ct);
        }
        catch (IOException cut)
        {
            throw new HttpRequestException(cut.Message, cut);
        }
    }

    public void Fail(Exception cause) => error = cause;

    /// <summary>What the call is for: from the answer's data, by <paramref name="pick"/>, which gives null where it is not there.</summary>
    public TResult Require<TData, TResult>(JsonTypeInfo<TData> type, Func<TData, TResult?> pick)
        where TData : class
        where TResult : class
    {
        TResult? found = null;
        if (envelope is { Data.ValueKind: JsonValueKind.Object })
        {
            try
            {
                found = envelope.Data.Deserialize(type) is { } data ? pick(data) : null;
            }
            catch (JsonException)
            {
                // Not of the expected shape: nothing usable, which is what the table asks.
            }
        }

        RequireSuccess(usable: found != null);
        return found!;
    }

    /// <summary>Throws unless the call succeeded. <paramref name="usable"/>: see <see cref="Evidence"/>.</summary>
    public void RequireSuccess(bool? usable)
    {
        // Without a body of ours (a GET) only the handler can say that nothing left.
        var left = call.Body?.Started ?? error is not HttpRequestException
        {
            HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError,
        };
        var seen = new Evidence(left, status, whole, envelope, usable, call.Storage != null);
        if (FailureTable.Classify(seen) is { } kind)
            throw Failure(kind, seen);
    }

    public void RequireStored() => RequireSuccess(status is >= 200 and < 300 ? true : null);

    public Answer Answer() => new(
        status,
        envelope?.Code is { } code ? Cut(key.Redact(code)) : null,
        status != null ? ShownBody() : null,
        time.GetElapsedTime(started));

    MaviException Failure(MaviFailure kind, Evidence seen)
    {
        var answer = Answer();
        var message = FormattableString.Invariant($"{call} failed after {answer.Elapsed.TotalSeconds:0.0} s: ") +
            $"received {Received()}; expected {call.Expected}. " +
            FailureTable.Advice(kind, seen, call.Billed);
        // Some errors of the handler quote what the server sent, and a server may send the key back.
        var inner = error?.ToString() is { } text && key.Redact(text) == text ? error : null;
        return new(kind, key.Redact(message), answer, inner)
        {
            RetryAfter = retryAfter,
            IsGenericLimitText = kind == MaviFailure.Throttled && seen.IsGenericLimitText,
        };
    }

    string Received()
    {
        var reason = error?.GetBaseException().Message.TrimEnd('.') ?? "it ended";
        if (status == null)
            return deadline.Passed ? $"no answer within {limit:c} (Mavi:Timeout)" : $"no answer ({reason})";
        if (redirectsTo != null)
            return $"HTTP {status}, a redirect to {redirectsTo} that is not followed";
        if (tooLong)
            return $"HTTP {status} with a body of more than {MaxBodyBytes} bytes";
        if (!whole)
            return $"HTTP {status} with a body that {(deadline.Passed ? $"stood still for {limit:c} (Mavi:Timeout)" : $"was cut ({reason})")}";
        if (envelope == null)
            return body.Length == 0 ? $"HTTP {status} without a body" : $"HTTP {status} with a body that is not a JSON object";

        var text = string.Concat(Cut(key.Redact(envelope.Text ?? "")).Select(c => char.IsControl(c) ? ' ' : c));
        return $"HTTP {status} with code {Cut(key.Redact(envelope.Code ?? "(none)"))}{(envelope.IsNegative ? ", marked as failed," : "")} and \"{text}\"";
    }

    string ShownBody()
    {
        // The key goes before the text is cut: half of one would no longer be found.
        var text = key.Redact(Encoding.UTF8.GetString(body));
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length <= ShownBytes)
            return text;

        var end = ShownBytes;
        while ((bytes[end] & 0xC0) == 0x80)
            end--;
        return Encoding.UTF8.GetString(bytes, 0, end);
    }

    static string Cut(string text) => text.Length <= ShownCharacters ? text : string.Concat(text.AsSpan(0, ShownCharacters), "…");
}
