-- The cellular path: what came by drops, what did not, what it costs, and where drops are fetched.

-- Each drop that arrived. A drop in the bare form has epoch -2 and number 0. `at` is when it was made,
-- by the machine's clock where that can be true, else when it arrived. sha256 is of what it says (header
-- and entries), so that what mail wraps around it does not matter. counts: JSON array by level of the
-- entries it covers. form: 0 text, 1 dense, 2 bare. is_conflict: another drop of the same number says
-- something else.
CREATE TABLE drops (
    id INTEGER PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machine_numbers (no),
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    form INTEGER NOT NULL,
    size INTEGER NOT NULL,
    arrived_at INTEGER NOT NULL,
    made_at INTEGER,
    at INTEGER NOT NULL,
    uptime_s INTEGER,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    counts TEXT NOT NULL,
    left_out INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    upgraded INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    repeats INTEGER NOT NULL,
    is_conflict INTEGER NOT NULL,
    UNIQUE (machine, epoch, number, sha256)
) STRICT;
CREATE INDEX drops_by_machine ON drops (machine, id);
CREATE INDEX drops_by_time ON drops (machine, at, epoch, number, size);
CREATE INDEX drops_by_arrival ON drops (arrived_at);

-- What came, as runs without overlap that never touch. kind: 0 numbers of drops, 1 seqs that drops
-- answer for. first_at and last_at: `drops.at` at the two ends.
CREATE TABLE cell_runs (
    machine INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (machine, epoch, kind, first),
    CHECK (first <= last)
) STRICT, WITHOUT ROWID;

-- The newest drop of each machine: by number, of different epochs by when it was made.
CREATE TABLE last_drops (
    machine INTEGER PRIMARY KEY REFERENCES machine_numbers (no),
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    arrived_at INTEGER NOT NULL,
    made_at INTEGER,
    at INTEGER NOT NULL,
    uptime_s INTEGER
) STRICT;

-- Drops and their bytes by calendar month in UTC: year * 12 + month - 1.
CREATE TABLE cell_months (
    machine INTEGER NOT NULL,
    month INTEGER NOT NULL,
    drops INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (machine, month)
) STRICT, WITHOUT ROWID;

-- Data plans; machine 0 is the whole fleet, for machines without one of their own.
CREATE TABLE data_plans (
    machine INTEGER PRIMARY KEY,
    monthly_bytes INTEGER,
    price_cents_per_mb REAL NOT NULL,
    currency TEXT NOT NULL
) STRICT;

-- What arrived and could not be read: already redacted, cut to a bound. Discarded ones wait a while.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    arrived_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    bytes BLOB NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    machine TEXT,
    dictionary INTEGER,
    repeats INTEGER NOT NULL,
    discarded_at INTEGER
) STRICT;
CREATE UNIQUE INDEX quarantine_by_content ON quarantine (source, sha256, size);
CREATE INDEX quarantine_discarded ON quarantine (discarded_at) WHERE discarded_at IS NOT NULL;
CREATE INDEX quarantine_by_dictionary ON quarantine (dictionary) WHERE dictionary IS NOT NULL;

-- Every dictionary ever known: a drop packed with an old one may still come. origin: 0 shipped,
-- 1 trained, 2 uploaded. At most one is handed to agents.
CREATE TABLE dictionaries (
    id INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL,
    origin INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    is_current INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX dictionaries_current ON dictionaries (is_current) WHERE is_current = 1;

-- Where drops are fetched, as JSON with its secrets (this file is encrypted), and how that goes. Ids
-- are never given twice.
CREATE TABLE sources (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    config TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_poll_at INTEGER,
    next_poll_at INTEGER,
    last_success_at INTEGER,
    failing_since INTEGER,
    error_code TEXT,
    error_message TEXT,
    files_taken INTEGER NOT NULL DEFAULT 0,
    drops_taken INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    last_file_at INTEGER
) STRICT;

-- Files and mails of a source that were taken, by whatever names them there.
CREATE TABLE seen_files (
    source TEXT NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_files_by_time ON seen_files (source, at);
