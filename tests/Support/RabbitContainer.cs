using System.Diagnostics;
using Testcontainers.RabbitMq;

namespace Mavi.Tests.Support;

/// <summary>
/// One RabbitMQ in a container, in the place of <see cref="RabbitNode"/> where the tests are built with <c>UseTestcontainers</c>. Its ports are chosen
/// here, not by the engine, so that a node that was stopped or killed comes back where it was.
/// </summary>
sealed class RabbitContainer : IAsyncDisposable
{
    const string Image = "rabbitmq:4-management";
    const string User = "guest";
    const int ManagementPort = 15672;

    readonly int _amqp = FreePorts.Next();
    readonly int _management = FreePorts.Next();
    readonly RabbitMqContainer _container;

    RabbitContainer() => _container = new RabbitMqBuilder(Image)
        .WithUsername(User)
        .WithPassword(User)
        .WithPortBinding(_amqp, RabbitMqBuilder.RabbitMqPort)
        .WithPortBinding(_management, ManagementPort)
        .Build();

    public Uri Amqp => new($"amqp://{User}:{User}@127.0.0.1:{_amqp}/");

    public Uri Management => new($"http://127.0.0.1:{_management}/");

    public static RabbitContainer Prepare() => new();

    public static async Task<RabbitContainer> StartAsync()
    {
        var container = new RabbitContainer();
        try
        {
            await container.RunAsync();
            return container;
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it, with the data it had; returns when it takes connections.</summary>
    public Task RunAsync() => _container.StartAsync();

    /// <summary>SIGTERM; returns when it has ended.</summary>
    public Task StopAsync() => _container.StopAsync();

    /// <summary>SIGKILL; returns when it has ended. The library itself knows only how to stop, and is told so afterwards.</summary>
    public async Task KillAsync()
    {
        using var kill = Process.Start("docker", ["kill", _container.Id]);
        await kill.WaitForExitAsync();
        await _container.StopAsync();
    }

    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
