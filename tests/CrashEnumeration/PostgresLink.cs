using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>The way to PostgreSQL. A point is what the server carries out as one: the messages up to a Sync, or a simple query.</summary>
sealed class PostgresLink(string host, int port, PointWatch watch) : Link(host, port, watch)
{
    protected override async Task CarryAsync(Stream client, Stream server)
    {
        var session = new Session(this, client, server);
        await await Task.WhenAny(session.UpAsync(), session.DownAsync());
    }

    /// <summary>What the client sent as one, and what the server has answered so far.</summary>
    sealed class Group(string? label, Passing how)
    {
        public string? Label => label;
        public Passing How => how;
        public MemoryStream Answer { get; } = new();
        public bool Changed { get; set; }

        /// <summary>Sent by us: its answer is nobody's.</summary>
        public bool IsOurs { get; init; }

        /// <summary>The client's answer that waits for the end of this one of ours.</summary>
        public byte[]? Releases { get; init; }

        /// <summary>The start of the session: its answers are questions.</summary>
        public bool IsStart { get; init; }
    }

    sealed class Session(PostgresLink link, Stream client, Stream server)
    {
        readonly ConcurrentQueue<Group> _waiting = new();
        readonly Dictionary<string, string> _statements = [];

        public async Task UpAsync()
        {
            var from = new BufferedStream(client);
            _waiting.Enqueue(new Group(null, Passing.Through) { IsStart = true });
            await link.SendAsync(server, await ReadAsync(from, typed: false));

            var (group, texts) = (new MemoryStream(), new List<string>());
            while (true)
            {
                var message = await ReadAsync(from, typed: true);
                var type = (char)message[0];
                if (type is 'p' or 'X')
                {
                    await link.SendAsync(server, message);
                    continue;
                }

                group.Write(message);
                if (type == 'P')
                    _statements[TextAt(message, 5, out var next)] = TextAt(message, next, out _);
                else if (type == 'B')
                    texts.Add(_statements.GetValueOrDefault(SecondTextOf(message), "?"));
                else if (type == 'Q')
                    texts.Add(TextAt(message, 5, out _));
                if (type is not ('S' or 'Q'))
                    continue;

                await PassAsync(group.ToArray(), SqlLabel.Of(texts));
                (group, texts) = (new MemoryStream(), []);
            }
        }

        public async Task DownAsync()
        {
            var from = new BufferedStream(server);
            while (true)
            {
                var message = await ReadAsync(from, typed: true);
                if (!_waiting.TryPeek(out var group) || (group.IsStart && message[0] != 'Z'))
                {
                    await link.SendAsync(client, message);
                    continue;
                }

                group.Answer.Write(message);
                group.Changed |= message[0] == 'C' && ChangedRows(TextAt(message, 5, out _));
                if (message[0] == 'Z')
                {
                    _waiting.TryDequeue(out _);
                    await EndAsync(group);
                }
            }
        }

        async Task PassAsync(byte[] bytes, string? label)
        {
            var how = label is null ? Passing.Through : link.Watch.Arrive(label);
            if (how == Passing.Tried)
            {
                _waiting.Enqueue(new Group(null, Passing.Through) { IsOurs = true });
                await link.SendAsync(server, Query("begin"));
            }

            _waiting.Enqueue(new Group(label, how));
            await link.SendAsync(server, bytes);
        }

        async Task EndAsync(Group group)
        {
            if (group.Label is { } label && link.Watch.Completed(label, group.How, group.Changed))
                throw new IOException("The process is dead.");

            var answer = group.Answer.ToArray();
            if (group.How == Passing.Tried)
            {
                // The client knows of no transaction: the answer ends with "idle", once that is true.
                answer[^1] = (byte)'I';
                _waiting.Enqueue(new Group(null, Passing.Through) { IsOurs = true, Releases = answer });
                await link.SendAsync(server, Query("commit"));
            }
            else if (!group.IsOurs)
            {
                await link.SendAsync(client, answer);
            }
            else if (group.Releases is { } released)
            {
                await link.SendAsync(client, released);
            }
        }
    }

    static async Task<byte[]> ReadAsync(Stream from, bool typed)
    {
        var head = new byte[typed ? 5 : 4];
        await from.ReadExactlyAsync(head);
        var length = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(head.Length - 4));
        var message = new byte[head.Length - 4 + length];
        head.CopyTo(message, 0);
        await from.ReadExactlyAsync(message.AsMemory(head.Length));
        return message;
    }

    static byte[] Query(string text)
    {
        var message = new byte[5 + text.Length + 1];
        message[0] = (byte)'Q';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - 1);
        Encoding.ASCII.GetBytes(text, message.AsSpan(5));
        return message;
    }

    static string TextAt(byte[] message, int start, out int next)
    {
        var end = Array.IndexOf(message, (byte)0, start);
        next = end + 1;
        return Encoding.UTF8.GetString(message, start, end - start);
    }

    static string SecondTextOf(byte[] message)
    {
        _ = TextAt(message, 5, out var second);
        return TextAt(message, second, out _);
    }

    // "INSERT 0 1", "UPDATE 3", "DELETE 0"
    static bool ChangedRows(string tag) =>
        tag.Split(' ') is ["INSERT" or "UPDATE" or "DELETE", .., var rows] && rows != "0";
}
