using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Mavi.Contracts;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;
using RabbitMQ.Client;
using Xunit.Abstractions;
using Span = Mavi.Tests.Support.OtlpReceiver.Span;

namespace Mavi.Tests.EndToEnd;

/// <summary>What a collector gets from the services, and that they do without one.</summary>
public sealed class TelemetryTests(ITestOutputHelper log)
{
    [Theory]
    [InlineData("delayed", "AwaitingCallback")]
    [InlineData("early", "AwaitingSubmission")]
    public async Task One_request_tells_one_story_from_the_callers_trace_to_the_outcome_across_the_wait_for_the_callback(string fault, string firstState)
    {
        await using var collector = await OtlpReceiver.StartAsync();
        await using var installation = await Installation.StartAsync(log, worker: collector.Settings, gateway: collector.Settings);
        var request = (await installation.RequestsAsync(1))[0];
        await installation.ArmAsync(fault == "delayed" ? """[{ "fault": "delayed", "seconds": 1.5 }]""" : """[{ "fault": "early" }, { "fault": "slow", "seconds": 1.5 }]""");
        var (trace, caller) = (ActivityTraceId.CreateRandom().ToHexString(), ActivitySpanId.CreateRandom().ToHexString());

        await PublishAsync(installation, request, $"00-{trace}-{caller}-01");
        var outcome = (await installation.EndAsync([request]))[request.Id];

        var task = (await installation.PostsAsync())[0].TaskId;
        var joins = await Eventually.GetAsync("both joins", () => Found(collector.Spans.Where(span => span.Name == "mavi.join").OrderBy(span => span.Start), 2));
        var callback = await Eventually.GetAsync("the callback's span", () => collector.Spans.FirstOrDefault(span => span.Name == "POST /callbacks/mavi/{secret}"));
        log.WriteLine(collector.Print(trace));
        log.WriteLine(collector.Print(callback.TraceId));

        // The command's side: one trace with the caller's.
        var command = collector.Spans.Where(span => span.TraceId == trace).ToList();
        Assert.Equal(caller, Assert.Single(command, span => !command.Exists(other => other.SpanId == span.ParentId)).ParentId);
        var submit = Assert.Single(command, span => span.Name == "mavi.submit");
        Assert.Equal((request.Id.ToString(), Operations.Split, "Submitted", task), (submit["mavi.request_id"], submit["mavi.operation"], submit["mavi.state"], submit["mavi.task_id"]));
        Assert.Equal(submit.SpanId, Assert.Single(command, span => span.Name == "mavi.slot").ParentId);
        var post = Assert.Single(command, span => span.Name == "POST");
        Assert.Equal((submit.SpanId, "200"), (post.ParentId, post["http.response.status_code"]));
        Assert.Contains(command, span => span.Name.Contains(nameof(TaskSubmitted), StringComparison.Ordinal) && span.Name.EndsWith(" send", StringComparison.Ordinal));

        // The callback's side: a trace of its own, across two processes.
        Assert.NotEqual(trace, callback.TraceId);
        Assert.Equal(("mavi-callback-gateway", "", task, "InQueue"), (callback.Service, callback.ParentId, callback["mavi.task_id"], callback["mavi.kept"]));
        Assert.Contains(collector.Spans, span => span.TraceId == callback.TraceId && span.Service == "mavi-worker");

        // Where the two meet: the second points to the first, and the outcome is published under it.
        Assert.Equal(firstState, joins[0]["mavi.state"]);
        Assert.Equal([trace, callback.TraceId], joins.Select(join => join.TraceId).OrderBy(id => id != trace));
        Assert.Empty(joins[0].Links);
        Assert.Equal(joins[0].TraceId, Assert.Single(joins[1].Links).TraceId);
        Assert.Equal((request.Id.ToString(), task, Operations.Split, "Succeeded"), (joins[1]["mavi.request_id"], joins[1]["mavi.task_id"], joins[1]["mavi.operation"], joins[1]["mavi.state"]));
        var published = Assert.Single(collector.Spans, span => span.Name.Contains(nameof(SplitVideoSucceeded), StringComparison.Ordinal));
        Assert.Equal(joins[1].TraceId, published.TraceId);
        Assert.Contains(joins[1].TraceId, outcome.Message.Envelope.GetProperty("headers").GetRawText(), StringComparison.Ordinal);

        // Polls of the ledger are no story.
        Assert.DoesNotContain(collector.Spans, span => span.ParentId.Length == 0 && span.Name is not ("POST /callbacks/mavi/{secret}" or "mavi.announce" or "mavi.deferred"));
        await HistoryNamesTheTraceAsync(installation, request, trace);
    }

