using System.Globalization;

namespace Mavi.Chaos;

/// <summary>How much chaos.</summary>
sealed record Settings
{
    public const string Usage = "[--requests N] [--kills N] [--seed S] [--minutes M] [--cluster] [--keep]";

    /// <summary>Commands to publish, repeats not counted; 20 to 100,000, default 600.</summary>
    public int Requests { get; init; } = 600;

    /// <summary>Faults of processes and links; 0 to 10,000, default 25. What the Sandbox spoils comes on top.</summary>
    public int Kills { get; init; } = 25;

    /// <summary>Of the schedule, the commands and the Sandbox's faults; default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How long commands are published and faults happen; 0.1 to 600, default 1. Settling comes on top.</summary>
    public double Minutes { get; init; } = 1;

    /// <summary>Three broker nodes instead of one.</summary>
    public bool IsCluster { get; init; }

    /// <summary>Keep the logs of a run that passed, too.</summary>
    public bool KeepLogs { get; init; }

    public static Settings Parse(IEnumerable<string> words)
    {
        var settings = new Settings();
        using var next = words.GetEnumerator();
        while (next.MoveNext())
        {
            var name = next.Current;
            settings = name switch
            {
                "--requests" => settings with { Requests = (int)Number(20, 100_000, true) },
                "--kills" => settings with { Kills = (int)Number(0, 10_000, true) },
                "--seed" => settings with { Seed = (int)Number(0, int.MaxValue, true) },
                "--minutes" => settings with { Minutes = Number(0.1, 600, false) },
                "--cluster" => settings with { IsCluster = true },
                "--keep" => settings with { KeepLogs = true },
                _ => throw new SettingsException($"\"{name}\" is no option; expected one of {Usage}: correct it."),
            };

            double Number(double least, double most, bool isWhole)
            {
                var received = next.MoveNext() ? next.Current : "";
                return double.TryParse(received, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most && (!isWhole || number == Math.Floor(number))
                    ? number
                    : throw new SettingsException(FormattableString.Invariant($"{name} is \"{received}\"; expected a {(isWhole ? "whole " : "")}number from {least} to {most}: correct it."));
            }
        }

        return settings;
    }
}

/// <summary>The command line is wrong; the message is one sentence.</summary>
sealed class SettingsException(string message) : Exception(message);
