using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>The way to RabbitMQ. A point is a publish with its content, an ack, a nack or a reject; connecting and declaring are none.</summary>
/// <param name="host">Of the broker.</param>
/// <param name="port">Of the broker.</param>
/// <param name="watch">Of the process.</param>
/// <param name="declared">Told the name of every queue that the process declares.</param>
sealed class AmqpLink(string host, int port, PointWatch watch, Action<string> declared) : Link(host, port, watch)
{
    const byte MethodFrame = 1, HeaderFrame = 2, BodyFrame = 3;
    const int ChannelFlow = (20 << 16) + 20, ChannelFlowOk = (20 << 16) + 21;
    const int QueueDeclare = (50 << 16) + 10;
    const int BasicConsume = (60 << 16) + 20, BasicPublish = (60 << 16) + 40, BasicDeliver = (60 << 16) + 60;
    const int BasicAck = (60 << 16) + 80, BasicReject = (60 << 16) + 90, BasicNack = (60 << 16) + 120;
    const int ConfirmSelect = (85 << 16) + 10;

    readonly ConcurrentDictionary<Session, bool> _sessions = new();

    /// <summary>Whether the process is connected.</summary>
    public bool IsConnected => !_sessions.IsEmpty;

    /// <summary>Messages that the process has in hand.</summary>
    public int Unacknowledged => _sessions.Keys.Sum(session => session.Unacknowledged);

    void Declared(string queue) => declared(queue);

    protected override async Task CarryAsync(Stream client, Stream server)
    {
        var session = new Session(this, client, server);
        _sessions[session] = true;
        try
        {
            await await Task.WhenAny(session.UpAsync(), session.DownAsync());
        }
        finally
        {
            _sessions.TryRemove(session, out _);
        }
    }

    sealed class Channel
    {
        public string Queue = "";
        public bool Confirms;
        public ulong Published;

        /// <summary>A publish whose content is still coming.</summary>
        public string? Publishing;
        public List<byte> Content = [];
        public long Missing;

        public readonly HashSet<ulong> Delivered = [];
    }

    /// <summary>The call with which the process dies, once the broker says that it is done.</summary>
    sealed record Awaited(string Label, ushort Channel, ulong? ConfirmOf);

    sealed class Session(AmqpLink link, Stream client, Stream server)
    {
        readonly ConcurrentDictionary<ushort, Channel> _channels = new();
        Awaited? _awaited;

        public int Unacknowledged
        {
            get
            {
                lock (_channels)
                    return _channels.Values.Sum(channel => channel.Delivered.Count);
            }
        }

        public async Task UpAsync()
        {
            var from = new BufferedStream(client);
            var greeting = new byte[8];
            await from.ReadExactlyAsync(greeting);
            await link.SendAsync(server, greeting);
            while (true)
            {
                var frame = await ReadAsync(from);
                var (number, channel) = (ChannelOf(frame), _channels.GetOrAdd(ChannelOf(frame), static _ => new Channel()));
                if (frame[0] == MethodFrame)
                    await MethodAsync(frame, number, channel);
                else if (channel.Publishing is not null && frame[0] is HeaderFrame or BodyFrame)
                    await ContentAsync(frame, number, channel);
                else
                    await link.SendAsync(server, frame);
            }
        }

        public async Task DownAsync()
        {
            var from = new BufferedStream(server);
            while (true)
            {
                var frame = await ReadAsync(from);
                var method = frame[0] == MethodFrame ? MethodOf(frame) : 0;
                if (Volatile.Read(ref _awaited) is { } awaited)
                {
                    var done = ChannelOf(frame) == awaited.Channel && (awaited.ConfirmOf is { } published
                        ? method is BasicAck or BasicNack && (NumberAt(frame, 11) == published || (NumberAt(frame, 11) > published && (frame[19] & 1) == 1))
                        : method == ChannelFlowOk);
                    if (done && link.Watch.Completed(awaited.Label, Passing.Held, changed: true))
                        return;
                    continue;
                }

                if (method == BasicDeliver)
                    Deliver(frame);
                await link.SendAsync(client, frame);
            }
        }

