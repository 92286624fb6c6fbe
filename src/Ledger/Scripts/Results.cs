using System.Data.Common;

namespace Mavi.Ledger.Scripts;

/// <summary>What a script returns: one result after the other, each of one row at most.</summary>
sealed class Results(DbDataReader reader)
{
    /// <summary>The row of the next result, or the type's default where it has none.</summary>
    public async Task<T?> NextAsync<T>(Func<DbDataReader, T> row)
    {
        var value = await reader.ReadAsync() ? row(reader) : default;
        await reader.NextResultAsync();
        return value;
    }

    /// <summary>To the end: a statement that nobody reads may have failed too.</summary>
    public async Task EndAsync()
    {
        while (await reader.NextResultAsync())
        {
        }
    }
}

/// <summary>A column of a row that may be null.</summary>
static class Columns
{
    public static string? Text(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    public static long? Number(this DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
