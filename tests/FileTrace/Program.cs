using System.Globalization;
using Mavi.FileTrace;

// A process of its own: the runtime of the one that starts the traced process takes note of its child's end, and a tracer in it would take that away.
using var watch = new Watch();
try
{
    new Tracer(int.Parse(args[0], CultureInfo.InvariantCulture), args[1], watch).Run();
    return 0;
}
catch (EndOfStreamException)
{
    return 0;
}
catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
{
    watch.Failed(exception.Message);
    return 1;
}
