using System.Globalization;
using Mavi.Contracts;

namespace Mavi.AllInOne;

/// <summary>The tables at the end.</summary>
static class Summary
{
    public static void Results(Screen screen, IReadOnlyList<SegmentFile> segments, IReadOnlyList<FrameFile> pictures, ExtractFramesSucceeded frames, DemoPlan plan)
    {
        screen.Line();
        screen.Headline($"  {"#",3}  {"asset id",-24}  {"from",9}  {"to",9}  {"duration",9}  {"size",9}  file");
        foreach (var segment in segments)
        {
            screen.Line(string.Create(
                CultureInfo.InvariantCulture,
                $"  {segment.Index,3}  {segment.AssetId,-24}  {Text.Time(segment.Start),9}  {Text.Time(segment.Start + segment.Seconds),9}  {segment.Seconds,7:0.00} s  {Text.Size(segment.Size),9}  segments/{segment.Name}"));
        }

        screen.Line();
        screen.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"  {Text.Plural(pictures.Count, "frame")}, one every {plan.FrameIntervalSeconds} s, in collection {frames.CollectionId}: frames/{pictures[0].Name} to {pictures[^1].Name}"));
    }

    public static void Outcomes(Screen screen, Outcomes outcomes, Steps steps, Postings postings)
    {
        screen.Line();
        foreach (var request in new[] { outcomes.Split, outcomes.Frames })
        {
            screen.Headline($"  {request.Ended.Result.GetType().Name}");
            screen.Line($"      request {request.RequestId}, task {request.TaskId ?? "none"}{(request.Complaint is { } complaint ? $": {complaint}" : "")}");
        }

        screen.Line();
        screen.Line("  " + string.Join(" | ", steps.All.Select(step => $"{step.Name} {Text.Seconds(step.Took)}")));
        screen.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"  {postings.Split + postings.ExtractFrames} POSTs to Mavi ({postings.Split} split, {postings.ExtractFrames} extract-frames), {postings.Accepted} accepted; the real one would charge ${postings.CostUsd:0.00} for the frames"));
        screen.Line();
    }
}
