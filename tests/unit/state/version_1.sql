-- A state file as version 1 of the schema left it, with rows in every table. It stays as it is.
BEGIN;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE source (name TEXT PRIMARY KEY, id_attribute TEXT, accepted TEXT) STRICT;
CREATE TABLE mailbox (
    address TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT,
    dn TEXT NOT NULL,
    origin TEXT NOT NULL,
    applied TEXT NOT NULL DEFAULT '{}',
    digest TEXT,
    passwd_update TEXT,
    kept INTEGER NOT NULL DEFAULT 0,
    disabled TEXT,
    was_active INTEGER NOT NULL DEFAULT 1,
    missing_since TEXT,
    missed INTEGER NOT NULL DEFAULT 0,
    present TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,
    mode TEXT NOT NULL,
    finished TEXT,
    exit_code INTEGER,
    summary TEXT
) STRICT;
CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    address TEXT NOT NULL,
    dn TEXT NOT NULL,
    kind TEXT NOT NULL,
    why TEXT NOT NULL,
    fields TEXT NOT NULL,
    password INTEGER NOT NULL,
    done INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX change_address ON change (address);
CREATE INDEX change_run ON change (run);
CREATE TABLE notice (
    code TEXT NOT NULL,
    place TEXT NOT NULL,
    sentence TEXT NOT NULL,
    shown TEXT NOT NULL,
    PRIMARY KEY (code, place)
) STRICT;
CREATE TABLE refusal (credential TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES ('ancestor_read', 'yes');
INSERT INTO source VALUES ('default', 'entryUUID', '{"base": "dc=example"}');
INSERT INTO mailbox VALUES (
    'ann@example.org', 'default', 'id-ann', 'uid=ann,dc=example', 'adopted', '{"active": 0, "name": "Ann"}',
    '0123abcd:ff', '2026-05-01 08:00:00', 1, 'missing', 2, '2026-06-01T12:00:00+00:00', 2, '["name"]'
);
INSERT INTO mailbox VALUES (
    'bob@example.org', 'default', NULL, 'uid=bob,dc=example', 'ancestor', '{}',
    NULL, NULL, 0, NULL, 1, NULL, 0, '[]'
);
INSERT INTO run VALUES (1, '2026-06-01T12:00:00+00:00', 'changes', '2026-06-01T12:00:05+00:00', 0, '{"changes": 1}');
INSERT INTO change VALUES (
    1, 1, '2026-06-01T12:00:01+00:00', 'ann@example.org', 'uid=ann,dc=example', 'adopt',
    'it was in mailcow before we were', '[]', 0, 1, ''
);
INSERT INTO notice VALUES ('no_mail', 'uid=eve,dc=example', 'it has none', '2026-06-01T12:00:00+00:00');
INSERT INTO refusal VALUES ('0123abcd:ee', '2026-06-01T12:00:00+00:00');
PRAGMA user_version = 1;
COMMIT;
