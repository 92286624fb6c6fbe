using System.Collections.Concurrent;

namespace Mavi.Sandbox;

/// <summary>Which generation's codes each operation answers with; may change at run time.</summary>
sealed class Generations(SandboxOptions options)
{
    readonly ConcurrentDictionary<string, Generation> chosen = new();

    public Generation this[string operation]
    {
        get => chosen.GetValueOrDefault(operation, options.Generation);
        set => chosen[operation] = value;
    }

    public Dictionary<string, Generation> All() => Operation.All.ToDictionary(operation => operation, operation => this[operation]);
}
