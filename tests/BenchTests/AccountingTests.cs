using System.Diagnostics;
using Mavi.Bench.Measuring;

namespace Mavi.Tests.BenchTests;

/// <summary>On real processes.</summary>
public sealed class AccountingTests
{
    [Fact]
    public async Task A_process_answers_for_its_children_while_they_run_and_when_they_have_ended()
    {
        // The child works, says so, and lives until it is told to end; then its parent waits for it and lives on.
        using var parent = Process.Start(new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "sh -c 'n=0; while [ $n -lt 200000 ]; do n=$((n + 1)); done; echo done; read line'; echo ended; read line" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            Assert.Equal("done", await parent.StandardOutput.ReadLineAsync());
            var running = Accounting.Of(parent.Id);
            Assert.True(running.CpuSeconds > 0.05, $"{running.CpuSeconds} s");
            Assert.True(running.ResidentBytes > 0 && running.PeakBytes >= running.ResidentBytes, $"{running}");

            await parent.StandardInput.WriteLineAsync();
            Assert.Equal("ended", await parent.StandardOutput.ReadLineAsync());
            var ended = Accounting.Of(parent.Id);
            Assert.True(ended.CpuSeconds >= running.CpuSeconds && ended.CpuSeconds < running.CpuSeconds + 0.5, $"{running.CpuSeconds} s, then {ended.CpuSeconds} s");
        }
        finally
        {
            parent.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void What_has_ended_is_said_to_have() =>
        Assert.Contains("has ended", Assert.Throws<InvalidOperationException>(static () => Accounting.Of(int.MaxValue)).Message, StringComparison.Ordinal);
}
