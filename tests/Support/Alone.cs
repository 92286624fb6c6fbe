namespace Mavi.Tests.Support;

/// <summary>Tests that look at the moments at which something happens: they run when no other test competes for the machine.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
