namespace Mavi.CallbackGateway;

/// <summary>Reads a request's body into one pooled array.</summary>
static class RequestBody
{
    const int FirstChunk = 16 * 1024;

    /// <summary>The body; null where it is larger than <paramref name="most"/>, of which no more than that is read, or nothing where the length is announced.</summary>
    public static async Task<PooledBytes?> ReadAsync(HttpRequest request, int most, CancellationToken cancellation)
    {
        if (request.ContentLength > most)
            return null;

        // One byte more than announced or allowed: reading nothing into it is how the end is seen.
        var body = new PooledBytes((int)(request.ContentLength ?? Math.Min(FirstChunk, most)) + 1);
        try
        {
            int read;
            while ((read = await request.Body.ReadAsync(body.Buffer[body.Length..], cancellation)) > 0)
            {
                body.Length += read;
                if (body.Length > most)
                {
                    body.Dispose();
                    return null;
                }

                if (body.Length == body.Capacity)
                    body.Grow((int)Math.Min(body.Capacity * 2L, most + 1L));
            }

            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }
}
