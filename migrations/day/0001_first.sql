-- One UTC day of entries, with all that is needed to read them: the file stands alone.

-- The catalog's numbers of the machines that have entries here.
CREATE TABLE machines (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE components (
    no INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- The sentences of this day. `hash` names the text across days; `count` is how many entries say it.
CREATE TABLE templates (
    no INTEGER PRIMARY KEY,
    component INTEGER NOT NULL REFERENCES components (no),
    hash INTEGER NOT NULL,
    text TEXT NOT NULL,
    count INTEGER NOT NULL,
    UNIQUE (component, text)
) STRICT;

-- filed: microseconds since the day began. skew: event time minus filed time. delay: arrival minus
-- filed time. context: JSON, null when empty. epoch is negative for entries without numbers.
-- flags: bits 0-1 the clock's state, 4 came over WiFi, 8 came in a drop, 16 whole.
CREATE TABLE entries (
    machine INTEGER NOT NULL,
    filed INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    level INTEGER NOT NULL,
    template INTEGER NOT NULL,
    params BLOB NOT NULL,
    context TEXT,
    skew INTEGER NOT NULL,
    delay INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (machine, filed, epoch, seq)
) STRICT, WITHOUT ROWID;

-- The second lock against duplicates; the ledger in the catalog is the first.
CREATE UNIQUE INDEX entries_by_number ON entries (machine, epoch, seq);
-- WARN and above are few and asked for most: over the fleet by time, and of one machine by time.
CREATE INDEX entries_grave ON entries (filed, epoch, seq, machine, level) WHERE level >= 2;
CREATE INDEX entries_grave_of ON entries (machine, filed, epoch, seq, level) WHERE level >= 2;

-- What each commit brought, for the catalog to take over again after a crash in between. Old ones
-- that the catalog has are removed.
CREATE TABLE commits (
    no INTEGER PRIMARY KEY,
    ranges BLOB NOT NULL
) STRICT;
