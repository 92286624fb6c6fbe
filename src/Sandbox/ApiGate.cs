using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Mavi.Sandbox;

/// <summary>
/// The way every request of the API takes: journal, key, rate limit, the operation, its faults, the answer. The arrival is stamped before anything
/// else, because the rate limit goes by it.
/// </summary>
sealed partial class ApiGate(
    SandboxOptions options, Journal journal, RateLimit limit, Faults faults, Generations generations, TimeProvider time,
    IHostApplicationLifetime lifetime, ILogger<ApiGate> logger)
{
    static readonly object Arrival = new();
    readonly byte[] key = Encoding.UTF8.GetBytes(options.ApiKey);

    /// <summary>The outermost middleware; also answers what no route answers.</summary>
    public async Task StampArrival(HttpContext http, RequestDelegate next)
    {
        http.Items[Arrival] = time.GetTimestamp();
        await next(http);
        if (http.Response.HasStarted)
            return;
        var answer = http.Response.StatusCode switch
        {
            404 => TextAnswer.Infrastructure(404, "Not Found", http, time),
            405 => TextAnswer.Error(405, "Method not allowed"),
            _ => null,
        };
        if (answer is not null)
            await answer.WriteAsync(http);
    }

    /// <summary>An operation behind key and rate limit.</summary>
    public RequestDelegate Keyed(string operation, Func<ApiCall, Task<Answer>> handle) => http => RunAsync(http, operation, async call =>
    {
        if (!IsAuthorized(http.Request))
            return TextAnswer.Error(401, "Invalid API key: expected the raw key in the Authorization header, without Bearer");
        return limit.Admit(operation, ArrivalOf(http)) ? await handle(call) : TextAnswer.Error(429, "Rate limit exceeded");
    });

    /// <summary>An operation for everybody who knows its address.</summary>
    public RequestDelegate Open(string operation, Func<ApiCall, Task<Answer>> handle) => http => RunAsync(http, operation, handle);

    public void Note(CallEntry entry, Action<CallEntry> change) => journal.Note(entry, change);

    public FaultPlan TakeFaults(string operation, string? assetId) => faults.Take(operation, assetId);

    public Generation GenerationOf(string operation) => generations[operation];

    public Answer? AnswerBefore(ApiCall call) => call.Plan.At(FaultStage.AnswerBefore) is { } rule
        ? rule.Fault switch
        {
            "cutBefore" => new CutAnswer(),
            "401" => TextAnswer.Error(401, "Invalid API key"),
            "402" => TextAnswer.Error(402, "Insufficient balance"),
            "403" => TextAnswer.Error(403, "Account disabled or IP not allowed"),
            "409" => TextAnswer.Error(409, "Duplicate request"),
            "429" => TextAnswer.Error(429, "Rate limit exceeded") with { RetryAfterSeconds = rule.RetryAfterSeconds },
            "throttle400" => TextAnswer.Error(400, "Request has exceeded the limit."),
            "hidden400" => TextAnswer.Error(400, "Request could not be processed", status: 200, withFlags: true),
            "500" => TextAnswer.Error(500, "Internal error"),
            "502" => TextAnswer.Proxy(502, "Bad Gateway"),
            "503" => TextAnswer.Infrastructure(503, "Service Unavailable", call.Http, time) with { RetryAfterSeconds = rule.RetryAfterSeconds },
            "504" => TextAnswer.Proxy(504, "Gateway Time-out"),
            _ => throw new UnreachableException(rule.Fault),
        }
        : null;

    static Answer AnswerAfter(string fault, Answer answer) => fault switch
    {
        "cutAfter" => new CutAnswer(),
        "cutBody" => new CutAnswer(answer),
        "badJson" => new TextAnswer(200, "{\"code\":200,\"msg\":\"success\",\"data\":{\"task_id\":"),
        "500After" => TextAnswer.Error(500, "Internal error"),
        "502After" => TextAnswer.Proxy(502, "Bad Gateway"),
        "504After" => TextAnswer.Proxy(504, "Gateway Time-out"),
        _ => throw new UnreachableException(fault),
    };

    async Task RunAsync(HttpContext http, string operation, Func<ApiCall, Task<Answer>> handle)
    {
        var entry = journal.Arrived(operation, ArrivalOf(http));
        var call = new ApiCall(http, operation, entry, this);
        try
        {
            var answer = await HandleAsync(call, handle);
            if (answer.Status is >= 200 and < 300 && call.Plan.At(FaultStage.AnswerAfter) is { } after)
                answer = AnswerAfter(after.Fault, answer);
            if (call.Plan.At(FaultStage.Pace) is { } pace)
                await PauseAsync(pace.Seconds ?? 5, http);

            journal.Note(entry, e => (e.Message, e.Status) = (answer.Message, answer is CutAnswer ? null : answer.Status));
            await answer.WriteAsync(http);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && IsOver(http))
        {
            journal.Note(entry, noted => (noted.Message, noted.Status) = ("the connection ended before the answer", null));
            http.Abort();
        }
        finally
        {
            var took = Math.Round(journal.SinceStart(time.GetTimestamp()) - entry.MonotonicMs, 3);
            journal.Note(entry, e => e.TookMs = took);
            LogAnswered(operation, entry.AssetId, entry.Status, entry.Message ?? (entry.TaskId is null ? "" : $"task {entry.TaskId}"), took);
            call.AfterAnswer?.Invoke();
        }
    }

    async Task<Answer> HandleAsync(ApiCall call, Func<ApiCall, Task<Answer>> handle)
    {
        try
        {
            return await handle(call);
        }
        catch (BadHttpRequestException e)
        {
            return TextAnswer.Error(e.StatusCode, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException && !call.Http.RequestAborted.IsCancellationRequested)
        {
            LogBroken(e, call.Operation);
            return TextAnswer.Error(500, "Internal error");
        }
    }

    async Task PauseAsync(double seconds, HttpContext http)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        await Task.Delay(TimeSpan.FromSeconds(seconds), time, either.Token);
    }

    bool IsOver(HttpContext http) => http.RequestAborted.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested;

    bool IsAuthorized(HttpRequest request) =>
        request.Headers.Authorization is [{ } received] && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(received), key);

    static long ArrivalOf(HttpContext http) => (long)http.Items[Arrival]!;

    [LoggerMessage(1, LogLevel.Information, "{Operation} of {AssetId}: {Status} {Detail} ({Milliseconds} ms)")]
    private partial void LogAnswered(string operation, string? assetId, int? status, string detail, double milliseconds);

    [LoggerMessage(2, LogLevel.Error, "{Operation} broke; answered 500")]
    private partial void LogBroken(Exception e, string operation);
}
