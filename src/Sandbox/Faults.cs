namespace Mavi.Sandbox;

/// <summary>The faults that apply to one request.</summary>
sealed record FaultPlan(IReadOnlyList<FaultRule> Rules)
{
    public static readonly FaultPlan None = new([]);

    public FaultRule? this[string fault] => Rules.FirstOrDefault(rule => rule.Fault == fault);

    public FaultRule? At(FaultStage stage) => Rules.FirstOrDefault(rule => FaultCatalog.StageOf(rule.Fault) == stage);
}

/// <summary>A rule and how often it was used; what <c>GET /sandbox/faults</c> shows.</summary>
sealed record FaultUse(FaultRule Rule, int Matched, int Applied);

/// <summary>The rules in force, and their use so far.</summary>
sealed class Faults
{
    readonly Lock gate = new();
    Armed[] armed = [];
    int seed;

    public void Arm(FaultDocument document)
    {
        lock (gate)
        {
            seed = document.Seed;
            armed = [.. document.Rules.Select((rule, index) => new Armed(rule, Seed(document.Seed, index)))];
        }
    }

    public (int Seed, IReadOnlyList<FaultUse> Rules) Read()
    {
        lock (gate)
            return (seed, [.. armed.Select(rule => new FaultUse(rule.Rule, rule.Matched, rule.Applied))]);
    }

    /// <summary>The faults of one request; each rule counts it once. Called when the request would be carried out otherwise.</summary>
    public FaultPlan Take(string operation, string? assetId)
    {
        lock (gate)
        {
            var plan = new List<FaultRule>();
            foreach (var rule in armed.Where(rule => rule.IsAboutAnswer))
            {
                if (rule.IsFor(operation, assetId) && !(rule.ReplacesAnswer && plan.Any(FaultCatalog.ReplacesAnswer)) && rule.Next())
                    plan.Add(rule.Rule);
            }

            // A request that makes no task has no callback to spoil.
            if (!plan.Any(rule => FaultCatalog.StageOf(rule.Fault) == FaultStage.AnswerBefore))
                plan.AddRange(armed.Where(rule => !rule.IsAboutAnswer && rule.IsFor(operation, assetId) && rule.Next()).Select(rule => rule.Rule));

            return plan.Count == 0 ? FaultPlan.None : new FaultPlan(plan);
        }
    }

    // Not HashCode, which differs from process to process.
    static int Seed(int seed, int index) => unchecked(seed * 7919 + index);

    sealed class Armed(FaultRule rule, int seed)
    {
        readonly Random chance = new(seed);

        public FaultRule Rule => rule;
        public int Matched { get; private set; }
        public int Applied { get; private set; }

        public bool ReplacesAnswer => FaultCatalog.ReplacesAnswer(rule);
        public bool IsAboutAnswer => ReplacesAnswer || FaultCatalog.StageOf(rule.Fault) == FaultStage.Pace;

        public bool IsFor(string operation, string? assetId) =>
            (rule.Operation is null ? Operation.IsSubmission(operation) : rule.Operation == operation)
            && FaultCatalog.CanSpoil(rule.Fault, operation)
            && (rule.AssetId is null || rule.AssetId == assetId);

        public bool Next()
        {
            var position = Matched++ - rule.Skip;
            var most = rule.Count ?? (rule.Every is null && rule.Probability is null ? 1 : int.MaxValue);
            if (position < 0 || Applied >= most)
                return false;
            if (rule.Every is { } every && (position + 1) % every != 0)
                return false;
            if (rule.Probability is { } probability && chance.NextDouble() >= probability)
                return false;
            Applied++;
            return true;
        }
    }
}
