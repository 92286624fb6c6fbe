namespace Mavi.AllInOne;

/// <summary>The demo's own video: 30 s of moving picture and sound, a keyframe every 2 s.</summary>
static class SampleVideo
{
    public static async Task<string> MakeAsync(string folder, CancellationToken cancel)
    {
        var path = Path.Combine(folder, "sample.mp4");
        await Programs.RunAsync(
            "ffmpeg",
            [
                "-nostdin", "-v", "error", "-y",
                // The colours wander and the tone climbs, so that frames and segments can be told apart.
                "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=30,hue=h=12*t",
                "-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*t*(220+40*floor(t/2)))':duration=30",
                "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", path,
            ],
            folder, cancel);
        return path;
    }
}
