//! Events sealed to one device: HPKE (RFC 9180) once per device, relay process and quarter of an hour; every event's own key comes
//! from the exporter by index, so an event opens by itself, in any order, at symmetric cost (decision T16).
//!
//! Associated data are version, device, kind, event id, subject and received time, each with its length before it. What is inside is
//! the sender's bytes; what they mean belongs to the app.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU32, Ordering},
};

use chacha20poly1305::{
    ChaCha20Poly1305, Key, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use hpke::{
    Deserializable as _, OpModeR, OpModeS, Serializable as _, aead::ExportOnlyAead,
    kdf::HkdfSha256, kem::X25519HkdfSha256,
};
use zeroize::Zeroizing;

use crate::{AccountKind, AccountRef, DeviceKeys, DevicePublic, Thumbprint};

type Kem = X25519HkdfSha256;

/// Version written into every event.
pub const EVENT_VERSION: u8 = 1;
/// Largest sealed event either side reads: one entry of a webhook of at most 4 MiB, with what sealing adds.
pub const EVENT_MAX_BYTES: usize = 4 * 1024 * 1024 + 1024;
/// Longest subject.
pub const SUBJECT_MAX_BYTES: usize = 200;
/// How long a relay process uses one encapsulation, milliseconds.
pub const SEALER_LIFE_MS: i64 = 15 * 60 * 1000;
/// Encapsulations an opener remembers.
const REMEMBERED: usize = 16;
const INFO: &[u8] = b"shopbell event v1";

/// What an event is. A number, so that a kind of a newer relay is stored and not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKind(pub u8);

impl EventKind {
    /// One entry of a Meta webhook: `{"object":…,"entry":{…}}`, the entry's bytes as Meta sent them.
    pub const META: Self = Self(1);
    /// A shop's webhook: [`crate::HookEvent`] as JSON.
    pub const SHOP: Self = Self(2);
    /// The owner's website: [`crate::HookEvent`] as JSON.
    pub const COLLECT: Self = Self(3);
    /// Meta says the owner removed the app: [`crate::OwnerNotice`] as JSON.
    pub const DEAUTHORIZED: Self = Self(4);
    /// Meta passes on the owner's wish for deletion: [`crate::OwnerNotice`] as JSON.
    pub const DELETION: Self = Self(5);

    /// The kind of a sealed event as bytes, without reading the rest of it.
    pub fn of(sealed: &[u8]) -> Option<Self> {
        sealed.get(1).copied().map(Self)
    }

    /// Whether it is about the owner: what a computer may still get when nothing is bound to it any more.
    pub fn is_notice(self) -> bool {
        matches!(self, Self::DEAUTHORIZED | Self::DELETION)
    }
}

/// A sealed event with the public facts it is bound to. Whom it is for is not inside: it lies in that device's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEvent {
    /// What it is.
    pub kind: EventKind,
    /// Random; the same for every device that gets this event.
    pub id: [u8; 16],
    /// What it is about: an account ([`subject_of`]), `hook/{id}` or `user/{provider}`.
    pub subject: String,
    /// When the relay had it, UTC ms.
    pub received_ms: i64,
    enc: [u8; 32],
    index: u32,
    ciphertext: Vec<u8>,
}

/// The subject of an account's events: `page/1001`, `instagram/17841…`.
pub fn subject_of(account: &AccountRef) -> String {
    format!("{}/{}", account.kind.as_str(), account.platform_id)
}

/// The account of a subject, when it is one.
pub fn account_of(subject: &str) -> Option<AccountRef> {
    let (kind, platform_id) = subject.split_once('/')?;
    let kind = AccountKind::parse(kind)?;
    (!platform_id.is_empty()).then(|| AccountRef {
        kind,
        platform_id: platform_id.to_owned(),
    })
}

/// Why an event was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not an event, of a newer version, or too large.
    #[error("the sealed event cannot be read")]
    Malformed,
    /// Sealed to another device, changed, or moved to another place.
    #[error("the sealed event does not open")]
    Seal,
    /// The encapsulation has sealed as many events as it may; make a new one.
    #[error("this encapsulation is used up")]
    UsedUp,
}

