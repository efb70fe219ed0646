-- Live events: the raw log with its states, where each relay's stream stands, who answers for an account.

-- Nothing wrote here before the relay brought events.
DROP TABLE raw_events;

-- Every event from outside, raw, logged in the transaction that processes it. `done` and `ignored` go after 90 days, `failed` stays until
-- it is resolved (decision E26). Erasing a message or a person empties `body` of every event that speaks of it.
CREATE TABLE raw_events (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  stream TEXT NOT NULL, -- epoch of the relay's storage and how often it went back: with the offset the identity of a delivery (decision T14c)
  stream_offset INTEGER NOT NULL,
  kind INTEGER NOT NULL, -- number of the wire; unknown ones are kept
  event_id TEXT NOT NULL, -- hex
  subject TEXT NOT NULL, -- what the relay says it is about: 'page/…', 'instagram/…', 'hook/…', 'user/…'
  account_id INTEGER REFERENCES accounts (id) ON DELETE CASCADE, -- null: not (or no longer) an account of ours, or none meant
  received_at_ms INTEGER NOT NULL, -- the relay had it
  logged_at_ms INTEGER NOT NULL, -- we had it
  body BLOB, -- the bytes that were sealed; null once erased, and for accounts that are not ours
  sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1)), -- it did not open: `body` is what the relay sent
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'ignored', 'failed')),
  reason TEXT, -- JSON Reason: why ignored or failed, which parts of a done one meant nothing
  attempts INTEGER NOT NULL DEFAULT 0,
  retry_at_ms INTEGER, -- failed ones are tried again at this time
  UNIQUE (stream, stream_offset)
) STRICT;
-- Few rows: what is done is most.
CREATE INDEX raw_events_state ON raw_events (state, id) WHERE state <> 'done';
CREATE INDEX raw_events_logged ON raw_events (logged_at_ms);
CREATE INDEX raw_events_account ON raw_events (account_id, id);

-- Messages, comments and people an event speaks of, so that an erasure finds it.
CREATE TABLE raw_event_refs (
  raw_event_id INTEGER NOT NULL REFERENCES raw_events (id) ON DELETE CASCADE,
  ref TEXT NOT NULL, -- a platform id
  PRIMARY KEY (ref, raw_event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX raw_event_refs_event ON raw_event_refs (raw_event_id);

-- Where this computer's stream at a relay stands. The offset moves in the transaction that takes the events in.
CREATE TABLE relay_streams (
  relay TEXT NOT NULL PRIMARY KEY, -- its public address
  epoch TEXT, -- null: never connected
  committed INTEGER NOT NULL DEFAULT 0, -- last offset taken in
  rewinds INTEGER NOT NULL DEFAULT 0, -- how often the relay lost its newest events within this epoch and gives their offsets out again
  connected_at_ms INTEGER, -- begin of the last connection that got as far as ready
  last_event_at_ms INTEGER, -- received time of the newest event
  gap_at_ms INTEGER, -- last time events were missing
  gap TEXT, -- JSON Reason
  outage_from_ms INTEGER, -- last time the relay was away, as it says
  outage_to_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Which computer runs automations for an account (decision T15).
CREATE TABLE answering (
  account_id INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  device TEXT NOT NULL, -- thumbprint
  mine INTEGER NOT NULL CHECK (mine IN (0, 1)),
  term INTEGER NOT NULL,
  until_ms INTEGER NOT NULL
) STRICT;

-- Meta passes on that the owner wants their data deleted (decision C1). Nothing here is deleted by it: the owner is asked, and without an
-- answer the data is kept.
CREATE TABLE deletion_requests (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  code TEXT UNIQUE, -- of the relay's public status page; null: there is none
  provider TEXT NOT NULL CHECK (provider IN ('facebook', 'instagram')),
  user_id TEXT NOT NULL, -- app-scoped
  accounts TEXT NOT NULL, -- JSON list of the accounts that came through this user
  asked_at_ms INTEGER NOT NULL,
  due_at_ms INTEGER NOT NULL, -- kept when nobody answered by then
  state TEXT NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'kept', 'erasing', 'erased')),
  reported_at_ms INTEGER -- the relay's status page says so since
) STRICT;

-- Meta names the owner by this id when the app is removed. With Facebook it is the subject of the user's credential.
ALTER TABLE credentials ADD COLUMN app_user_id TEXT;

ALTER TABLE accounts ADD COLUMN webhook_at_ms INTEGER; -- last event that came through the relay
ALTER TABLE accounts ADD COLUMN subscription_checked_at_ms INTEGER; -- last time the subscription was read back
