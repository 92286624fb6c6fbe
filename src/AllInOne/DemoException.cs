namespace Mavi.AllInOne;

/// <summary>Why the demo cannot go on, or did not come out right: one sentence for the person who started it.</summary>
sealed class DemoException(string message) : Exception(message);
