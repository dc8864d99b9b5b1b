-- The catalog: everything about the fleet that is not an entry. Times are microseconds since 1970
-- UTC; hours and minutes are whole ones since 1970 UTC; days are whole ones since 1970 UTC.

-- A machine keeps its number for ever, also when it is removed: its entries and its ledger stay, and
-- the same id comes back to them when it is added again.
CREATE TABLE machine_numbers (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
) STRICT;

-- The machines that are registered now. Lists are JSON arrays.
CREATE TABLE machines (
    no INTEGER PRIMARY KEY REFERENCES machine_numbers (no),
    name TEXT NOT NULL,
    location TEXT NOT NULL,
    timezone TEXT NOT NULL,
    site TEXT NOT NULL,
    route TEXT NOT NULL,
    tags TEXT NOT NULL,
    owner TEXT NOT NULL,
    opening_hours TEXT NOT NULL,
    reader_serials TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Keys, tokens and sessions, found by the public part. kind: 0 machine, 1 token, 2 session.
CREATE TABLE credentials (
    key_id TEXT PRIMARY KEY,
    sha256 BLOB NOT NULL,
    kind INTEGER NOT NULL,
    machine INTEGER REFERENCES machines (no) ON DELETE CASCADE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    CHECK ((kind = 0) = (machine IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_by_machine ON credentials (machine, created_at) WHERE machine IS NOT NULL;
CREATE INDEX credentials_by_expiry ON credentials (expires_at) WHERE expires_at IS NOT NULL;

-- Small named values that the server keeps (its certificate, its preferences).
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- When each machine was last heard of, by our clock, and its last heartbeat as JSON.
CREATE TABLE contacts (
    machine INTEGER PRIMARY KEY REFERENCES machine_numbers (no),
    last_wifi INTEGER,
    last_cell INTEGER,
    heartbeat_at INTEGER,
    heartbeat TEXT
) STRICT;

-- The newest ERROR and the newest CRITICAL of each machine, so that a status needs no day file.
CREATE TABLE newest_grave (
    machine INTEGER NOT NULL REFERENCES machine_numbers (no),
    level INTEGER NOT NULL,
    filed_at INTEGER NOT NULL,
    component TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (machine, level)
) STRICT, WITHOUT ROWID;

-- Every seq ever seen, as runs without overlap. It decides what is a duplicate.
-- flags: 1 came over WiFi, 2 came in a drop, 4 whole (not a summary), 8 refused for good.
CREATE TABLE ledger (
    machine INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    day INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (machine, epoch, first),
    CHECK (first <= last)
) STRICT, WITHOUT ROWID;

-- The day files, and how far each one's commits have been taken into this catalog.
CREATE TABLE days (
    day INTEGER PRIMARY KEY,
    applied_commit INTEGER NOT NULL,
    entries INTEGER NOT NULL
) STRICT;

CREATE TABLE components (
    no INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE machine_components (
    machine INTEGER NOT NULL,
    component INTEGER NOT NULL REFERENCES components (no),
    PRIMARY KEY (machine, component)
) STRICT, WITHOUT ROWID;

-- Counts by level, so that no panel scans rows. Machine 0 is the whole fleet.
CREATE TABLE machine_hours (
    machine INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    debug INTEGER NOT NULL,
    info INTEGER NOT NULL,
    warn INTEGER NOT NULL,
    error INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    PRIMARY KEY (machine, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE component_hours (
    component INTEGER NOT NULL REFERENCES components (no),
    machine INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    debug INTEGER NOT NULL,
    info INTEGER NOT NULL,
    warn INTEGER NOT NULL,
    error INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    PRIMARY KEY (component, machine, hour)
) STRICT, WITHOUT ROWID;

-- Kept for a little more than two days.
CREATE TABLE machine_minutes (
    machine INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    debug INTEGER NOT NULL,
    info INTEGER NOT NULL,
    warn INTEGER NOT NULL,
    error INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    PRIMARY KEY (machine, minute)
) STRICT, WITHOUT ROWID;
