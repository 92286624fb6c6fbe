namespace Mavi.Bench.References;

/// <summary>The least that listens: one route and nothing else.</summary>
static class EmptyKestrel
{
    public const string Role = "empty";

    public static async Task RunAsync()
    {
        await using var app = WebApplication.CreateSlimBuilder().Build();
        app.MapGet("/health/ready", static () => "ready");
        await app.RunAsync();
    }
}
