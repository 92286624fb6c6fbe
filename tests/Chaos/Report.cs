namespace Mavi.Chaos;

/// <summary>What a run found: a table of figures, the goals that were missed, and one line with the verdict.</summary>
sealed class Report(TextWriter log)
{
    readonly List<string> _missed = [];
    readonly List<string> _figures = [];
    readonly Lock _lock = new();

    public bool IsPass => _missed.Count == 0;

    /// <summary>A line of the table.</summary>
    public void Say(FormattableString line)
    {
        lock (_lock)
        {
            Console.WriteLine(FormattableString.Invariant(line));
            log.WriteLine(FormattableString.Invariant(line));
        }
    }

    /// <summary>A figure of the verdict line.</summary>
    public void Figure(FormattableString nameAndValue)
    {
        lock (_lock)
            _figures.Add(FormattableString.Invariant(nameAndValue));
    }

    /// <summary>What has to be so; where it is not, the sentence says what was found.</summary>
    public void Goal(bool isMet, FormattableString sentence)
    {
        lock (_lock)
        {
            if (!isMet)
                _missed.Add(FormattableString.Invariant(sentence));
        }
    }

    /// <summary>Prints the missed goals and the verdict line.</summary>
    /// <returns>Whether it is PASS.</returns>
    public bool Close()
    {
        foreach (var sentence in _missed)
            Console.WriteLine($"  missed: {sentence}");
        var line = $"{string.Join(' ', _figures)} verdict={(IsPass ? "PASS" : "FAIL")}";
        log.WriteLine(line);
        Console.WriteLine(line);
        return IsPass;
    }
}
