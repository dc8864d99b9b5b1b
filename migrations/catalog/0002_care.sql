-- Pairing and remote care: codes that bring a machine to this server, keys that are on their way to
-- one, the configuration that it is to have, and ranges that it is to send once more.

-- 0: in use, or handed to a person. 1: handed out in a heartbeat's answer, not used yet. 2: handed out
-- for a pairing code, not used yet. The first use makes it 0 and ends the keys before it a little later.
ALTER TABLE credentials ADD COLUMN state INTEGER NOT NULL DEFAULT 0;

-- What waits for a machine's next heartbeat. A machine without a row has nothing waiting.
CREATE TABLE care (
    machine INTEGER PRIMARY KEY REFERENCES machines (no) ON DELETE CASCADE,
    rotation_asked_at INTEGER,
    config_version TEXT,
    config TEXT,
    config_set_at INTEGER,
    CHECK ((config IS NULL) = (config_version IS NULL) AND (config IS NULL) = (config_set_at IS NULL))
) STRICT;

-- The newest pairing code of each machine; a new one replaces it. Only the SHA-256 of its secret is
-- kept; lookup is the first 8 bytes of that, so that the comparison itself can take constant time.
CREATE TABLE pairing_codes (
    machine INTEGER PRIMARY KEY REFERENCES machines (no) ON DELETE CASCADE,
    lookup BLOB NOT NULL UNIQUE,
    sha256 BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    key_id TEXT
) STRICT;

-- Requests to send entries once more, and what came of them. Ids are never given twice: an agent
-- may still report on one that is gone.
CREATE TABLE resends (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    machine INTEGER NOT NULL REFERENCES machines (no) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    asked_at INTEGER NOT NULL,
    done_at INTEGER,
    found INTEGER,
    missing INTEGER,
    CHECK (first <= last)
) STRICT;
CREATE INDEX resends_by_machine ON resends (machine, id);
