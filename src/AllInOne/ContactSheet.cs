using System.Globalization;
using System.Net;
using System.Text;

namespace Mavi.AllInOne;

/// <summary>One page to look at the results: the frames with their times, the segments as a timeline that plays. It needs nothing but the files beside it.</summary>
static class ContactSheet
{
    public static Task WriteAsync(string path, SourceVideo video, IReadOnlyList<SegmentFile> segments, IReadOnlyList<FrameFile> frames, CancellationToken cancel)
    {
        var page = new StringBuilder(Page.Head);
        page.Append(CultureInfo.InvariantCulture, $"""
            <title>{Html(video.FileName)}</title>
            </head>
            <body>
            <header>
              <h1>{Html(video.FileName)}</h1>
              <p>{Html(video.Description)} &middot; {Text.Plural(segments.Count, "segment")} &middot; {Text.Plural(frames.Count, "frame")}</p>
            </header>
            <main>
            <section class="stage">
              <video id="player" controls preload="metadata" poster="frames/{frames[0].Name}" src="segments/{segments[0].Name}"></video>
              <p id="playing">Segment {segments[0].Index}: {Text.Time(segments[0].Start)} to {Text.Time(segments[0].Start + segments[0].Seconds)}</p>
            </section>
            <nav class="timeline" aria-label="Segments">

            """);
        foreach (var (position, segment) in segments.Index())
        {
            page.Append(CultureInfo.InvariantCulture, $"""
                <a href="segments/{segment.Name}" style="--hue:{Hue(position)};flex-grow:{Math.Max(segment.Seconds, 0.01):0.###}" data-start="{segment.Start:0.###}" data-end="{segment.Start + segment.Seconds:0.###}" title="{segment.AssetId}, {Text.Size(segment.Size)}"><b>{segment.Index}</b><span>{Text.Time(segment.Start)} – {Text.Time(segment.Start + segment.Seconds)}</span></a>

                """);
        }

        page.Append("</nav>\n<section class=\"frames\">\n");
        foreach (var frame in frames)
        {
            page.Append(CultureInfo.InvariantCulture, $"""
                <a href="frames/{frame.Name}" style="--hue:{Hue(SegmentAt(segments, frame.Time))}" data-time="{frame.Time:0.###}"><img src="frames/{frame.Name}" loading="lazy" alt="Frame at {Text.Time(frame.Time)}"><time>{Text.Time(frame.Time)}</time></a>

                """);
        }

        page.Append("</section>\n</main>\n").Append(Page.Script).Append("</body>\n</html>\n");
        return File.WriteAllTextAsync(path, page.ToString(), cancel);
    }

    // The golden angle: neighbours never look alike, however many there are.
    static int Hue(int position) => (int)(200 + position * 137.508) % 360;

    static int SegmentAt(IReadOnlyList<SegmentFile> segments, double time)
    {
        var position = 0;
        while (position < segments.Count - 1 && time >= segments[position + 1].Start)
            position++;
        return position;
    }

    static string Html(string text) => WebUtility.HtmlEncode(text);

    static class Page
    {
        public const string Head = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>
              :root { color-scheme: dark; --ground: #101216; --panel: #181b21; --line: #2a2e37; --text: #e8eaee; --faint: #969cab; }
              * { box-sizing: border-box; }
              body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
              header, main { max-width: 1280px; margin: 0 auto; padding: 0 24px; }
              header { padding-top: 28px; }
              h1 { margin: 0; font-size: 26px; font-weight: 650; overflow-wrap: anywhere; }
              header p { margin: 2px 0 20px; color: var(--faint); }
              a { color: inherit; text-decoration: none; }
              .stage { background: var(--panel); border: 1px solid var(--line); border-radius: 12px 12px 0 0; border-bottom: 0; padding: 16px 16px 8px; }
              video { display: block; width: 100%; max-height: 50vh; background: #000; border-radius: 8px; }
              #playing { margin: 8px 0 0; color: var(--faint); font-variant-numeric: tabular-nums; }
              .timeline { display: flex; gap: 3px; background: var(--panel); border: 1px solid var(--line); border-top: 0; border-radius: 0 0 12px 12px; padding: 8px 16px 16px; }
              .timeline a { flex-basis: 0; min-width: 4px; overflow: hidden; white-space: nowrap; padding: 7px 0; text-align: center; border-radius: 6px;
                background: hsl(var(--hue) 45% 30%); font-size: 13px; font-variant-numeric: tabular-nums; transition: background .15s; }
              .timeline a b { margin: 0 5px; }
              .timeline a span { color: #ffffffb8; margin-right: 5px; }
              .timeline a:hover, .timeline a.on { background: hsl(var(--hue) 55% 42%); }
              .frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(176px, 1fr)); gap: 12px; margin: 24px 0 48px; }
              .frames a { position: relative; display: block; border-radius: 8px; overflow: hidden; background: var(--panel); border-bottom: 4px solid hsl(var(--hue) 45% 40%);
                transition: transform .15s, box-shadow .15s; }
              .frames a:hover { transform: translateY(-2px); box-shadow: 0 6px 18px #0008; }
              .frames a.on { box-shadow: 0 0 0 2px hsl(var(--hue) 70% 60%); }
              .frames img { display: block; width: 100%; aspect-ratio: 16 / 9; object-fit: contain; background: #000; }
              .frames time { position: absolute; right: 6px; bottom: 6px; padding: 0 7px; border-radius: 5px; background: #000b; font-size: 13px; font-variant-numeric: tabular-nums; }
            </style>

            """;

        public const string Script = """
            <script>
              // A plain click plays; with Ctrl, Shift or the middle button the links open the files as everywhere.
              const player = document.getElementById('player'), playing = document.getElementById('playing');
              const segments = [...document.querySelectorAll('.timeline a')], frames = [...document.querySelectorAll('.frames a')];
              const isPlain = event => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
              let current = segments[0];
              function play(segment, offset) {
                if (current !== segment || !player.src.endsWith(segment.getAttribute('href'))) player.src = segment.href;
                current = segment;
                playing.textContent = 'Segment ' + segment.querySelector('b').textContent + ': ' + segment.querySelector('span').textContent;
                player.currentTime = offset;
                player.play().catch(() => {});
                show();
              }
              function show() {
                const now = +current.dataset.start + player.currentTime;
                segments.forEach(segment => segment.classList.toggle('on', segment === current));
                let last = null;
                frames.forEach(frame => { frame.classList.remove('on'); if (+frame.dataset.time <= now + 0.02) last = frame; });
                if (last) last.classList.add('on');
              }
              segments.forEach(segment => segment.addEventListener('click', event => {
                if (isPlain(event)) { event.preventDefault(); play(segment, 0); }
              }));
              frames.forEach(frame => frame.addEventListener('click', event => {
                if (!isPlain(event)) return;
                event.preventDefault();
                const time = +frame.dataset.time;
                const segment = segments.find(s => time < +s.dataset.end) ?? segments.at(-1);
                play(segment, Math.max(0, time - segment.dataset.start));
                document.querySelector('.stage').scrollIntoView({ behavior: 'smooth' });
              }));
              player.addEventListener('timeupdate', show);
              player.addEventListener('ended', () => {
                const next = segments[segments.indexOf(current) + 1];
                if (next) play(next, 0);
              });
            </script>

            """;
    }
}
