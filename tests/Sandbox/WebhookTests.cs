using System.Net.Http.Json;

namespace Mavi.Tests.Sandbox;

public sealed class WebhookTests
{
    [Fact]
    public async Task What_is_not_answered_2xx_is_sent_again_until_it_is()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        int[] answers = [500, 302, 404, 204];
        sandbox.Webhook.Answer = position => Task.FromResult(answers[position]);
        var taskId = await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());

        var attempts = (await sandbox.SettledJournalAsync()).GetProperty("callbacks").EnumerateArray().ToList();
        Assert.Equal(answers, attempts.Select(attempt => attempt.GetProperty("status").GetInt32()));
        Assert.Equal([1, 2, 3, 4], attempts.Select(attempt => attempt.GetProperty("attempt").GetInt32()));
        Assert.Equal([false, false, false, true], attempts.Select(attempt => attempt.GetProperty("delivered").GetBoolean()));
        Assert.All(attempts, attempt => Assert.Equal(taskId, attempt.GetProperty("taskId").GetString()));
        Assert.Single(attempts.Select(attempt => attempt.GetProperty("body").GetString()).Distinct());
    }

    [Fact]
    public async Task It_is_given_up_after_the_attempts_of_the_setting()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true", "WebhookRetries=2");
        sandbox.Webhook.Answer = _ => Task.FromResult(503);
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        Assert.Equal(3, (await sandbox.SettledJournalAsync()).GetProperty("callbacks").GetArrayLength());
    }

    [Fact]
    public async Task A_webhook_that_does_not_answer_is_an_attempt_with_an_error()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true", "WebhookRetries=0", "WebhookTimeoutSeconds=0.2");
        var never = new TaskCompletionSource<int>();
        sandbox.Webhook.Answer = _ => never.Task;
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        var attempt = (await sandbox.SettledJournalAsync()).GetProperty("callbacks")[0];
        never.SetResult(200);
        Assert.Equal("no answer within 0.2 s", attempt.GetProperty("error").GetString());
    }

    [Fact]
    public async Task Every_webhook_gets_every_callback_and_none_shows_its_secret()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true", "WebhookRetries=0");
        await using var second = await WebhookReceiver.StartAsync();
        using (var set = await sandbox.Control.PutAsJsonAsync("webhooks", new[] { sandbox.Webhook.Url, second.Url }))
            Assert.DoesNotContain("secret", await set.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var taskId = await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        await sandbox.Webhook.CallbackOfAsync(taskId);
        await second.CallbackOfAsync(taskId);
        var journal = await sandbox.SettledJournalAsync();
        Assert.DoesNotContain("secret", journal.GetRawText(), StringComparison.Ordinal);
        Assert.Equal([0, 1], journal.GetProperty("callbacks").EnumerateArray().Select(entry => entry.GetProperty("webhook").GetInt32()).Order());
    }

    [Fact]
    public async Task A_callback_by_hand_is_sent_as_it_is()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var content = new StringContent("no JSON at all");
        using var response = await sandbox.Control.PostAsync("callbacks", content);
        Assert.Equal("no JSON at all", Assert.Single(sandbox.Webhook.Bodies));
        Assert.Equal(200, (await SandboxHost.ReadAsync(response))[0].GetProperty("status").GetInt32());
        Assert.Equal("no JSON at all", (await sandbox.JournalAsync()).GetProperty("callbacks")[0].GetProperty("body").GetString());
    }

    [Theory]
    [InlineData("""["ftp://example.org/x"]""")]
    [InlineData("""["callbacks"]""")]
    [InlineData("""{}""")]
    [InlineData("""no""")]
    public async Task A_wrong_list_of_webhooks_is_refused(string body)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        using var content = new StringContent(body);
        using var response = await sandbox.Control.PutAsync("webhooks", content);
        Assert.Equal(400, (int)response.StatusCode);
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        Assert.Single(await sandbox.Webhook.ReceivedAsync(1));
    }
}
