-- A state file as version 3 of the schema left it, with rows in every table. It stays as it is.
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
    present TEXT NOT NULL DEFAULT '[]',
    senders TEXT NOT NULL DEFAULT '[]',
    foreign_senders TEXT NOT NULL DEFAULT '[]',
    senders_checked TEXT,
    barred INTEGER NOT NULL DEFAULT 0,
    last_missed TEXT,
    retired_since TEXT
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
    detail TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT 'mailbox'
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
CREATE TABLE alias (
    address TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    owner TEXT NOT NULL,
    dn TEXT NOT NULL,
    role TEXT,
    origin TEXT NOT NULL,
    number INTEGER,
    applied TEXT NOT NULL DEFAULT '{}',
    disabled INTEGER NOT NULL DEFAULT 0,
    missing_since TEXT,
    missed INTEGER NOT NULL DEFAULT 0,
    last_missed TEXT
) STRICT;
CREATE TABLE intent (name TEXT PRIMARY KEY, at TEXT NOT NULL, change TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES ('ancestor_read', 'yes');
INSERT INTO source VALUES ('default', 'entryUUID', '{"base": "dc=example"}');
INSERT INTO mailbox VALUES (
    'ann@example.org', 'default', 'id-ann', 'uid=ann,dc=example', 'adopted', '{"active": 0, "name": "Ann"}',
    '0123abcd:ff', '2026-05-01 08:00:00', 1, 'missing', 2, '2026-06-01T12:00:00+00:00', 2, '["name"]',
    '["all@example.org"]', '["@example.net"]', '2026-06-01T13:00:00+00:00', 2, '2026-06-01T14:00:00+00:00',
    '2026-06-01T15:00:00+00:00'
);
INSERT INTO mailbox VALUES (
    'bob@example.org', 'default', NULL, 'uid=bob,dc=example', 'ancestor', '{}',
    NULL, NULL, 0, NULL, 1, NULL, 0, '[]', '[]', '[]', NULL, 0, NULL, NULL
);
INSERT INTO run VALUES (1, '2026-06-01T12:00:00+00:00', 'changes', '2026-06-01T12:00:05+00:00', 0, '{"changes": 1}');
INSERT INTO change VALUES (
    1, 1, '2026-06-01T12:00:01+00:00', 'ann@example.org', 'uid=ann,dc=example', 'adopt',
    'it was in mailcow before we were', '[]', 0, 1, '', 'mailbox'
);
INSERT INTO notice VALUES ('no_mail', 'uid=eve,dc=example', 'it has none', '2026-06-01T12:00:00+00:00');
INSERT INTO refusal VALUES ('0123abcd:ee', '2026-06-01T12:00:00+00:00');
INSERT INTO alias VALUES (
    'all@example.org', 'default', 'id-all', 'cn=all,dc=example', 'list', 'created', 7, '{"goto": "ann@example.org"}',
    1, '2026-06-01T12:00:00+00:00', 1, '2026-06-01T14:00:00+00:00'
);
-- What version 3 was about to do: a creation, an inactive mailbox's rename, a status to put back after another, and an
-- alias to set inactive.
INSERT INTO intent VALUES (
    'create cat@example.org', '2026-06-01T12:00:00+00:00',
    '{"address": "cat@example.org", "dn": "uid=cat,dc=example", "fields": [{"after": "Cat", "before": null, '
    || '"key": "name"}], "is": "MailboxChange", "kind": "create", "notes": [], "password": true, "remember": '
    || '{"applied": "{\"name\": \"Cat\"}", "digest": "0123abcd:ff", "disabled": null, "dn": "uid=cat,dc=example", '
    || '"id": "id-cat", "origin": "created", "present": "[\"name\"]", "senders": "[]", "senders_checked": null, '
    || '"source": "default"}, "tags": ["ldap-sync"], "why": "it is new in the directory"}'
);
INSERT INTO intent VALUES (
    'rename ann@example.org to dan@example.org', '2026-06-01T12:00:01+00:00',
    '{"active": 0, "address": "dan@example.org", "dn": "uid=ann,dc=example", "fields": [{"after": "dan@example.org", '
    || '"before": "ann@example.org", "key": "address"}], "former": "ann@example.org", "hash": "abc", '
    || '"is": "RenameChange", "kind": "rename", "notes": [["ann@example.org", {"dn": "uid=ann,dc=example", '
    || '"number": null, "origin": "created", "owner": "id-ann", "role": "former", "source": "default"}, "alias"]], '
    || '"remember": {}, "stage": "whole", "why": "its address changed in the directory"}'
);
INSERT INTO intent VALUES (
    'rename bob@example.org to bob@example.org', '2026-06-01T12:00:02+00:00',
    '{"active": 0, "address": "bob@example.org", "dn": "uid=bob,dc=example", "fields": [{"after": 0, "before": 2, '
    || '"key": "active"}], "former": "bob@example.org", "hash": "", "is": "RenameChange", "kind": "rename", '
    || '"notes": [], "remember": {}, "stage": "back", "why": "its address changed in the directory"}'
);
INSERT INTO intent VALUES (
    'disable alias all@example.org', '2026-06-01T12:00:03+00:00',
    '{"address": "all@example.org", "dn": "cn=all,dc=example", "fields": [{"after": 0, "before": 1, "key": "active"}], '
    || '"is": "AliasChange", "kind": "disable", "notes": [], "number": 7, "remember": {"disabled": true}, '
    || '"why": "nobody is left whom it could go to"}'
);
PRAGMA user_version = 3;
COMMIT;
