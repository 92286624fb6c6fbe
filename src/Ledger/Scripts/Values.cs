using System.Collections;

namespace Mavi.Ledger.Scripts;

/// <summary>The values of a script's parameters by name: text and whole numbers, which is all that the ledger keeps.</summary>
sealed class Values : IEnumerable<Value>
{
    readonly List<Value> _values = new(24);

    public void Add(string name, string? text) => _values.Add(new(name, true, text, null));

    public void Add(string name, long? number) => _values.Add(new(name, false, null, number));

    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public Value Of(string name)
    {
        foreach (var value in _values)
        {
            if (value.Name == name)
                return value;
        }

        throw new ArgumentException($"The script asks for @{name}, and no value has that name.", nameof(name));
    }

    public IEnumerator<Value> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A text or a number, or null of either kind: a database wants to know of which.</summary>
readonly record struct Value(string Name, bool IsText, string? Text, long? Number);
