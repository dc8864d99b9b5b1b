-- Alerts: what rules remember, what fires, what happened to it, and what is to be told to whom.
-- The configuration and the engine's memory are settings (`alerts.config`, `alerts.memory`), JSON.

-- What is remembered of a rule and what it is judged for. state: JSON (alerts::RuleState).
CREATE TABLE alert_states (
    rule TEXT NOT NULL,
    machine TEXT NOT NULL,
    part TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (rule, machine, part)
) STRICT, WITHOUT ROWID;

-- Alerts. phase: 0 waiting, 1 firing, 2 acknowledged, 3 resolved. severity: 0 info, 1 warning,
-- 2 critical. is_live: it is not over, or a digest still has to tell of it. machines: their ids, each
-- between spaces. alert: JSON (alerts::Alert).
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    machines TEXT NOT NULL,
    phase INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    resolved_at INTEGER,
    is_live INTEGER NOT NULL,
    alert TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_live ON alerts (id) WHERE is_live = 1;
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;

-- What happened to alerts. line: JSON (alerts::History).
CREATE TABLE alert_history (
    id INTEGER PRIMARY KEY,
    alert INTEGER NOT NULL,
    line TEXT NOT NULL
) STRICT;
CREATE INDEX alert_history_of ON alert_history (alert, id);

-- The outbox: a row for each message to one person by one channel, written with the change that it
-- tells, delivered after. state: 0 waiting, 1 being handed to the provider, 2 sent, 3 given up,
-- 4 held by a limit. message: JSON (alerts::Outgoing).
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    alert INTEGER,
    change INTEGER NOT NULL,
    person TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    sent_at INTEGER,
    provider_id TEXT,
    price_micros INTEGER,
    error TEXT,
    message TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX deliveries_once ON deliveries (alert, change, person, channel, recipient)
    WHERE alert IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state <= 1;
CREATE INDEX deliveries_of ON deliveries (alert, id);
CREATE INDEX deliveries_sent ON deliveries (channel, sent_at) WHERE sent_at IS NOT NULL;

-- Spans in which nobody watched.
CREATE TABLE watch_gaps (
    id INTEGER PRIMARY KEY,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL
) STRICT;

-- Entries that a crash kept from being judged: the next opening does it.
CREATE TABLE unjudged (
    day INTEGER NOT NULL,
    machine INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (day, machine, epoch, first)
) STRICT, WITHOUT ROWID;
