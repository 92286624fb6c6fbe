using Mavi.Tests.Support;

namespace Mavi.Tests.CrashEnumeration;

/// <summary>A commit or external call of a history: the n-th of its kind.</summary>
readonly record struct Point(string Label, int Occurrence)
{
    public override string ToString() => $"{Label} ({Occurrence})";
}

/// <summary>Which side of a point the process dies on: the call has not reached anybody, or it was carried out and its answer is not heard.</summary>
enum Side
{
    Before,
    After,
}

/// <summary>Where the process dies.</summary>
sealed record Death(Point Point, Side Side)
{
    public override string ToString() => $"{Side} {Point}";
}

/// <summary>What a link does with a call.</summary>
enum Passing
{
    /// <summary>It goes on, and so does its answer.</summary>
    Through,

    /// <summary>The process has died: nothing goes anywhere.</summary>
    Dead,

    /// <summary>It goes on, and its answer is held back until it is known whether the process dies with it.</summary>
    Held,

    /// <summary>It is carried out, and undone if it turns out to be the one before which the process dies.</summary>
    Tried,
}

/// <summary>
/// Numbers the points of one process and lets it die at one of them. What a process does by itself all the time (its sweeps) is learnt while it is
/// idle; of those only what changes something is a point, so that the numbers do not depend on how often a timer fired.
/// </summary>
/// <param name="idle">The labels learnt while idle; shared by every process of a history.</param>
sealed class PointWatch(HashSet<string> idle)
{
    readonly Lock _lock = new();
    readonly Dictionary<string, int> _counts = [];
    readonly List<Point> _points = [];
    readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    Death? _death;
    long _learntAt;
    bool _learns;
    bool _armed;
    bool _dead;

    /// <summary>Called once, at the moment of death.</summary>
    public Action? Kill { get; set; }

    public Task Died => _died.Task;

    public bool IsDead => Volatile.Read(ref _dead);

    /// <summary>The points so far, in order.</summary>
    public IReadOnlyList<Point> Points
    {
        get
        {
            lock (_lock)
                return [.. _points];
        }
    }

    /// <summary>Learns what the process does while nothing is asked of it; returns when nothing new was heard for a while.</summary>
    public async Task LearnAsync(TimeSpan quiet)
    {
        (_learntAt, _learns) = (Environment.TickCount64, true);
        await Eventually.TrueAsync("the idle process to do nothing new", () => Environment.TickCount64 - Volatile.Read(ref _learntAt) > quiet.TotalMilliseconds);
        _learns = false;
    }

    /// <summary>From now on points are counted, and the process dies at <paramref name="death"/> if there is one.</summary>
    public void Arm(Death? death)
    {
        lock (_lock)
        {
            _counts.Clear();
            _points.Clear();
            (_death, _armed) = (death, true);
        }
    }

    /// <summary>A call is there as a whole, and has not gone on.</summary>
    public Passing Arrive(string label)
    {
        lock (_lock)
        {
            if (_dead)
                return Passing.Dead;
            if (_learns && idle.Add(label))
                Volatile.Write(ref _learntAt, Environment.TickCount64);
            if (!_armed)
                return Passing.Through;
            if (idle.Contains(label))
                return _death?.Point.Label != label ? Passing.Through : _death.Side == Side.Before ? Passing.Tried : Passing.Held;
            if (!IsDeath(Count(label)))
                return Passing.Through;
            if (_death!.Side == Side.After)
                return Passing.Held;
        }

        Die();
        return Passing.Dead;
    }

    /// <summary>A call was carried out, and its answer has not gone on. True where the process has died with it.</summary>
    /// <param name="label">The call's.</param>
    /// <param name="how">What <see cref="Arrive"/> said.</param>
    /// <param name="changed">Whether it changed anything.</param>
    public bool Completed(string label, Passing how, bool changed)
    {
        lock (_lock)
        {
            if (!_armed || _dead)
                return _dead;
            if (idle.Contains(label) ? !changed || !IsDeath(Count(label)) || how == Passing.Through : how != Passing.Held)
                return false;
        }

        Die();
        return true;
    }

    /// <summary>The end of this process, without a word.</summary>
    public void Die()
    {
        lock (_lock)
        {
            if (_dead)
                return;
            Volatile.Write(ref _dead, true);
        }

        Kill?.Invoke();
        _died.TrySetResult();
    }

    Point Count(string label)
    {
        var point = new Point(label, _counts[label] = _counts.GetValueOrDefault(label) + 1);
        _points.Add(point);
        return point;
    }

    bool IsDeath(Point point) => _death?.Point == point;
}
