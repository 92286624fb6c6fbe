namespace Mavi.Bench.Measuring;

/// <summary>The same figure, taken several times.</summary>
sealed class Spread(IEnumerable<double> values)
{
    /// <summary>So many values, the middle ones, say how far the figure spreads: more are taken only to push outliers out of the middle.</summary>
    public const int Middle = 5;

    /// <summary>What spreads further than this cannot be judged.</summary>
    public const double Most = 0.15;

    readonly double[] _sorted = [.. values.Order()];

    public int Count => _sorted.Length;

    public double Median => _sorted.Length % 2 == 1 ? _sorted[_sorted.Length / 2] : (_sorted[_sorted.Length / 2 - 1] + _sorted[_sorted.Length / 2]) / 2;

    public double Least => _sorted[0];

    public double Greatest => _sorted[^1];

    /// <summary>The range of the middle values as a share of the median.</summary>
    public double Relative
    {
        get
        {
            var outside = Math.Max(0, (_sorted.Length - Middle) / 2);
            return (_sorted[^(1 + outside)] - _sorted[outside]) / Math.Abs(Median);
        }
    }

    public bool IsNoisy => Relative > Most;

    /// <summary>Takes a figure until it can be judged, or often enough; nothing is discarded.</summary>
    public static async Task<Spread> TakeAsync(Effort effort, Func<Task<double>> figure)
    {
        var values = new List<double>();
        while (effort.IsToGoOn(values.Count, () => new Spread(values).IsNoisy))
            values.Add(await figure());
        return new(values);
    }
}