    [Fact]
    public async Task A_request_that_had_to_wait_in_the_ledger_is_linked_to_the_trace_it_came_in()
    {
        await using var collector = await OtlpReceiver.StartAsync();
        await using var installation = await Installation.StartAsync(log, worker: collector.Settings, gateway: collector.Settings);
        var request = (await installation.RequestsAsync(1))[0];
        await installation.ArmAsync("""[{ "fault": "429" }]""");
        var trace = ActivityTraceId.CreateRandom().ToHexString();

        await PublishAsync(installation, request, $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        await installation.Events.OutcomesAsync([request]);

        var deferred = await Eventually.GetAsync("the span of the second attempt", () => collector.Spans.FirstOrDefault(span => span.Name == "mavi.deferred"));
        Assert.Equal(request.Id.ToString(), deferred["mavi.request_id"]);
        Assert.Equal(trace, Assert.Single(deferred.Links).TraceId);
        Assert.Contains(collector.Spans, span => span.TraceId == deferred.TraceId && span.Name == "POST");
    }

    [Fact]
    public async Task The_figures_are_those_of_a_known_situation()
    {
        await using var broker = await PrivateBroker.StartOwnAsync();
        await using var collector = await OtlpReceiver.StartAsync();
        await using var installation = await Installation.StartAsync(
            log, broker: broker.DefaultVirtualHost, worker: collector.Settings, gateway: [.. collector.Settings, ("OTEL_SERVICE_NAME", "our-gateway")]);
        var requests = await installation.RequestsAsync(4);

        await SubmitAsync(installation, requests[0], "[]", "Submitted");
        await installation.Events.OutcomesAsync(requests.Take(1));
        await SubmitAsync(installation, requests[1], """[{ "fault": "lost" }]""", "Submitted");
        // Its task exists: the callback of a request in doubt is the orphan.
        await SubmitAsync(installation, requests[2], """[{ "fault": "cutAfter" }]""", "Uncertain");
        await SubmitAsync(installation, requests[3], """[{ "fault": "429", "retryAfterSeconds": 600 }]""", "Deferred");
        await broker.KillAsync();
        await installation.Gateway.SaysAsync("Waiting for the broker");
        await CallBackAsync(installation, $"callbacks/mavi/{Installation.Secret}", CallbackBodies.Split("0123456789abcdef0123456789abcdef"));

        await LastIsAsync(collector, 1, "mavi.requests", ("mavi.state", "Uncertain"));
        await LastIsAsync(collector, 1, "mavi.requests", ("mavi.state", "Deferred"));
        await LastIsAsync(collector, 1, "mavi.requests", ("mavi.state", "AwaitingCallback"));
        await LastIsAsync(collector, 0, "mavi.requests", ("mavi.state", "Submitting"));
        await LastIsAsync(collector, 1, "mavi.orphans");
        await LastIsAsync(collector, 0, "mavi.account.paused", ("mavi.state", "Outage"));
        await LastIsAsync(collector, 1, "mavi.gateway.spool.depth");
        await LastIsAsync(collector, 2, "mavi.slots.used", ("mavi.state", "Submitted"), ("mavi.operation", Operations.Split));
        await LastIsAsync(collector, 1, "mavi.slots.used", ("mavi.state", "Uncertain"));
        await LastIsAsync(collector, 1, "mavi.slots.used", ("mavi.state", "Deferred"));
        await LastIsAsync(collector, 100, "mavi.slots.limit", ("mavi.operation", Operations.Split));
        foreach (var metric in (string[])["mavi.requests.oldest_age", "mavi.orphans.oldest_age"])
            await Eventually.TrueAsync($"{metric} to grow", () => collector.Last(metric, metric == "mavi.orphans.oldest_age" ? [] : [("mavi.state", "Uncertain")]) >= 1);

        var joined = collector.Points.Last(point => point.Metric == "mavi.callback.outcome.duration");
        Assert.Equal((1ul, "Succeeded", "s"), (joined.Count, joined.Attributes["mavi.state"], joined.Unit));
        Assert.InRange(joined.Value, 0, 10);
        Assert.Equal(["mavi-worker", "our-gateway"], collector.Points.Select(point => point.Service).Distinct().Order());
        foreach (var library in (string[])["dotnet.process.memory.working_set", "http.client.request.duration", "http.server.request.duration", "db.client."])
            Assert.Contains(collector.Points, point => point.Metric.StartsWith(library, StringComparison.Ordinal));
        log.WriteLine(string.Join('\n', collector.Points.Select(point => $"{point.Service} {point.Metric} [{point.Unit}]").Distinct().Order()));
    }

    [Fact]
    public async Task The_key_and_the_secret_are_in_nothing_that_is_sent()
    {
        await using var collector = await OtlpReceiver.StartAsync();
        await using var installation = await Installation.StartAsync(log, worker: collector.Settings, gateway: [.. collector.Settings, ("Gateway__MaxBodyBytes", "2000")]);
        var requests = await installation.RequestsAsync(4);
        var route = $"callbacks/mavi/{Installation.Secret}";

        await SubmitAsync(installation, requests[0], """[{ "fault": "malformed" }]""", "Submitted");
        await SubmitAsync(installation, requests[1], """[{ "fault": "badJson" }]""", "Uncertain");
        await SubmitAsync(installation, requests[2], """[{ "fault": "hidden400" }]""", "Rejected");
        await CallBackAsync(installation, route, "no JSON");
        await CallBackAsync(installation, route, new string(' ', 3000), HttpStatusCode.RequestEntityTooLarge);
        await CallBackAsync(installation, route + "x", "{}", HttpStatusCode.NotFound);
        await CallBackAsync(installation, route + "/more", "{}", HttpStatusCode.NotFound);
        await SubmitAsync(installation, requests[3], """[{ "fault": "401" }]""", "Deferred");
        await Eventually.TrueAsync("the last POST to be told", () => collector.Spans.Any(span => span["http.response.status_code"] == "401"));
        await Eventually.TrueAsync("the callbacks to be told", () => collector.Points.Any(point => point.Metric == "mavi.gateway.callbacks.refused" && point.Attributes["reason"] == "wrong_secret"));
        await installation.StopWorkersAsync();
        installation.Gateway.Terminate();
        await installation.Gateway.ExitCodeAsync();

        var password = new Npgsql.NpgsqlConnectionStringBuilder(installation.Ledger).Password;
        Assert.All(collector.Bodies, body =>
        {
            var text = Encoding.UTF8.GetString(body);
            Assert.DoesNotContain(Installation.Key, text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Installation.Secret, text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("guest:guest", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("Password=", text, StringComparison.OrdinalIgnoreCase);
            if (!string.IsNullOrEmpty(password))
                Assert.DoesNotContain(password, text, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_collector_that_is_away_or_never_answers_holds_up_neither_a_request_nor_a_stop(bool listens)
    {
        using var hole = new TcpListener(IPAddress.Loopback, listens ? 0 : FreePorts.Next());
        if (listens)
            hole.Start();
        (string, string)[] nowhere = [.. OtlpReceiver.SettingsFor($"http://{hole.LocalEndpoint}"), ("OTEL_BSP_SCHEDULE_DELAY", "200"), ("OTEL_METRIC_EXPORT_INTERVAL", "500")];
        await using var installation = await Installation.StartAsync(log, worker: nowhere, gateway: nowhere);
        var requests = await installation.RequestsAsync(20);

        foreach (var request in requests)
            await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        await installation.Events.OutcomesAsync(requests);

        foreach (var process in (ServiceProcess[])[installation.Workers[0], installation.Gateway])
        {
            var stopping = Stopwatch.StartNew();
            process.Terminate();
            Assert.Equal(0, await process.ExitCodeAsync(TimeSpan.FromSeconds(15)));
            log.WriteLine($"{process.Service} stopped in {stopping.Elapsed.TotalSeconds:0.0} s.");
            Assert.DoesNotContain("   at ", process.Output + process.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(ServiceProcess.Worker, "OTEL_EXPORTER_OTLP_ENDPOINT is no address", "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData(ServiceProcess.Gateway, "OTEL_EXPORTER_OTLP_ENDPOINT is no address", "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData(ServiceProcess.Worker, "OTEL_EXPORTER_OTLP_PROTOCOL is \"http/json\"", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
    public async Task A_wrong_setting_ends_the_service_at_once_with_one_sentence_that_names_it(string service, string says, params string[] settings)
    {
        await using var process = ServiceProcess.Start(
            service, [("Mavi__ApiKey", Installation.Key), ("Gateway__Secrets__0", Installation.Secret), .. settings.Chunk(2).Select(pair => (pair[0], pair[1]))]);

        Assert.Equal(2, await process.ExitCodeAsync());
        Assert.Contains(says, process.Errors, StringComparison.Ordinal);
        Assert.Contains("expected", process.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', process.Errors);
    }

    static Task PublishAsync(Installation installation, Request request, string traceparent) => installation.Events.Bus.PublishAsync(
        AmqpClient.ExchangeOf<SplitVideoRequested>(), JsonSerializer.SerializeToUtf8Bytes(new { requestId = request.Id, assetId = request.AssetId }),
        new BasicProperties { ContentType = "application/json", Headers = new Dictionary<string, object?> { ["traceparent"] = traceparent } });

    static async Task SubmitAsync(Installation installation, Request request, string faults, string state)
    {
        await installation.ArmAsync(faults);
        await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        await Eventually.TrueAsync($"the request with {faults} to be {state}", async () => await installation.StateAsync(request.Id) == state);
    }

    static async Task CallBackAsync(Installation installation, string route, string body, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var http = new HttpClient { BaseAddress = await installation.Gateway.AddressAsync() };
        using var content = new StringContent(body);
        using var answer = await http.PostAsync(new Uri(route, UriKind.Relative), content);
        Assert.Equal(status, answer.StatusCode);
    }

    static Task LastIsAsync(OtlpReceiver collector, double value, string metric, params (string, string)[] attributes) => Eventually.TrueAsync(
        $"{metric} {string.Join(", ", attributes)} to be {value} (it is {collector.Last(metric, attributes)})", () => collector.Last(metric, attributes) == value);

    /// <summary>What an operator reads names the trace to look at.</summary>
    static async Task HistoryNamesTheTraceAsync(Installation installation, Request request, string trace) => Assert.Equal(
        3L, await installation.ReadAsync<long>($"select count(*) from history where request_id = '{request.Id}' and kind in ('Submitting', 'Submitted', 'TaskSubmitted') and detail like '%00-{trace}-%'"));

    static List<Span>? Found(IEnumerable<Span> spans, int count) => spans.ToList() is { } found && found.Count >= count ? found : null;
}
