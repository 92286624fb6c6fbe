using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Mavi.Tests.CallbackGateway;
using Mavi.Tests.Support;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>A gateway that may die: a process of its own, with a link to the broker, and every change it makes in its spool under a trace. SIGKILL is its death.</summary>
sealed partial class GatewayVictim : IAsyncDisposable
{
    const int Kill = 9;

    readonly AmqpLink _amqp;
    readonly ServiceProcess _process;
    readonly string _spool;
    Uri _address = null!;
    FileTrace? _trace;

    GatewayVictim(string broker, string spool, bool brokerIsAway)
    {
        _spool = spool;
        var address = new UriBuilder(broker);
        _amqp = new AmqpLink(address.Host, address.Port, Watch, static _ => { }) { IsAway = brokerIsAway };
        (address.Host, address.Port) = ("127.0.0.1", _amqp.Port);
        _process = ServiceProcess.Start(
            ServiceProcess.Gateway,
            ("ConnectionStrings__RabbitMq", address.Uri.ToString()), ("Gateway__SpoolDirectory", spool), ("Gateway__Secrets__0", GatewayHost.Secret));
        Watch.Kill = () =>
        {
            _ = Signal(_process.Id, Kill);
            _amqp.Cut();
        };
    }

    public PointWatch Watch { get; } = new([]);

    public static async Task<GatewayVictim> StartAsync(string broker, string spool, bool brokerIsAway)
    {
        var victim = new GatewayVictim(broker, spool, brokerIsAway);
        victim._address = await victim._process.AddressAsync();
        return victim;
    }

    /// <summary>From now on its files are watched; numbered only once its watch is armed.</summary>
    public async Task TraceAsync()
    {
        _trace ??= await FileTrace.AttachAsync(_process.Id, _spool, Watch, path => path == _spool ? "spool" : CallbackFile().Replace(Path.GetFileName(path), "callback"));
    }

    /// <summary>Whether it has a connection to the broker; where there is none it knows, and where it was thrown out it is told.</summary>
    public bool IsConnected => _amqp.IsConnected;

    public bool BrokerIsAway
    {
        set => _amqp.IsAway = value;
    }

    /// <summary>A callback; true where the answer is 200.</summary>
    public async Task<bool> TakesAsync(string body)
    {
        try
        {
            using var content = new StringContent(body);
            using var answer = await Http.PostAsync(new Uri(_address, $"callbacks/mavi/{GatewayHost.Secret}"), content);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Watch.Die();
        if (_trace is not null)
            await _trace.DisposeAsync();
        await _process.DisposeAsync();
    }

    static readonly HttpClient Http = new();

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    static extern int Signal(int process, int signal);

    [GeneratedRegex(@"^\d{8}T\d{9}Z-\d+-[0-9a-f]{64}\.callback")]
    private static partial Regex CallbackFile();
}
