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
                // Colours and tone wander and a clock travels over the picture, so that frames and segments can be told apart.
                "-f", "lavfi", "-i", "gradients=size=640x360:rate=25:duration=30:speed=0.02:nb_colors=6:x0=0:y0=0:x1=640:y1=360"
                    + ":c0=0x14213d:c1=0x1b6ca8:c2=0x2ec4b6:c3=0xfca311:c4=0xe5383b:c5=0x5a189a,hue=h=6*t",
                "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=30",
                "-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*t*(220+40*floor(t/2)))':duration=30",
                "-filter_complex", "[0][1]overlay=x='(W-w)*(0.5+0.5*sin(t*0.7))':y='(H-h)*(0.5+0.5*cos(t*0.9))'[picture]",
                "-map", "[picture]", "-map", "2:a",
                "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", path,
            ],
            folder, cancel);
        return path;
    }
}
