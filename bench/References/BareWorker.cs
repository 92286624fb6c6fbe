using MassTransit;
using Mavi.Tests.Support;
using Npgsql;

namespace Mavi.Bench.References;

/// <summary>
/// A worker as one would write it by hand on the same libraries: each message is one command to the database that stores the same rows as the Worker's, the
/// history's among them, and what follows is published. It works while nothing goes wrong: no slots, no doubt, no deadline, no repeat, no refusal, no line
/// in the log.
/// </summary>
static class BareWorker
{
    public const string Role = "bare-worker";

    /// <summary>Of a process of its own; without a Mavi to submit to it only joins.</summary>
    public static Dictionary<string, string> Settings(Place place, string? mavi = null)
    {
        var settings = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePorts.Next()}",
            ["ConnectionStrings__RabbitMq"] = place.Amqp,
            ["ConnectionStrings__Ledger"] = place.Ledger,
        };
        if (mavi is not null)
            settings["Mavi__BaseUrl"] = $"{mavi}/serve/api/v2";
        return settings;
    }

    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var database = new NpgsqlDataSourceBuilder(builder.Configuration.GetConnectionString("Ledger")) { ConnectionStringBuilder = { MaxAutoPrepare = 20 } }.Build();
        using (var schema = new StreamReader(typeof(BareWorker).Assembly.GetManifestResourceStream("schema.sql")!))
        await using (var command = database.CreateCommand(await schema.ReadToEndAsync()))
            await command.ExecuteNonQueryAsync();
        var mavi = builder.Configuration["Mavi:BaseUrl"];
        builder.Services.AddSingleton(database);
        builder.Services.AddSingleton(new HttpClient { BaseAddress = mavi is null ? null : new Uri($"{mavi}/"), DefaultRequestHeaders = { { "Authorization", Place.Key } } });
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddConsumer<BareUpsert>();
            bus.AddConsumer<BareSplit>();
            bus.AddConsumer<BareFrames>();
            bus.UsingRabbitMq((context, rabbit) =>
            {
                rabbit.Host(new Uri(builder.Configuration.GetConnectionString("RabbitMq")!));
                rabbit.ConfigureJsonSerializerOptions(static json =>
                {
                    json.WriteIndented = false;
                    return json;
                });
                Receive<BareUpsert>("bench-upsert", concurrency: 32);
                if (mavi is not null)
                {
                    Receive<BareSplit>("bench-split", concurrency: 64);
                    Receive<BareFrames>("bench-frames", concurrency: 64);
                }

                // As the Worker's.
                void Receive<T>(string queue, int concurrency)
                    where T : class, IConsumer => rabbit.ReceiveEndpoint(queue, endpoint =>
                {
                    endpoint.SetQuorumQueue();
                    endpoint.PrefetchCount = 64;
                    endpoint.ConcurrentMessageLimit = concurrency;
                    endpoint.UseRawJsonDeserializer();
                    endpoint.ConfigureConsumer<T>(context);
                });
            });
        });
        builder.Services.Configure<MassTransitHostOptions>(static host => host.WaitUntilStarted = true);
        await using var app = builder.Build();
        app.MapGet("/health/ready", static () => "ready");
        await app.RunAsync();
    }
}
