-- What the relay keeps of devices and sign-in. No column holds a token, a name or a readable message.

-- Computers that were bound once, by the thumbprint of their public keys.
CREATE TABLE devices (
  thumbprint    TEXT PRIMARY KEY NOT NULL,
  seal_key      BLOB NOT NULL,
  sign_key      BLOB NOT NULL,
  first_seen_ms INTEGER NOT NULL,
  last_seen_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Things that may be used once: nonces of device proofs ('nonce'), started sign-ins ('state').
CREATE TABLE used (
  kind          TEXT NOT NULL,
  id            TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_expiry ON used (expires_at_ms);

-- Codes that were presented. The answer is sealed to the device; the relay cannot open it.
CREATE TABLE codes (
  jti             TEXT PRIMARY KEY NOT NULL,
  device          TEXT NOT NULL,
  redeeming       INTEGER NOT NULL,
  claimed_at_ms   INTEGER NOT NULL,
  answer          BLOB,
  answer_until_ms INTEGER,
  expires_at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_expiry ON codes (expires_at_ms);

-- Which device an account's events go to; a lease. user_id is app-scoped: a deauthorize request names only that.
CREATE TABLE bindings (
  kind           TEXT NOT NULL,
  platform_id    TEXT NOT NULL,
  device         TEXT NOT NULL REFERENCES devices (thumbprint),
  provider       TEXT NOT NULL,
  user_id        TEXT NOT NULL,
  bound_at_ms    INTEGER NOT NULL,
  proved_at_ms   INTEGER NOT NULL,
  lease_until_ms INTEGER NOT NULL,
  PRIMARY KEY (kind, platform_id, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX bindings_device ON bindings (device);
CREATE INDEX bindings_user ON bindings (provider, user_id);
CREATE INDEX bindings_lease ON bindings (lease_until_ms);
