using Mavi.Contracts;
using Xunit.Abstractions;

namespace Mavi.Tests.EndToEnd;

public sealed class TwoWorkersTests(ITestOutputHelper log)
{
    [Fact]
    public async Task The_same_command_twice_at_the_same_moment_is_one_post_and_one_outcome()
    {
        await using var installation = await Installation.StartAsync(log, workers: 2);
        var requests = await installation.RequestsAsync(40);

        await Task.WhenAll(requests.SelectMany(request => new[]
        {
            installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId),
            installation.PublishAsync<SplitVideoRequested>(request.Id, request.AssetId),
        }));
        await installation.EndAsync(requests);

        Assert.All(installation.Workers, worker => Assert.Contains(": Submitted ", worker.Output, StringComparison.Ordinal));
    }
}