impl SealedEvent {
    /// The bytes that are stored and sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let subject = self.subject.as_bytes();
        let mut out = Vec::with_capacity(64 + subject.len() + self.ciphertext.len());
        out.push(EVENT_VERSION);
        out.push(self.kind.0);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.received_ms.to_be_bytes());
        out.extend_from_slice(&self.enc);
        out.extend_from_slice(&self.index.to_be_bytes());
        out.push(u8::try_from(subject.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(subject);
        out.extend_from_slice(&self.ciphertext);
        out
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`EventError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EventError> {
        fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], EventError> {
            let (head, tail) = rest.split_first_chunk::<N>().ok_or(EventError::Malformed)?;
            *rest = tail;
            Ok(*head)
        }
        if bytes.len() > EVENT_MAX_BYTES {
            return Err(EventError::Malformed);
        }
        let mut rest = bytes;
        let [version] = take::<1>(&mut rest)?;
        if version != EVENT_VERSION {
            return Err(EventError::Malformed);
        }
        let [kind] = take::<1>(&mut rest)?;
        let id = take::<16>(&mut rest)?;
        let received_ms = i64::from_be_bytes(take::<8>(&mut rest)?);
        let enc = take::<32>(&mut rest)?;
        let index = u32::from_be_bytes(take::<4>(&mut rest)?);
        let [length] = take::<1>(&mut rest)?;
        let (subject, ciphertext) = rest
            .split_at_checked(usize::from(length))
            .ok_or(EventError::Malformed)?;
        let subject = std::str::from_utf8(subject).map_err(|_| EventError::Malformed)?;
        if subject.len() > SUBJECT_MAX_BYTES {
            return Err(EventError::Malformed);
        }
        Ok(Self {
            kind: EventKind(kind),
            id,
            subject: subject.to_owned(),
            received_ms,
            enc,
            index,
            ciphertext: ciphertext.to_vec(),
        })
    }
}

/// Seals events to one device. Shared by all requests of a relay process for [`SEALER_LIFE_MS`].
pub struct EventSealer {
    device: Thumbprint,
    enc: [u8; 32],
    context: hpke::aead::AeadCtxS<ExportOnlyAead, HkdfSha256, Kem>,
    next: AtomicU32,
}

impl EventSealer {
    /// One encapsulation to a device's key.
    ///
    /// # Errors
    /// [`EventError::Seal`] when the device's key is of no use (low order).
    pub fn new(to: &DevicePublic, rng: &mut impl rand::CryptoRng) -> Result<Self, EventError> {
        let key = <Kem as hpke::Kem>::PublicKey::from_bytes(to.seal_key())
            .map_err(|_| EventError::Seal)?;
        let (enc, context) = hpke::setup_sender_with_rng::<ExportOnlyAead, HkdfSha256, Kem>(
            &OpModeS::Base,
            &key,
            INFO,
            rng,
        )
        .map_err(|_| EventError::Seal)?;
        Ok(Self {
            device: to.thumbprint(),
            enc: enc.to_bytes().into(),
            context,
            next: AtomicU32::new(0),
        })
    }

    /// Seals one event.
    ///
    /// # Errors
    /// [`EventError::UsedUp`] after 2^31 events, [`EventError::Malformed`] for a subject or content that is too long.
    pub fn seal(
        &self,
        kind: EventKind,
        id: [u8; 16],
        subject: &str,
        received_ms: i64,
        plain: &[u8],
    ) -> Result<SealedEvent, EventError> {
        if subject.len() > SUBJECT_MAX_BYTES || plain.len() + 512 > EVENT_MAX_BYTES {
            return Err(EventError::Malformed);
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        if index >= 1 << 31 {
            self.next.store(1 << 31, Ordering::Relaxed);
            return Err(EventError::UsedUp);
        }
        let mut key = Zeroizing::new([0u8; 32]);
        self.context
            .export(&index.to_be_bytes(), key.as_mut())
            .map_err(|_| EventError::Seal)?;
        let aad = associated_data(&self.device, kind, &id, subject, received_ms);
        let ciphertext = cipher(&key)
            .encrypt(
                &Nonce::default(),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| EventError::Seal)?;
        Ok(SealedEvent {
            kind,
            id,
            subject: subject.to_owned(),
            received_ms,
            enc: self.enc,
            index,
            ciphertext,
        })
    }
}

/// Opens events with a device's keys. Remembers the last few encapsulations, so that a stream costs one of them.
pub struct EventOpener<'a> {
    keys: &'a DeviceKeys,
    device: Thumbprint,
    known: VecDeque<(
        [u8; 32],
        hpke::aead::AeadCtxR<ExportOnlyAead, HkdfSha256, Kem>,
    )>,
}

impl<'a> EventOpener<'a> {
    /// With nothing remembered.
    pub fn new(keys: &'a DeviceKeys) -> Self {
        Self {
            device: keys.thumbprint(),
            keys,
            known: VecDeque::new(),
        }
    }

    /// What was sealed.
    ///
    /// # Errors
    /// [`EventError::Seal`] when it is for another device or was changed.
    pub fn open(&mut self, event: &SealedEvent) -> Result<Zeroizing<Vec<u8>>, EventError> {
        let place = self.known.iter().position(|(enc, _)| *enc == event.enc);
        let place = match place {
            Some(place) => place,
            None => {
                let secret =
                    <Kem as hpke::Kem>::PrivateKey::from_bytes(self.keys.seal_secret().as_bytes())
                        .map_err(|_| EventError::Seal)?;
                let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&event.enc)
                    .map_err(|_| EventError::Malformed)?;
                let context = hpke::setup_receiver::<ExportOnlyAead, HkdfSha256, Kem>(
                    &OpModeR::Base,
                    &secret,
                    &enc,
                    INFO,
                )
                .map_err(|_| EventError::Seal)?;
                self.known.truncate(REMEMBERED - 1);
                self.known.push_front((event.enc, context));
                0
            }
        };
        let mut key = Zeroizing::new([0u8; 32]);
        self.known[place]
            .1
            .export(&event.index.to_be_bytes(), key.as_mut())
            .map_err(|_| EventError::Seal)?;
        let aad = associated_data(
            &self.device,
            event.kind,
            &event.id,
            &event.subject,
            event.received_ms,
        );
        cipher(&key)
            .decrypt(
                &Nonce::default(),
                Payload {
                    msg: &event.ciphertext,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| EventError::Seal)
    }
}

/// Every key seals one event, so the nonce may stay zero.
fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(*key))
}

fn associated_data(
    device: &Thumbprint,
    kind: EventKind,
    id: &[u8; 16],
    subject: &str,
    received_ms: i64,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.push(EVENT_VERSION);
    out.push(kind.0);
    for part in [device.as_str().as_bytes(), id, subject.as_bytes()] {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&received_ms.to_be_bytes());
    out
}
