using Mavi.Chaos;

namespace Mavi.Bench;

/// <summary>The words of the command line: names of scenarios, all of them where none is given, and two switches.</summary>
sealed record Words
{
    public const string Usage = "./bench.sh [SCENARIO...] [--json FILE] [--quick]";

    public required IReadOnlyList<IScenario> Scenarios { get; init; }

    /// <summary>Where the rows go as JSON, a path as given; null for nowhere.</summary>
    public string? JsonFile { get; init; }

    /// <summary>Few operations and few rounds, to try the harness itself; no row is judged.</summary>
    public bool IsQuick { get; init; }

    /// <exception cref="SettingsException">A word is none of those.</exception>
    public static Words Of(IReadOnlyList<string> given)
    {
        var left = new Queue<string>(given);
        var (names, json, isQuick) = (new List<string>(), (string?)null, false);
        while (left.TryDequeue(out var word))
        {
            if (word == "--quick")
                isQuick = true;
            else if (word == "--json")
                json = left.TryDequeue(out var file) ? file : throw new SettingsException("--json has no value; expected the file to write: name one after it.");
            else
                names.Add(word);
        }

        if (json is not null && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(json))))
            throw new SettingsException($"--json is \"{json}\"; expected a file in a folder that exists: make the folder or name another.");
        if (names.Find(static name => Catalog.All.All(known => known.Name != name)) is { } unknown)
            throw new SettingsException($"\"{unknown}\" is no scenario; expected some of {string.Join(", ", Catalog.All.Select(static known => known.Name))}, or --json FILE, or --quick: correct it.");
        return new() { Scenarios = [.. Catalog.All.Where(known => names.Count == 0 || names.Contains(known.Name))], JsonFile = json, IsQuick = isQuick };
    }
}
