using System.Globalization;

namespace Mavi.Bench.Measuring;

/// <summary>The operating system's own accounting of processes, from <c>/proc</c>.</summary>
static class Accounting
{
    // USER_HZ, in which the kernel tells times to programs: 100 on every machine that .NET runs on.
    const double TicksPerSecond = 100;

    /// <summary>
    /// What a process and its descendants have used since they began. Children that have ended count too, once their parent has waited for them:
    /// PostgreSQL has a process for each connection.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no such process.</exception>
    public static Usage Of(int processId)
    {
        var all = Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(static name => char.IsAsciiDigit(name![0]))
            .Select(static name => Read(name!)).OfType<Entry>().ToList();
        if (all.TrueForAll(entry => entry.Id != processId))
            throw new InvalidOperationException($"Process {processId} has ended; expected it to run while it is measured: see its log.");
        var children = all.ToLookup(static entry => entry.Parent);
        return Sum(all.First(entry => entry.Id == processId));

        Usage Sum(Entry entry) => children[entry.Id].Aggregate(entry.Usage, (sum, child) => sum + Sum(child));
    }

    /// <summary>Makes the most that a process ever held what it holds now.</summary>
    public static void ForgetPeak(int processId) => File.WriteAllText($"/proc/{processId}/clear_refs", "5");

    static Entry? Read(string id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // The second field is the program's name in brackets, which may hold blanks and brackets.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = fields[11..15].Sum(static field => long.Parse(field, CultureInfo.InvariantCulture));
            var status = File.ReadLines($"/proc/{id}/status").ToList();
            return new Entry(
                int.Parse(id, CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture),
                new Usage(ticks / TicksPerSecond, Bytes(status, "VmRSS:"), Bytes(status, "VmHWM:")));
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>0 where the line is missing: a process that has ended and nobody waited for yet.</summary>
    static long Bytes(List<string> status, string name) => status.Find(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
        ? long.Parse(line.AsSpan(name.Length, line.Length - name.Length - " kB".Length).Trim(), CultureInfo.InvariantCulture) * 1024
        : 0;

    sealed record Entry(int Id, int Parent, Usage Usage);
}
