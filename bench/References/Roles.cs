namespace Mavi.Bench.References;

/// <summary>The references by name. Each runs until SIGTERM and is told by its environment, as the programs that it stands beside.</summary>
static class Roles
{
    public const string Verb = "role";

    static readonly Dictionary<string, Func<Task>> All = new()
    {
        [EmptyKestrel.Role] = EmptyKestrel.RunAsync,
        [BareWorker.Role] = BareWorker.RunAsync,
        [RawGateway.Role] = RawGateway.RunAsync,
    };

    /// <returns>0, or 2 where there is no role of that name.</returns>
    public static async Task<int> RunAsync(string name)
    {
        if (!All.TryGetValue(name, out var role))
        {
            await Console.Error.WriteLineAsync($"\"{name}\" is no role; expected one of {string.Join(", ", All.Keys)}.");
            return 2;
        }

        await role();
        return 0;
    }
}
