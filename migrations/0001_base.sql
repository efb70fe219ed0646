-- The owner's database. One encrypted file per profile; one writer, many readers.
-- Times are UTC integer milliseconds (`_ms`); platform ids are text; what the owner creates also has a UUIDv7.
-- Words in CHECKs are the product's vocabulary; the core's enums mirror them.

-- What this file is.
CREATE TABLE profile_meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

-- One token that one or several accounts use. The secret itself is sealed in the keychain, never here in the clear.
CREATE TABLE credentials (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('facebook_user', 'page', 'instagram_user')),
  subject_id TEXT NOT NULL, -- platform id of the user, Page or Instagram account the token speaks for
  parent_id INTEGER REFERENCES credentials (id) ON DELETE SET NULL, -- a Page token came with this user token
  generation INTEGER NOT NULL DEFAULT 0, -- 0 = no token; readers take the newest
  expires_at_ms INTEGER, -- null: see expiry
  expiry TEXT NOT NULL DEFAULT 'unknown' CHECK (expiry IN ('dated', 'none', 'unknown')),
  data_access_expires_at_ms INTEGER,
  checked_at_ms INTEGER,
  state TEXT NOT NULL DEFAULT 'none' CHECK (state IN ('none', 'working', 'short', 'expired', 'revoked')),
  granted TEXT NOT NULL DEFAULT '[]', -- JSON list of Meta's permission names
  declined TEXT NOT NULL DEFAULT '[]',
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  UNIQUE (kind, subject_id)
) STRICT;

