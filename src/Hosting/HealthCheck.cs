namespace Mavi.Hosting;

/// <summary>The argument <c>healthcheck</c>: the program asks the one that runs beside it how it is, so that an image needs neither a shell nor curl.</summary>
static class HealthCheck
{
    public const string Verb = "healthcheck";

    static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);

    /// <summary>Asks the first address of <c>ASPNETCORE_URLS</c>, on this machine.</summary>
    /// <param name="route">Such as <c>/health/ready</c>.</param>
    /// <param name="unlessSet">The address that the program listens on without that variable.</param>
    /// <returns>0 where the answer is 2xx within 4 s, else 1; what was answered, or why nothing was, is on the standard output.</returns>
    public static async Task<int> AskAsync(string route, string unlessSet)
    {
        var urls = Environment.GetEnvironmentVariable("ASPNETCORE_URLS");
        try
        {
            var listening = BindingAddress.Parse((string.IsNullOrEmpty(urls) ? unlessSet : urls).Split(';')[0]);
            using var http = new HttpClient { Timeout = Limit };
            using var answer = await http.GetAsync(new Uri($"{listening.Scheme}://127.0.0.1:{listening.Port}{route}"));
            Console.WriteLine(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception failed) when (failed is HttpRequestException or TaskCanceledException or FormatException)
        {
            Console.WriteLine($"{route} of {urls ?? unlessSet} did not answer within {Limit.TotalSeconds:0} s ({failed.Message.TrimEnd('.')}).");
            return 1;
        }
    }
}
