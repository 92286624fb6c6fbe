using Mavi.Chaos;

namespace Mavi.Tests.ChaosTests;

public sealed class OptionsTests
{
    [Fact]
    public void What_is_given_counts_and_the_rest_is_as_it_is_unless_given()
    {
        var options = new Options(["--workers", "2,8", "--minutes", "0.5", "--cluster"]);
        Assert.Equal([2, 8], options.Wholes("--workers", [1], 1, 16));
        Assert.Equal(0.5, options.Number("--minutes", 5, 0.1, 60));
        Assert.True(options.Switch("--cluster"));
        Assert.Equal(7, options.Whole("--seed", 7, 0, 100));
        Assert.False(options.Switch("--keep"));
        options.End();
    }

    [Theory]
    [InlineData("--seed is \"101\"; expected a whole number from 0 to 100: correct it.", "--seed", "101")]
    [InlineData("--seed is \"1.5\"; expected a whole number from 0 to 100: correct it.", "--seed", "1.5")]
    [InlineData("--seed is \"\"; expected a whole number from 0 to 100: correct it.", "--seed")]
    [InlineData("--keep is \"x\"; it takes no value: leave that out.", "--keep", "x")]
    [InlineData("\"--sead\" is no option; expected one of --seed, --keep: correct it.", "--sead", "1")]
    [InlineData("\"2\" belongs to no option; expected a name that begins with --, then at most one value: correct it.", "--seed", "1", "2")]
    public void What_is_wrong_is_said_in_one_sentence(string sentence, params string[] words) => Assert.Equal(sentence, Assert.Throws<SettingsException>(() =>
    {
        var options = new Options(words);
        options.Whole("--seed", 7, 0, 100);
        options.Switch("--keep");
        options.End();
    }).Message);
}
