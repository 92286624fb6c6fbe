using System.Collections.Concurrent;
using System.Text;
using Mavi.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Mavi.Tests.Client;

/// <summary>A real HTTP server in Mavi's place that answers as the test says and remembers what it was asked.</summary>
sealed class MaviServer : IAsyncDisposable
{
    const string Base = "/serve/api/v2";

    readonly WebApplication app;

    MaviServer(WebApplication app) => this.app = app;

    public ConcurrentQueue<Asked> Requests { get; } = new();

    public string BaseUrl => app.Urls.Single() + Base;

    /// <summary>A server that gives every request the same answer.</summary>
    public static Task<MaviServer> StartAsync(int status, string body, string? contentType = "application/json") => StartAsync(async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        await context.Response.WriteAsync(body);
    });

    public static async Task<MaviServer> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var server = new MaviServer(builder.Build());
        server.app.Run(async context =>
        {
            var request = context.Request;
            var text = "";
            if (request.ContentType?.StartsWith("multipart/", StringComparison.Ordinal) != true)
            {
                using var reader = new StreamReader(request.Body);
                text = await reader.ReadToEndAsync();
            }

            server.Requests.Enqueue(new(request.Method, request.Path.Value![Base.Length..], text, request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString())));
            await answer(context);
        });
        await server.app.StartAsync();
        return server;
    }

    public MaviClient Client() => Clients.For(BaseUrl);

    public ValueTask DisposeAsync() => app.DisposeAsync();
}

sealed record Asked(string Method, string Path, string Body, Dictionary<string, string> Headers);

/// <summary>The client as a service registers it.</summary>
static class Clients
{
    public const string Key = "sk-mavi-0123456789abcdef";

    public static MaviClient For(string baseUrl, TimeProvider? time = null, string key = Key)
    {
        var services = new ServiceCollection().AddSingleton(time ?? TimeProvider.System).AddMaviClient(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Mavi:BaseUrl"] = baseUrl, ["Mavi:ApiKey"] = key })
            .Build());
        return services.BuildServiceProvider().GetRequiredService<MaviClient>();
    }

    /// <summary>Everything that a log or an event could show of a failed call.</summary>
    public static string Everything(MaviException failure) => new StringBuilder()
        .AppendLine(failure.ToString()).AppendLine(failure.Answer.ToString()).AppendLine(failure.Answer.Body).AppendLine(failure.Answer.Code).ToString();
}
