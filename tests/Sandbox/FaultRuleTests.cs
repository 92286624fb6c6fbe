namespace Mavi.Tests.Sandbox;

/// <summary>Which requests a rule is for, and what is wrong with a rule.</summary>
public sealed class FaultRuleTests
{
    [Theory]
    [InlineData("""{ "fault": "409" }""", "X.....")]
    [InlineData("""{ "fault": "409", "count": 3 }""", "XXX...")]
    [InlineData("""{ "fault": "409", "skip": 2, "count": 2 }""", "..XX..")]
    [InlineData("""{ "fault": "409", "every": 1 }""", "XXXXXX")]
    [InlineData("""{ "fault": "409", "every": 3 }""", "..X..X")]
    [InlineData("""{ "fault": "409", "every": 2, "count": 1 }""", ".X....")]
    [InlineData("""{ "fault": "409", "probability": 1 }""", "XXXXXX")]
    [InlineData("""{ "fault": "409", "probability": 0 }""", "......")]
    [InlineData("""{ "fault": "409", "operation": "extract-frames" }""", "......")]
    [InlineData("""{ "fault": "409", "assetId": "re_1" }""", "......")]
    [InlineData("""{ "fault": "409" }, { "fault": "402" }""", "XX....")]
    public async Task A_rule_spoils_the_requests_it_names(string rules, string expected)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync($"[{rules}]");
        Assert.Equal(expected, await PatternAsync(sandbox, requests: 6));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_chance_and_another_a_different_one()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        async Task<string> WithSeedAsync(int seed)
        {
            using var content = new StringContent($$"""{ "seed": {{seed}}, "rules": [{ "fault": "409", "probability": 0.5 }] }""");
            using var armed = await sandbox.Control.PutAsync("faults", content);
            return await PatternAsync(sandbox, requests: 40);
        }

        var first = await WithSeedAsync(7);
        Assert.Contains('X', first);
        Assert.Contains('.', first);
        Assert.Equal(first, await WithSeedAsync(7));
        Assert.NotEqual(first, await WithSeedAsync(8));
    }

    [Fact]
    public async Task A_rule_for_one_asset_leaves_the_others_alone()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        var spoiled = await sandbox.MadeUpAssetAsync();
        await sandbox.ArmAsync($$"""[{ "fault": "402", "assetId": "{{spoiled}}", "every": 1 }]""");
        await sandbox.AcceptedAsync("split", await sandbox.MadeUpAssetAsync());
        using var refused = await sandbox.SubmitAsync("split", spoiled);
        Assert.Equal(402, (int)refused.StatusCode);
    }

    [Fact]
    public async Task Rules_show_their_use_and_can_be_cleared()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "409", "every": 2 }]""");
        await PatternAsync(sandbox, requests: 5);
        using (var shown = await sandbox.Control.GetAsync("faults"))
        {
            var rule = (await SandboxHost.ReadAsync(shown)).GetProperty("rules")[0];
            Assert.Equal("409", rule.GetProperty("rule").GetProperty("fault").GetString());
            Assert.Equal(5, rule.GetProperty("matched").GetInt32());
            Assert.Equal(2, rule.GetProperty("applied").GetInt32());
        }

        using var cleared = await sandbox.Control.DeleteAsync("faults");
        Assert.Equal("....", await PatternAsync(sandbox, requests: 4));
    }

    [Fact]
    public async Task Other_operations_are_spoiled_only_by_name()
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        var id = await sandbox.MadeUpAssetAsync();
        await sandbox.ArmAsync("""[{ "fault": "500", "every": 1 }, { "fault": "503", "operation": "metadata" }]""");
        using var download = await sandbox.Api.GetAsync($"{id}/download");
        using var metadata = await sandbox.Api.GetAsync($"{id}/metadata");
        Assert.Equal(200, (int)download.StatusCode);
        Assert.Equal(503, (int)metadata.StatusCode);
    }

    [Theory]
    [InlineData("""{ "fault": "429s" }""", "fault is \"429s\"")]
    [InlineData("""{ "fault": "429", "cuont": 3 }""", "cuont")]
    [InlineData("""{ "fault": "429", "operation": "splitt" }""", "operation is \"splitt\"")]
    [InlineData("""{ "fault": "429", "count": 0 }""", "count is 0")]
    [InlineData("""{ "fault": "429", "probability": 1.5 }""", "probability is 1.5")]
    [InlineData("""{ "fault": "429", "every": 2, "probability": 0.5 }""", "every and probability")]
    [InlineData("""{ "fault": "429", "times": 3 }""", "takes no times")]
    [InlineData("""{ "fault": "lost", "operation": "upload" }""", "changes nothing about upload")]
    [InlineData("""{ "fault": "failedSegment", "operation": "extract-frames" }""", "changes nothing about extract-frames")]
    public async Task A_rule_that_could_never_apply_is_refused_and_the_old_ones_stay(string rule, string says)
    {
        await using var sandbox = await SandboxHost.StartAsync("FakeMedia=true");
        await sandbox.ArmAsync("""[{ "fault": "409" }]""");
        using var content = new StringContent($$"""{ "rules": [{{rule}}] }""");
        using var response = await sandbox.Control.PutAsync("faults", content);
        Assert.Equal(400, (int)response.StatusCode);
        Assert.Contains(says, (await SandboxHost.ReadAsync(response)).GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("X.", await PatternAsync(sandbox, requests: 2));
    }

    /// <summary>X for every split that was refused, a dot for every one accepted.</summary>
    static async Task<string> PatternAsync(SandboxHost sandbox, int requests)
    {
        var id = await sandbox.MadeUpAssetAsync();
        var pattern = "";
        for (var request = 0; request < requests; request++)
        {
            using var response = await sandbox.SubmitAsync("split", id);
            pattern += response.IsSuccessStatusCode ? '.' : 'X';
        }

        return pattern;
    }
}
