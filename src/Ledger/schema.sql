-- One schema for PostgreSQL and SQLite. Times are microseconds since 1970 UTC by the database's clock; ids are text; booleans are 0 or 1.
-- Safe to run again. A change adds a step at the end and raises Schema.Version: an older worker then refuses to start on it.

create table if not exists accounts (
    account text primary key,
    paused_kind text,                    -- null, 'Outage' or 'Blocked': every worker stops, one probes
    paused_reason text,
    paused_at bigint,
    probe_at bigint,                     -- when the next single probe may leave
    probe_by text,                       -- the attempt that is the probe
    failures integer not null default 0  -- unknown or unavailable answers in a row
);

create table if not exists rate_slots (
    account text not null,
    operation text not null,
    next_at bigint not null default 0,       -- when the next free slot is
    last_at bigint not null default 0,       -- when the last POST was let go
    last_attempt text,                       -- which one it was
    blocked_until bigint not null default 0, -- a throttle answer pushed everybody back to here
    generation bigint not null default 0,    -- raised by a push back: slots reserved before it are void
    throttles integer not null default 0,    -- throttle answers in a row
    primary key (account, operation)
);

create table if not exists submissions (
    request_id text primary key,
    account text not null,
    operation text not null,
    asset_id text not null,
    caller text,
    state text not null,                 -- Submitting, Submitted, Deferred, Rejected, Uncertain, Failed
    attempts integer not null default 0, -- POSTs let go
    deferrals integer not null default 0,
    limit_texts integer not null default 0, -- answers that may mean a throttle or a bad asset
    attempt_id text,
    worker text,
    attempted_at bigint,
    lease_until bigint,                  -- Submitting: after this nobody answers for the POST any more
    due_at bigint,                       -- Deferred: when to try again
    task_id text,
    submitted_at bigint,
    uncertain_at bigint,                 -- the first POST of which nobody knows the answer; kept when it is resubmitted
    reason text,
    code text,
    message text,
    late integer not null default 0,     -- a failure was published before a task was adopted
    transition text not null,            -- id of the last transition, and of its history row
    announce_at bigint,                  -- the event of this state is still to be published, from then on by anybody
    created_at bigint not null,
    updated_at bigint not null
);
create unique index if not exists submissions_task on submissions (account, task_id) where task_id is not null;
create index if not exists submissions_submitting on submissions (lease_until) where state = 'Submitting';
create index if not exists submissions_deferred on submissions (due_at) where state = 'Deferred';
create index if not exists submissions_uncertain on submissions (operation, uncertain_at) where uncertain_at is not null;
create index if not exists submissions_announce on submissions (announce_at) where announce_at is not null;

create table if not exists tasks (
    id text primary key,                 -- the saga's correlation id, a UUID made from the task id
    account text not null,
    task_id text not null,
    state text not null,                 -- AwaitingCallback, AwaitingSubmission, Succeeded, Failed, Lost
    operation text,                      -- of the submission; of the callback while none has claimed it
    request_id text,
    asset_id text,
    submitted_at bigint,
    late integer not null default 0,
    overdue integer not null default 0,
    result_kind text,                    -- the message that brought the result
    result text,                         -- that message as JSON
    received_at bigint,
    reason text,                         -- Failed, Lost: why
    code text,
    message text,
    ended_at bigint,
    due_at bigint,                       -- AwaitingCallback: when it is overdue, then when it is lost
    announce_at bigint,
    transition text,                     -- id of the last change, and of its history row; null in rows of before it was kept
    created_at bigint not null,
    updated_at bigint not null
);
create index if not exists tasks_due on tasks (due_at) where due_at is not null;
create index if not exists tasks_orphans on tasks (created_at) where state = 'AwaitingSubmission';
create index if not exists tasks_announce on tasks (announce_at) where announce_at is not null;

-- What came on the account's webhook and is no task of ours: kept and shown, never dropped.
create table if not exists callbacks (
    id text primary key,                 -- the message id: the same body is kept once
    account text not null,
    task_id text,
    body text not null,
    reason text not null,
    received_at bigint not null,
    recheck_at bigint,                   -- the submission may not be recorded yet: look once more then
    created_at bigint not null
);
create index if not exists callbacks_task on callbacks (task_id) where task_id is not null;
create index if not exists callbacks_recheck on callbacks (recheck_at) where recheck_at is not null;

create table if not exists history (
    id text primary key,                 -- the transition's id
    account text not null,
    request_id text,
    task_id text,
    at bigint not null,
    kind text not null,
    actor text not null,
    detail text
);
create index if not exists history_request on history (request_id) where request_id is not null;
create index if not exists history_task on history (task_id) where task_id is not null;
