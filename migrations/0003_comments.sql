-- Posts and their comments, and what messages tell beyond words: taps, referrals, who holds the thread, what the platform holds against
-- an account.

-- A post, reel, story or broadcast that somebody commented on, or that the platform told of.
CREATE TABLE posts (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  platform_id TEXT NOT NULL, -- '{page}_{post}' on Facebook, the media's id on Instagram
  own INTEGER CHECK (own IN (0, 1)), -- 0: a visitor's, or one that names us; null: not told
  author_id TEXT, -- whose, when it is not ours
  author_name TEXT,
  author_username TEXT,
  kind TEXT, -- 'feed', 'reels', 'story', 'live', 'ad', 'status', 'photo', 'video', 'share', 'album'; null: not told
  text TEXT,
  text_at_ms INTEGER NOT NULL DEFAULT 0, -- the text reads so since; later wins
  permalink TEXT,
  picture_url TEXT, -- signed, expires
  media_id TEXT NOT NULL UNIQUE, -- opaque; what the UI may ask for
  ad_id TEXT,
  ad_title TEXT,
  original_id TEXT, -- the post the ad was made of
  mention INTEGER NOT NULL DEFAULT 0 CHECK (mention IN (0, 1)), -- it names us
  posted_at_ms INTEGER,
  removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)), -- for good
  asked_at_ms INTEGER, -- fetching it was put in line; once
  fetched_at_ms INTEGER,
  fetch_error TEXT, -- JSON Reason: why it cannot be had
  comments INTEGER NOT NULL DEFAULT 0, -- those that can be read
  last_at_ms INTEGER NOT NULL DEFAULT 0, -- newest comment; orders the list
  UNIQUE (account_id, platform_id)
) STRICT;
CREATE INDEX posts_order ON posts (last_at_ms DESC, id DESC);
CREATE INDEX posts_account_order ON posts (account_id, last_at_ms DESC, id DESC);

-- A comment, or an answer to one. One by (account, comment id), kept for ever; a stub (known = 0) stands for a comment that only other
-- news spoke of. Every column is what remains when the same news is told in any order.
CREATE TABLE comments (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  post_id INTEGER REFERENCES posts (id) ON DELETE CASCADE, -- null while a stub's post was not told
  platform_id TEXT NOT NULL,
  parent_id TEXT, -- platform id of the comment it answers
  author_id TEXT, -- null: privacy or rights forbid it
  author_name TEXT,
  author_username TEXT,
  own INTEGER NOT NULL DEFAULT 0 CHECK (own IN (0, 1)), -- written by the account itself
  live INTEGER NOT NULL DEFAULT 0 CHECK (live IN (0, 1)), -- written during a broadcast
  mention INTEGER NOT NULL DEFAULT 0 CHECK (mention IN (0, 1)), -- names us on somebody else's post
  known INTEGER NOT NULL DEFAULT 0 CHECK (known IN (0, 1)),
  text TEXT,
  text_at_ms INTEGER NOT NULL DEFAULT 0, -- the text reads so since; later wins
  photo_url TEXT, -- signed, expires
  media_id TEXT NOT NULL UNIQUE, -- opaque, of the photo
  written_at_ms INTEGER NOT NULL DEFAULT 0,
  edited_at_ms INTEGER,
  hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)), -- from the public
  hidden_at_ms INTEGER NOT NULL DEFAULT 0, -- hidden or shown since; later wins
  removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)), -- for good; its words are erased
  removed_at_ms INTEGER,
  UNIQUE (account_id, platform_id)
) STRICT;
CREATE INDEX comments_post ON comments (post_id, parent_id, written_at_ms DESC, id DESC);
CREATE INDEX comments_answers ON comments (account_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX comments_read ON comments (post_id, written_at_ms) WHERE known = 1 AND removed = 0;

-- Somebody named us; the platform told ids only. Gone once it was fetched.
CREATE TABLE mentions (
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  post TEXT NOT NULL, -- platform id
  comment TEXT NOT NULL, -- platform id; '' = the caption itself
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, post, comment)
) STRICT, WITHOUT ROWID;

-- One more kind of news that waits for its message: that it exists.
ALTER TABLE waiting_news RENAME TO waiting_news_before;
CREATE TABLE waiting_news (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  mid TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('edit', 'unsend', 'read', 'reaction', 'unreaction', 'announced')),
  body TEXT NOT NULL, -- JSON
  at_ms INTEGER NOT NULL,
  UNIQUE (account_id, mid, kind, body)
) STRICT;
INSERT INTO waiting_news (id, account_id, mid, kind, body, at_ms)
  SELECT id, account_id, mid, kind, body, at_ms FROM waiting_news_before;
DROP TABLE waiting_news_before;
CREATE INDEX waiting_news_announced ON waiting_news (account_id, at_ms) WHERE kind = 'announced';

ALTER TABLE messages ADD COLUMN tap TEXT; -- payload of the button or quick reply the customer tapped; '' = not told
ALTER TABLE messages ADD COLUMN seen INTEGER NOT NULL DEFAULT 0 CHECK (seen IN (0, 1)); -- the customer read this very one

ALTER TABLE conversations ADD COLUMN standby_at_ms INTEGER; -- another program held the thread, newest proof
ALTER TABLE conversations ADD COLUMN control_at_ms INTEGER; -- we held the thread, newest proof
ALTER TABLE conversations ADD COLUMN referral TEXT; -- JSON Reason: where the customer came from last, without a word
ALTER TABLE conversations ADD COLUMN referral_at_ms INTEGER;

ALTER TABLE accounts ADD COLUMN policy_at_ms INTEGER; -- newest word of the platform on the account; older ones say nothing any more
