-- Each device's stream of sealed events, who answers for an account, hooks, pictures on their way out, deletion requests.
-- Readable here: ids, times, offsets, origins. Contents and hook secrets are ciphertext.

-- Facts about the storage itself. `epoch` names it: devices compare it with the one they know.
CREATE TABLE facts (
  name  TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO facts (name, value) VALUES ('epoch', lower(hex(randomblob(16))));

-- One per device that ever got an event. Kept after its records are gone: offsets go on where they were.
CREATE TABLE streams (
  id         INTEGER PRIMARY KEY,
  device     TEXT NOT NULL UNIQUE,
  deleted_to INTEGER NOT NULL,  -- acknowledged, expired or dropped up to this offset, inclusive
  expired_to INTEGER NOT NULL   -- how far of that was deleted unread because its time was over
) STRICT;

-- Records of one stream that were made durable together, offsets first..last without holes. Rows lie in order of writing, so that a
-- group of many streams touches few pages; every key that is checked costs time per event, so there is no foreign key.
CREATE TABLE blocks (
  id          INTEGER PRIMARY KEY,
  stream      INTEGER NOT NULL,
  first       INTEGER NOT NULL,
  last        INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,  -- the latest of its records
  records     BLOB NOT NULL      -- each as four bytes of length and the sealed event
) STRICT;
CREATE INDEX blocks_place ON blocks (stream, last, first, received_ms);

-- The computer that answers for an account: a lease with a term. Without a device: vacant, the term goes on.
CREATE TABLE answering (
  kind        TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  device      TEXT,
  term        INTEGER NOT NULL,
  until_ms    INTEGER NOT NULL,
  PRIMARY KEY (kind, platform_id)
) STRICT, WITHOUT ROWID;

-- Addresses shops and websites post to. A removed one stays as a bare id: shops go on posting.
CREATE TABLE hooks (
  id            TEXT PRIMARY KEY NOT NULL,
  kind          TEXT NOT NULL,
  device        TEXT NOT NULL,
  secret        BLOB,
  origins       TEXT NOT NULL,
  paused        INTEGER NOT NULL,
  removed       INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  last_ms       INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX hooks_device ON hooks (device);

-- Pictures that wait for their one fetch, in parts, so that a large one does not hold events up.
CREATE TABLE media (
  id            TEXT PRIMARY KEY NOT NULL,
  device        TEXT NOT NULL,
  mime          TEXT NOT NULL,
  complete      INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX media_device ON media (device);
CREATE INDEX media_expiry ON media (expires_at_ms);
CREATE TABLE media_parts (
  media TEXT NOT NULL,
  part  INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
CREATE INDEX media_parts_place ON media_parts (media, part);

-- Data-deletion requests, for their public status page.
CREATE TABLE deletions (
  code        TEXT PRIMARY KEY NOT NULL,
  asked_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE deletions_told (
  code    TEXT NOT NULL REFERENCES deletions (code),
  place   INTEGER NOT NULL,  -- order in which they were told
  device  TEXT NOT NULL,
  outcome TEXT,
  PRIMARY KEY (code, device)
) STRICT, WITHOUT ROWID;
