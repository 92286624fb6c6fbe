using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Mavi.Tests.CallbackGateway;

/// <summary>Everything a host logs: text, exceptions, every named value and every scope around it.</summary>
[ProviderAlias("LogLines")]
sealed class LogLines : ILoggerProvider, ISupportExternalScope
{
    readonly ConcurrentQueue<string> _lines = new();
    IExternalScopeProvider? _scopes;

    public IReadOnlyCollection<string> All => _lines;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    static string Flatten(object? value) =>
        value is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(", ", pairs.Select(pair => $"{pair.Key}={pair.Value}")) : $"{value}";

    sealed class Logger(LogLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => lines._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var scopes = new List<string>();
            lines._scopes?.ForEachScope((scope, list) => list.Add(Flatten(scope)), scopes);
            lines._lines.Enqueue($"{logLevel} {category}: {formatter(state, exception)} | {Flatten(state)} | {string.Join(" > ", scopes)} | {exception}");
        }
    }
}
