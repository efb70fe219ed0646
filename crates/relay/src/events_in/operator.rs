//! Signed webhooks that cannot be read, kept for whoever runs the relay, sealed to the operator's key (C3).
//!
//! They name no account, so they are no device's. Without a key they are dropped. With one they are appended to a file, one sealed
//! event per line in base64url, up to [`FILE_MAX`]; the secret half of the key is never on the relay. Invariant: nothing readable is
//! written, and nothing here can make a webhook fail.

use std::{
    io::{BufRead as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use sha2::{Digest as _, Sha256};
use shopbell_wire::{DeviceKeys, DevicePublic, EventKind, EventOpener, SealedEvent};

use super::sealing::{Event, SealerCache};
use crate::{Entropy, clock::random};

/// Larger than this the file does not grow; what comes then is counted and dropped.
const FILE_MAX: u64 = 64 * 1024 * 1024;
/// What the sealed lines say they are. No device ever gets this kind.
const UNREADABLE: EventKind = EventKind(250);
const SUBJECT: &str = "operator";

/// Where the operator's share goes.
pub(crate) struct Operator {
    to: DevicePublic,
    file: PathBuf,
    /// One line at a time.
    writing: Arc<Mutex<()>>,
}

impl Operator {
    /// Nothing when the key is of no use.
    pub(crate) fn new(key: &[u8; 32], file: PathBuf) -> Option<Self> {
        Some(Self {
            to: public_of(key)?,
            file,
            writing: Arc::default(),
        })
    }

    /// Seals and keeps texts.
    ///
    /// # Errors
    /// When the file does not take them; a full one is an error too.
    pub(crate) async fn keep(
        &self,
        sealers: &SealerCache,
        entropy: &dyn Entropy,
        texts: &[&[u8]],
        now_ms: i64,
    ) -> std::io::Result<()> {
        let mut lines = String::new();
        for text in texts {
            let event = Event {
                kind: UNREADABLE,
                id: random(entropy),
                subject: SUBJECT,
                received_ms: now_ms,
                plain: text,
            };
            let sealed = sealers
                .seal(&self.to, &event)
                .map_err(std::io::Error::other)?;
            lines.push_str(&B64.encode(&sealed.event));
            lines.push('\n');
        }
        let (file, writing) = (self.file.clone(), Arc::clone(&self.writing));
        tokio::task::spawn_blocking(move || {
            let _one = writing.lock().unwrap_or_else(PoisonError::into_inner);
            write(&file, lines.as_bytes())
        })
        .await?
    }
}

fn write(path: &Path, lines: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    if file.metadata()?.len() + lines.len() as u64 > FILE_MAX {
        return Err(std::io::ErrorKind::StorageFull.into());
    }
    file.write_all(lines)?;
    file.sync_data()
}

/// The operator's key in the shape events are sealed to. Only the sealing half means anything: the other half follows from it, so that
/// 32 bytes are all an operator has to keep.
fn public_of(key: &[u8; 32]) -> Option<DevicePublic> {
    let sign = ed25519_dalek::SigningKey::from_bytes(&filler(key));
    DevicePublic::from_bytes(*key, sign.verifying_key().to_bytes()).ok()
}

fn filler(key: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"shopbell operator v1")
        .chain_update(key)
        .finalize()
        .into()
}

/// The public key to configure as `operator_key`, for 32 secret random bytes that stay with the operator.
pub fn operator_public_key(secret: &[u8; 32]) -> String {
    let secret = x25519_dalek::StaticSecret::from(*secret);
    B64.encode(x25519_dalek::PublicKey::from(&secret).as_bytes())
}

/// A kept webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptWebhook {
    /// When it came, UTC ms.
    pub received_ms: i64,
    /// The bytes Meta signed.
    pub body: Vec<u8>,
}

/// Reads the operator's file with the secret half of the key. A line that does not open is none.
///
/// # Errors
/// When the file cannot be read.
pub fn read_kept(file: &Path, secret: &[u8; 32]) -> std::io::Result<Vec<Option<KeptWebhook>>> {
    let public = x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(*secret));
    let mut both = zeroize::Zeroizing::new([0u8; 64]);
    both[..32].copy_from_slice(secret);
    both[32..].copy_from_slice(&filler(public.as_bytes()));
    let keys = DeviceKeys::from_random_bytes(&both);
    let mut opener = EventOpener::new(&keys);
    let mut open = |line: &str| {
        let event = SealedEvent::from_bytes(&B64.decode(line).ok()?).ok()?;
        Some(KeptWebhook {
            received_ms: event.received_ms,
            body: opener.open(&event).ok()?.to_vec(),
        })
    };
    std::io::BufReader::new(std::fs::File::open(file)?)
        .lines()
        .map(|line| Ok(open(&line?)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::SystemEntropy;

    #[tokio::test]
    async fn only_the_operators_secret_opens_what_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("relay.unreadable");
        let secret = [9u8; 32];
        let key = B64.decode(operator_public_key(&secret)).unwrap();
        let operator = Operator::new(key[..].try_into().unwrap(), file.clone()).unwrap();
        let sealers = SealerCache::new(Arc::new(SystemEntropy));
        let texts: [&[u8]; 2] = [b"{\"object\":", b"\xff\xfe"];
        operator
            .keep(&sealers, &SystemEntropy, &texts, 1_790_000_000_000)
            .await
            .unwrap();
        let kept = read_kept(&file, &secret).unwrap();
        let bodies: Vec<&[u8]> = kept.iter().map(|k| &k.as_ref().unwrap().body[..]).collect();
        assert_eq!(bodies, texts);
        assert_eq!(read_kept(&file, &[8; 32]).unwrap(), [None, None]);
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"\"object\""));
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("relay.unreadable");
        let large = std::fs::File::create(&file).unwrap();
        large.set_len(FILE_MAX - 3).unwrap();
        write(&file, b"ab\n").unwrap();
        let full = write(&file, b"c").unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }
}
