using System.Net;
using Mavi.Contracts;
using Mavi.Tests.Support;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

/// <summary>A day with everything that may bring the key or the secret to light, at the loudest log; then every place where they could have come to rest.</summary>
public sealed class SecrecyTests(ITestOutputHelper log)
{
    static readonly (string, string)[] Loud = [("Logging__LogLevel__Default", "Trace")];

    [Fact]
    public async Task The_key_and_the_secret_are_in_no_log_event_error_health_answer_or_row()
    {
        await using var installation = await Installation.StartAsync(log, worker: Loud, sandbox: Loud, gateway: [.. Loud, ("Gateway__MaxBodyBytes", "2000")]);
        var requests = await installation.RequestsAsync(6);

        await SubmitAsync(installation, requests[0], "[]", "Submitted");
        await SubmitAsync(installation, requests[1], """[{ "fault": "malformed" }]""", "Submitted");
        await SubmitAsync(installation, requests[2], """[{ "fault": "badJson" }]""", "Uncertain");
        await SubmitAsync(installation, requests[3], """[{ "fault": "502" }]""", "Uncertain");
        await SubmitAsync(installation, requests[4], """[{ "fault": "hidden400" }]""", "Rejected");
        await CallBackAsync(installation);
        await installation.PublishBodyAsync<SplitVideoRequested>("""{"assetId":"re_1"}""");
        await installation.PublishBodyAsync<SplitVideoRequested>("no JSON");
        await SubmitAsync(installation, requests[5], """[{ "fault": "401" }]""", "Deferred");

        var seen = new List<string>();
        await LookAtRoutesAsync(installation, requests, seen);
        Assert.Contains(seen, answer => answer.Contains("HTTP 401", StringComparison.Ordinal));
        await installation.StopWorkersAsync();
        await TakeEverythingAsync(installation, seen);
        seen.AddRange(await installation.DumpAsync());
        installation.Gateway.Terminate();
        await installation.Gateway.ExitCodeAsync();
        installation.Sandbox.Terminate();
        await installation.Sandbox.ExitCodeAsync();
        seen.AddRange(installation.Processes.SelectMany(process => (string[])[.. process.Output.Split('\n'), process.Errors]));

        Assert.All(seen, text =>
        {
            Assert.DoesNotContain(Installation.Key, text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Installation.Secret, text, StringComparison.OrdinalIgnoreCase);
        });
    }

    static async Task SubmitAsync(Installation installation, Request request, string faults, string state)
    {
        await installation.ArmAsync(faults);
        await installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId);
        await Eventually.TrueAsync($"the request with {faults} to be {state}", async () => await installation.StateAsync(request.Id) == state);
    }

    /// <summary>Callbacks that are refused, or kept without being understood, each with the right secret in its address.</summary>
    static async Task CallBackAsync(Installation installation)
    {
        using var http = new HttpClient { BaseAddress = await installation.Gateway.AddressAsync() };
        var address = $"callbacks/mavi/{Installation.Secret}";
        Assert.Equal(HttpStatusCode.OK, await PostAsync(address, "no JSON"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(address, """{"code":200,"message":"SUCCESS","task_id":"nobodys","data":{"faces":[]}}"""));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostAsync(address, new string(' ', 3000)));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(address + "x", "{}"));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(address + "/more", "{}"));
        using var get = await http.GetAsync(new Uri(address, UriKind.Relative));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, get.StatusCode);

        async Task<HttpStatusCode> PostAsync(string route, string body)
        {
            using var content = new StringContent(body);
            using var answer = await http.PostAsync(new Uri(route, UriKind.Relative), content);
            return answer.StatusCode;
        }
    }

    static async Task LookAtRoutesAsync(Installation installation, IReadOnlyList<Request> requests, List<string> seen)
    {
        string[] ofWorker =
        [
            "health/live", "health/ready", "ledger/summary", "ledger/orphans", "ledger/callbacks", "ledger/requests?state=Uncertain", "ledger/requests?state=Deferred",
            .. requests.Select(request => $"ledger/requests/{request.Id}"),
        ];
        foreach (var route in ofWorker)
            seen.Add((await installation.Workers[0].GetAsync(route)).Body);
        foreach (var route in (string[])["health/live", "health/ready"])
            seen.Add((await installation.Gateway.GetAsync(route)).Body);
        foreach (var route in (string[])["sandbox/journal", "sandbox/webhooks"])
            seen.Add((await installation.Sandbox.GetAsync(route)).Body);
    }

    static async Task TakeEverythingAsync(Installation installation, List<string> seen)
    {
        var events = (await installation.Events.AllOutcomesAsync()).Concat(await installation.Events.AllOthersAsync()).ToList();
        foreach (var name in (string[])[nameof(SplitVideoSucceeded), nameof(SplitVideoFailed), nameof(TaskSubmitted), nameof(SubmissionUncertain), nameof(CallbackReceived)])
            Assert.Contains(events, one => one.Name == name);
        seen.AddRange(events.Select(one => Everything(one.Message)));
        for (var i = 0; i < 2; i++)
            seen.Add(Everything(await installation.Events.Bus.TakeAsync("mavi-split-video_error")));
    }

    static string Everything(AmqpMessage message)
    {
        var headers = message.Properties.Headers?.Keys.Select(name => $"{name}: {message.Header(name)}") ?? [];
        return $"{message.Text}\n{string.Join('\n', headers)}";
    }
}