        async Task MethodAsync(byte[] frame, ushort number, Channel channel)
        {
            switch (MethodOf(frame))
            {
                case BasicPublish:
                    var exchange = ShortTextAt(frame, 13, out var next);
                    channel.Publishing = exchange.Length > 0 ? exchange : ShortTextAt(frame, next, out _);
                    channel.Content = [.. frame];
                    return;
                case BasicAck or BasicNack or BasicReject:
                    await SettleAsync(frame, number, channel);
                    return;
                case QueueDeclare:
                    link.Declared(ShortTextAt(frame, 13, out _));
                    break;
                case BasicConsume:
                    channel.Queue = ShortTextAt(frame, 13, out _);
                    break;
                case ConfirmSelect:
                    channel.Confirms = true;
                    break;
            }

            await link.SendAsync(server, frame);
        }

        async Task ContentAsync(byte[] frame, ushort number, Channel channel)
        {
            channel.Content.AddRange(frame);
            channel.Missing = frame[0] == HeaderFrame ? (long)NumberAt(frame, 11) : channel.Missing - (frame.Length - 8);
            if (channel.Missing > 0)
                return;

            var label = $"publish {channel.Publishing}";
            channel.Publishing = null;
            channel.Published++;
            if (link.Watch.Arrive(label) == Passing.Held)
                Volatile.Write(ref _awaited, new Awaited(label, number, channel.Confirms ? channel.Published : null));
            await link.SendAsync(server, channel.Content.ToArray());
            if (_awaited is { ConfirmOf: null })
                await link.SendAsync(server, Flow(number));
        }

        // The broker does not answer these; a channel works in order, so the answer to a question behind it says that it is done.
        async Task SettleAsync(byte[] frame, ushort number, Channel channel)
        {
            var method = MethodOf(frame);
            var label = $"{(method == BasicAck ? "ack" : method == BasicNack ? "nack" : "reject")} {channel.Queue}";
            if (link.Watch.Arrive(label) == Passing.Held)
                Volatile.Write(ref _awaited, new Awaited(label, number, null));
            await link.SendAsync(server, frame);
            if (_awaited is not null)
                await link.SendAsync(server, Flow(number));

            var tag = NumberAt(frame, 11);
            lock (_channels)
            {
                if (method != BasicReject && (frame[19] & 1) == 1)
                    channel.Delivered.RemoveWhere(delivered => delivered <= tag);
                else
                    channel.Delivered.Remove(tag);
            }
        }

        void Deliver(byte[] frame)
        {
            _ = ShortTextAt(frame, 11, out var next);
            lock (_channels)
                _channels.GetOrAdd(ChannelOf(frame), static _ => new Channel()).Delivered.Add(NumberAt(frame, next));
        }
    }

    // A frame: type, channel (2), size (4), payload, end; a method's payload begins with its class (2) and number (2).
    static async Task<byte[]> ReadAsync(Stream from)
    {
        var head = new byte[7];
        await from.ReadExactlyAsync(head);
        var frame = new byte[7 + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(3)) + 1];
        head.CopyTo(frame, 0);
        await from.ReadExactlyAsync(frame.AsMemory(7));
        return frame;
    }

    static byte[] Flow(ushort channel)
    {
        byte[] frame = [MethodFrame, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0xCE];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), channel);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(7), ChannelFlow);
        return frame;
    }

    static ushort ChannelOf(byte[] frame) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(1));

    static int MethodOf(byte[] frame) => BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(7));

    static ulong NumberAt(byte[] frame, int at) => BinaryPrimitives.ReadUInt64BigEndian(frame.AsSpan(at));

    static string ShortTextAt(byte[] frame, int at, out int next)
    {
        next = at + 1 + frame[at];
        return Encoding.UTF8.GetString(frame, at + 1, frame[at]);
    }
}
