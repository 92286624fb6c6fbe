using System.Text;

namespace Mavi.Worker.Messaging;

/// <summary>Text from outside on its way into the ledger.</summary>
static class PlainText
{
    /// <summary>Replaces what no database keeps as text (control characters, halves of a surrogate pair) by U+FFFD, and cuts to <paramref name="most"/> characters.</summary>
    public static string Clean(string text, int most)
    {
        var clean = new StringBuilder(Math.Min(text.Length, most));
        foreach (var rune in text.EnumerateRunes())
        {
            if (clean.Length + rune.Utf16SequenceLength > most)
                break;
            clean.Append(Rune.IsControl(rune) && rune.Value is not ('\n' or '\t' or '\r') ? Rune.ReplacementChar.ToString() : rune.ToString());
        }

        return clean.ToString();
    }
}
