using System.Globalization;

namespace Mavi.Chaos;

/// <summary>The words of a command line: options with a value, options that are switches. Whoever asks for one says its bounds and what it is unless given.</summary>
sealed class Options
{
    readonly Dictionary<string, string?> _given = [];
    readonly HashSet<string> _known = [];

    public Options(IEnumerable<string> words)
    {
        var name = "";
        foreach (var word in words)
        {
            if (word.StartsWith("--", StringComparison.Ordinal))
                _given[name = word] = null;
            else if (name.Length > 0 && _given[name] is null)
                _given[name] = word;
            else
                throw new SettingsException($"\"{word}\" belongs to no option; expected a name that begins with --, then at most one value: correct it.");
        }
    }

    public int Whole(string name, int unless, int least, int most) => (int)Read(name, unless, least, most, true);

    public double Number(string name, double unless, double least, double most) => Read(name, unless, least, most, false);

    /// <summary>Whole numbers with commas between.</summary>
    public IReadOnlyList<int> Wholes(string name, IReadOnlyList<int> unless, int least, int most)
    {
        _known.Add(name);
        return !_given.TryGetValue(name, out var text) ? unless : [.. (text ?? "").Split(',').Select(part => (int)Parse(name, part, least, most, true)).Distinct()];
    }

    public bool Switch(string name)
    {
        _known.Add(name);
        return _given.TryGetValue(name, out var value) && (value is null ? true : throw new SettingsException($"{name} is \"{value}\"; it takes no value: leave that out."));
    }

    /// <summary>What was given and nobody asked for is a mistake.</summary>
    /// <exception cref="SettingsException">There is such a word.</exception>
    public void End()
    {
        if (_given.Keys.FirstOrDefault(name => !_known.Contains(name)) is { } unknown)
            throw new SettingsException($"\"{unknown}\" is no option; expected one of {string.Join(", ", _known)}: correct it.");
    }

    double Read(string name, double unless, double least, double most, bool isWhole)
    {
        _known.Add(name);
        return _given.TryGetValue(name, out var text) ? Parse(name, text ?? "", least, most, isWhole) : unless;
    }

    static double Parse(string name, string text, double least, double most, bool isWhole) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most && (!isWhole || number == Math.Floor(number))
            ? number
            : throw new SettingsException(FormattableString.Invariant($"{name} is \"{text}\"; expected a {(isWhole ? "whole " : "")}number from {least} to {most}: correct it."));
}

/// <summary>The command line is wrong; the message is one sentence.</summary>
sealed class SettingsException(string message) : Exception(message);