-- A rotated token, sealed, until the keychain has it (decision C6).
CREATE TABLE pending_secrets (
  credential_id INTEGER NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
  generation INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (credential_id, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE token_events (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  credential_id INTEGER REFERENCES credentials (id) ON DELETE SET NULL,
  account_id INTEGER,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT -- JSON Reason
) STRICT;
CREATE INDEX token_events_at ON token_events (at_ms);

CREATE TABLE accounts (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL CHECK (channel IN ('messenger', 'instagram')),
  provider TEXT NOT NULL CHECK (provider IN ('facebook', 'instagram')),
  platform_id TEXT NOT NULL, -- Page id, or the Instagram professional account's id
  page_id TEXT, -- for an Instagram account that comes through its Page
  credential_id INTEGER REFERENCES credentials (id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  username TEXT,
  picture_url TEXT,
  state TEXT NOT NULL DEFAULT 'importing' CHECK (state IN
    ('importing', 'live', 'delayed', 'limited', 'reconnect_soon', 'reconnect_now', 'blocked', 'paused', 'disconnected')),
  reason TEXT, -- JSON Reason
  state_since_ms INTEGER NOT NULL,
  auto_sync INTEGER NOT NULL DEFAULT 1 CHECK (auto_sync IN (0, 1)),
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  subscribed_fields TEXT NOT NULL DEFAULT '[]',
  subscribed_at_ms INTEGER,
  erase_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (channel, platform_id)
) STRICT;

-- A sign-in between the click and the chosen accounts. Survives a restart.
CREATE TABLE sign_ins (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  provider TEXT NOT NULL CHECK (provider IN ('facebook', 'instagram')),
  step TEXT NOT NULL CHECK (step IN ('waiting', 'exchanging', 'choosing', 'subscribing', 'done', 'refused')),
  state TEXT NOT NULL UNIQUE, -- OAuth state
  sealed BLOB NOT NULL, -- PKCE verifier, later the grant; sealed under the token key
  authorize_url TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  number TEXT NOT NULL,
  refusal TEXT, -- JSON Reason
  started_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;

-- A person.
CREATE TABLE contacts (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL
) STRICT;

-- A person on one account. Meta's ids are scoped to person x account.
CREATE TABLE identities (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  platform_id TEXT NOT NULL,
  name TEXT,
  username TEXT,
  follows_us INTEGER,
  we_follow INTEGER,
  verified INTEGER,
  followers INTEGER,
  profile_source TEXT NOT NULL DEFAULT 'none' CHECK (profile_source IN ('none', 'conversation', 'instagram_api', 'facebook_api', 'cache')),
  profile_fetched_at_ms INTEGER, -- last success
  profile_tried_at_ms INTEGER, -- last try, for "at most once a minute"
  profile_error TEXT, -- JSON Reason
  UNIQUE (account_id, platform_id)
) STRICT;
CREATE INDEX identities_contact ON identities (contact_id);

-- Faces, kept so that they can be seen offline (at most 50 KB each).
CREATE TABLE avatars (
  identity_id INTEGER NOT NULL PRIMARY KEY REFERENCES identities (id) ON DELETE CASCADE,
  media_id TEXT NOT NULL UNIQUE,
  mime TEXT NOT NULL,
  bytes BLOB NOT NULL,
  fetched_at_ms INTEGER NOT NULL
) STRICT;

-- Names and handles, folded, so that people are found like words.
CREATE TABLE people_words (
  identity_id INTEGER NOT NULL PRIMARY KEY REFERENCES identities (id) ON DELETE CASCADE,
  words TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE people_search USING fts5 (
  words, content = 'people_words', content_rowid = 'identity_id', tokenize = "ascii", prefix = '1 2 3', detail = full
);
INSERT INTO people_search (people_search, rank) VALUES ('secure-delete', 1);
-- Erasing a person erases the words they are found by.
CREATE TRIGGER people_words_gone BEFORE DELETE ON people_words BEGIN
  INSERT INTO people_search (people_search, rowid, words) VALUES ('delete', old.identity_id, old.words);
END;

-- Pictures of our own accounts, same rule.
CREATE TABLE account_pictures (
  account_id INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  media_id TEXT NOT NULL UNIQUE,
  mime TEXT NOT NULL,
  bytes BLOB NOT NULL,
  fetched_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE conversations (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  identity_id INTEGER NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  platform_id TEXT, -- the platform's conversation id, once known
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'pending', 'snoozed', 'resolved', 'archived')),
  unread INTEGER NOT NULL DEFAULT 0,
  last_key INTEGER NOT NULL DEFAULT 0, -- sort_key of the newest message; orders the list
  last_at_ms INTEGER NOT NULL DEFAULT 0,
  last_author TEXT,
  preview TEXT NOT NULL DEFAULT '',
  preview_kind TEXT,
  customer_at_ms INTEGER, -- last event that opens the 24-hour window
  trouble TEXT, -- 'failed' or 'unknown' while a send needs the owner
  older_missing INTEGER NOT NULL DEFAULT 0 CHECK (older_missing IN (0, 1)),
  delivered_until_ms INTEGER,
  read_until_ms INTEGER,
  draft TEXT,
  messages INTEGER NOT NULL DEFAULT 0,
  first_at_ms INTEGER,
  opened_key INTEGER NOT NULL DEFAULT 0, -- customer messages up to this sort_key were seen by the owner
  own_key INTEGER NOT NULL DEFAULT 0, -- newest message a person of ours wrote; what is older needs no reading
  -- Which view of the inbox it belongs to: the one place that decides it (decision C5).
  zone TEXT NOT NULL GENERATED ALWAYS AS (CASE
    WHEN last_key = 0 THEN 'empty'
    WHEN trouble IS NOT NULL AND state <> 'archived' THEN 'needs_you'
    WHEN state = 'open' AND last_author = 'customer' THEN 'needs_you'
    WHEN state IN ('open', 'pending') THEN 'waiting_on_them'
    WHEN state = 'resolved' THEN 'done'
    ELSE state END) VIRTUAL,
  UNIQUE (account_id, identity_id)
) STRICT;
CREATE INDEX conversations_order ON conversations (last_key DESC, id DESC);
CREATE INDEX conversations_account_order ON conversations (account_id, last_key DESC, id DESC);
CREATE INDEX conversations_platform ON conversations (account_id, platform_id);
CREATE INDEX conversations_identity ON conversations (identity_id);
CREATE INDEX conversations_zone ON conversations (zone, last_key DESC, id DESC);
CREATE INDEX conversations_account_zone ON conversations (account_id, zone, last_key DESC, id DESC);
CREATE INDEX conversations_window ON conversations (zone, customer_at_ms, id);

-- sort_key = sent_at_ms << 20 | n, unique, fixed at first sight: newest first needs no sort (decision T9).
CREATE TABLE messages (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  sort_key INTEGER NOT NULL UNIQUE,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL,
  mid TEXT, -- the platform's message id; null until the platform gave one
  alias_mid TEXT, -- a second id of the same message: polls and webhooks sometimes encode it differently
  author TEXT NOT NULL CHECK (author IN ('customer', 'you', 'phone', 'other_app', 'automation', 'ai')),
  state TEXT NOT NULL CHECK (state IN
    ('received', 'draft', 'scheduled', 'queued', 'sending', 'unknown', 'sent', 'delivered', 'read', 'failed', 'cancelled')),
  text TEXT,
  sent_at_ms INTEGER NOT NULL,
  edited_at_ms INTEGER,
  num_edit INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  unsupported INTEGER NOT NULL DEFAULT 0 CHECK (unsupported IN (0, 1)),
  reply_to_mid TEXT,
  story TEXT, -- JSON {kind,id,url,at_ms}
  referral TEXT, -- JSON Reason
  reason TEXT -- JSON Reason: why it failed, waits or is unknown
) STRICT;
CREATE UNIQUE INDEX messages_mid ON messages (account_id, mid) WHERE mid IS NOT NULL;
CREATE UNIQUE INDEX messages_alias ON messages (account_id, alias_mid) WHERE alias_mid IS NOT NULL;
CREATE INDEX messages_thread ON messages (conversation_id, sort_key);

CREATE TABLE attachments (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  position INTEGER NOT NULL, -- from 0; -1 = the story the message answers or mentions (kind 'story_ref')
  kind TEXT NOT NULL,
  media_id TEXT UNIQUE, -- opaque; what the UI may ask for
  url TEXT, -- signed, expires
  name TEXT,
  mime TEXT,
  size INTEGER,
  width INTEGER,
  height INTEGER,
  link TEXT,
  UNIQUE (message_id, position)
) STRICT;

-- Bytes of attachments, only when the owner chose to keep them.
CREATE TABLE media_blobs (
  media_id TEXT NOT NULL PRIMARY KEY,
  mime TEXT NOT NULL,
  bytes BLOB NOT NULL,
  fetched_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE reactions (
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  by_customer INTEGER NOT NULL CHECK (by_customer IN (0, 1)),
  emoji TEXT NOT NULL, -- '' = taken back; kept so that late news cannot bring it back
  at_ms INTEGER,
  PRIMARY KEY (message_id, by_customer)
) STRICT, WITHOUT ROWID;

-- News that came before the message it speaks of (receipts, edits, reactions, unsends) waits here.
CREATE TABLE waiting_news (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  mid TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('edit', 'unsend', 'read', 'reaction', 'unreaction')),
  body TEXT NOT NULL, -- JSON
  at_ms INTEGER NOT NULL,
  UNIQUE (account_id, mid, kind, body)
) STRICT;

-- Every event from outside, raw, before it is processed (the relay fills it; polls are not events).
CREATE TABLE raw_events (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  stream TEXT NOT NULL,
  stream_offset INTEGER NOT NULL,
  account_id INTEGER,
  received_at_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'ignored', 'failed')),
  reason TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  UNIQUE (stream, stream_offset)
) STRICT;
CREATE INDEX raw_events_state ON raw_events (state) WHERE state IN ('new', 'failed');

-- Everything that must be said to a platform: a row before it is a request, in the same transaction as its cause.
CREATE TABLE outbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE, -- chosen by the caller: a repeated call is one send
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  message_id INTEGER NOT NULL UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('message')),
  author TEXT NOT NULL CHECK (author IN ('you', 'automation', 'ai')),
  body TEXT NOT NULL, -- JSON, without secrets
  state TEXT NOT NULL CHECK (state IN ('scheduled', 'queued', 'sending', 'unknown', 'sent', 'failed', 'cancelled')),
  not_before_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  checks INTEGER NOT NULL DEFAULT 0, -- looks after an unknown send
  next_check_ms INTEGER,
  started_at_ms INTEGER, -- when the last request was begun
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_conversation ON outbox (conversation_id, state);
CREATE INDEX outbox_open ON outbox (conversation_id, id) WHERE state IN ('scheduled', 'queued', 'sending', 'unknown');

-- Sends that need the owner: what `conversations.trouble` is computed from.
CREATE INDEX outbox_trouble ON outbox (conversation_id) WHERE state IN ('failed', 'unknown');

-- Echoes that came while a send to the same person was open (decision T18).
CREATE TABLE held_echoes (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  mid TEXT NOT NULL,
  body TEXT NOT NULL, -- the IncomingMessage as JSON
  until_ms INTEGER NOT NULL,
  UNIQUE (account_id, mid)
) STRICT;

CREATE TABLE sync_cursors (
  account_id INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  backfill TEXT NOT NULL DEFAULT '{}', -- JSON: phase, page cursor, found, finished
  watermark_ms INTEGER NOT NULL DEFAULT 0, -- newest updated_time fully taken in
  imported_at_ms INTEGER,
  last_poll_at_ms INTEGER,
  last_reconcile_at_ms INTEGER
) STRICT;

-- Threads the first sync found and still has to fetch.
CREATE TABLE sync_threads (
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  platform_id TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('found', 'done')),
  cursor TEXT, -- next page of this thread's messages
  PRIMARY KEY (account_id, platform_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sync_threads_todo ON sync_threads (account_id, state, updated_at_ms DESC);

CREATE TABLE sync_runs (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('backfill', 'poll', 'reconcile')),
  started_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER,
  result TEXT NOT NULL CHECK (result IN ('running', 'done', 'failed', 'interrupted')),
  conversations INTEGER NOT NULL DEFAULT 0,
  messages INTEGER NOT NULL DEFAULT 0,
  recovered_messages INTEGER NOT NULL DEFAULT 0,
  recovered_conversations INTEGER NOT NULL DEFAULT 0,
  reason TEXT -- JSON Reason
) STRICT;
CREATE INDEX sync_runs_account ON sync_runs (account_id, id DESC);

-- Named, deduplicated work that must happen later (mirror a secret, erase after the grace time, check a subscription).
CREATE TABLE jobs (
  name TEXT NOT NULL PRIMARY KEY,
  due_at_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  payload TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_due ON jobs (due_at_ms);

-- Search: folded words beside the message, same transaction. rowid = messages.sort_key (decision T9).
CREATE TABLE message_words (
  sort_key INTEGER NOT NULL PRIMARY KEY,
  words TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE message_search USING fts5 (
  words, content = 'message_words', content_rowid = 'sort_key',
  -- The words come folded and split from the core; 'ascii' takes every other letter as it is.
  tokenize = "ascii", prefix = '2 3', detail = full
);
INSERT INTO message_search (message_search, rank) VALUES ('secure-delete', 1);
-- Erasing a message by any way erases the words it is found by.
CREATE TRIGGER messages_gone AFTER DELETE ON messages BEGIN
  INSERT INTO message_search (message_search, rowid, words)
    SELECT 'delete', sort_key, words FROM message_words WHERE sort_key = old.sort_key;
  DELETE FROM message_words WHERE sort_key = old.sort_key;
END;
-- Kept files go with the attachment they belong to.
CREATE TRIGGER attachments_gone AFTER DELETE ON attachments WHEN old.media_id IS NOT NULL BEGIN
  DELETE FROM media_blobs WHERE media_id = old.media_id;
END;
-- Every indexed word, for "did you mean" only.
CREATE VIRTUAL TABLE message_vocab USING fts5vocab (message_search, 'row');
-- The same words without counts: seeking from word to word costs nothing per message.
CREATE VIRTUAL TABLE message_terms USING fts5vocab (message_search, 'instance');
