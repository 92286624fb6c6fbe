namespace Mavi.HistoryChecker;

/// <summary>Where the witnesses are.</summary>
sealed record Places
{
    string? _broker;
    Uri? _management;
    Uri? _journal;
    string? _ledger;

    /// <summary><c>amqp://user:password@host:port/vhost</c>.</summary>
    public string Broker => _broker ?? throw Missing("--broker", "amqp://guest:guest@127.0.0.1:5672");

    /// <summary>The management plugin, such as <c>http://127.0.0.1:15672</c>; it alone tells what is delivered and not acknowledged.</summary>
    public Uri Management => _management ?? throw Missing("--management", "http://127.0.0.1:15672");

    /// <summary>The Sandbox, such as <c>http://127.0.0.1:8090</c>.</summary>
    public Uri Journal => _journal ?? throw Missing("--journal", "http://127.0.0.1:8090");

    /// <summary>The ledger's connection string: <c>Data Source=…</c> is SQLite, <c>Host=…</c> PostgreSQL.</summary>
    public string Ledger => _ledger ?? throw Missing("--ledger", "\"Data Source=mavi.db\"");

    /// <summary>Name each request that is wrong.</summary>
    public bool IsVerbose { get; init; }

    public static Places Of(string broker, Uri management, Uri journal, string ledger) =>
        new() { _broker = broker, _management = management, _journal = journal, _ledger = ledger };

    public static Places Parse(IEnumerable<string> words)
    {
        var places = new Places();
        using var next = words.GetEnumerator();
        while (next.MoveNext())
        {
            var name = next.Current;
            places = name switch
            {
                "-v" => places with { IsVerbose = true },
                "--broker" => places with { _broker = Value() },
                "--management" => places with { _management = Address() },
                "--journal" => places with { _journal = Address() },
                "--ledger" => places with { _ledger = Value() },
                _ => throw new UsageException($"\"{name}\" is no option; expected --broker, --management, --journal, --ledger or -v: correct it."),
            };

            string Value() => next.MoveNext() ? next.Current : throw new UsageException($"{name} has no value; expected one after it: add it.");

            Uri Address() => Uri.TryCreate(Value(), UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url
                : throw new UsageException($"{name} is \"{next.Current}\"; expected an http address such as http://127.0.0.1:15672: correct it.");
        }

        return places;
    }

    static UsageException Missing(string name, string example) => new($"{name} is missing; expected it for this command: add {name} {example}.");
}

/// <summary>The command line is wrong; the message is one sentence.</summary>
sealed class UsageException(string message) : Exception(message);
