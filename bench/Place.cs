using Mavi.Chaos;
using Mavi.Tests.Support;

namespace Mavi.Bench;

/// <summary>A virtual host and a database of their own for one installation, and how our programs are told of them.</summary>
sealed record Place(string Amqp, string Ledger)
{
    public const string Secret = "a-secret-of-the-bench";
    public const string Key = "sk-mavi-sandbox";

    public static async Task<Place> MakeAsync(Lab lab, string name, CancellationToken stop)
    {
        var servers = await lab.ServersAsync(stop);
        await servers.MakePlaceAsync(name);
        var (amqp, ledger) = servers.PlaceOf(name);
        return new(amqp, ledger);
    }

    /// <summary>A gateway with settings as they are unless set.</summary>
    public Service Gateway(Lab lab, string name = "gateway") => lab.Program(name, "CallbackGateway", new Dictionary<string, string>
    {
        ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
        ["ConnectionStrings__RabbitMq"] = Amqp,
        ["Gateway__Secrets__0"] = Secret,
        ["Gateway__SpoolDirectory"] = lab.Folder.In("spool-" + name),
    });

    /// <summary>A worker with settings as they are unless set, or as <paramref name="settings"/> say; where it submits to need not be there before it does.</summary>
    public Service Worker(Lab lab, string sandbox = "http://127.0.0.1:9", IReadOnlyDictionary<string, string>? settings = null, string name = "worker") =>
        lab.Program(name, "Worker", new Dictionary<string, string>(settings ?? new Dictionary<string, string>())
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
            ["ConnectionStrings__RabbitMq"] = Amqp,
            ["ConnectionStrings__Ledger"] = Ledger,
            ["Mavi__BaseUrl"] = $"{sandbox}/serve/api/v2",
            ["Mavi__ApiKey"] = Key,
        });
}
