using Npgsql;

namespace Mavi.Tests.Support;

/// <summary>What tests of outages rest on.</summary>
public sealed class PrivatePostgresTests
{
    [Fact]
    public async Task A_node_that_is_stopped_or_killed_comes_back_with_what_was_committed()
    {
        await using var postgres = await PrivatePostgres.StartOwnAsync();
        var database = await postgres.CreateDatabaseAsync();
        await AskAsync(database, "create table rows (n int)");

        await AskAsync(database, "insert into rows values (1)");
        await postgres.KillAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => AskAsync(database, "select 1"));
        await postgres.StartAsync();
        await AskAsync(database, "insert into rows values (2)");
        await postgres.StopAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => AskAsync(database, "select 1"));
        await postgres.StartAsync();

        Assert.Equal(2L, await AskAsync(database, "select count(*) from rows"));
    }

    [Fact]
    public async Task Each_database_is_empty_and_the_server_listens_on_the_loopback_only()
    {
        await using var postgres = await PrivatePostgres.StartOwnAsync();
        await AskAsync(await postgres.CreateDatabaseAsync(), "create table rows (n int)");
        var second = await postgres.CreateDatabaseAsync();

        Assert.Equal(0L, await AskAsync(second, "select count(*) from pg_tables where tablename = 'rows'"));
        Assert.Equal("127.0.0.1", await AskAsync(second, "show listen_addresses"));
        Assert.Equal("", await AskAsync(second, "show unix_socket_directories"));
    }

    static async Task<object?> AskAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
