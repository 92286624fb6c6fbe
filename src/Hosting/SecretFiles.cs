namespace Mavi.Hosting;

/// <summary>Settings that come as files, each named as in the environment and holding the value alone: what a container engine mounts as secrets.</summary>
static class SecretFiles
{
    const string Setting = "Secrets:Directory";

    /// <summary>Adds the files of the folder that <c>Secrets:Directory</c> names, none unless it is set. A file wins over a variable and an argument.</summary>
    /// <returns>One sentence that says what is wrong with the folder, or null.</returns>
    public static string? AddSecretFiles(this ConfigurationManager configuration)
    {
        if (configuration[Setting] is not { Length: > 0 } folder)
            return null;
        try
        {
            configuration.AddKeyPerFile(Path.GetFullPath(folder), optional: false);
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"{Setting} is \"{folder}\", which cannot be read ({error.Message.TrimEnd('.')}); expected a folder of files that are named like settings " +
                "(ConnectionStrings__RabbitMq) and that this user may read: correct the path or the permissions.";
        }
    }
}
