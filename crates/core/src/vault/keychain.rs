//! The operating system's keychain, behind one thread and a deadline.
//!
//! Invariant: no keychain call ever runs on a thread of the async runtime (the libraries start runtimes of their own and a locked
//! keychain can block for minutes), and nobody waits longer than [`DEADLINE`]. A call that hangs keeps its thread; the next call gets a
//! new one, so that unlocking helps at once.

use super::VaultError;
use crate::Clock;
use base64::{Engine, engine::general_purpose::STANDARD};
use keyring_core::{CredentialStore, Error as KeyringError};
use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// Longest wait for one call.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// The service name of every entry.
pub const SERVICE: &str = "shopbell";
/// Longest value: Windows takes 2,560 bytes per entry (CRED_MAX_CREDENTIAL_BLOB_SIZE).
const LONGEST: usize = 2560;
/// Threads that may hang at the same time.
const HANGING: usize = 4;

/// Where keys live.
#[derive(Clone)]
pub enum Keychain {
    /// The operating system's.
    Os,
    /// This store.
    Given(Arc<CredentialStore>),
    /// None on this computer.
    Missing,
}

impl Keychain {
    /// The operating system's.
    pub fn os() -> Self {
        Self::Os
    }

    /// One in memory that ends with the program, for a profile that ends with it too. The caller sees to it that only a profile
    /// pointed at a sandbox gets it: the keys of real accounts belong into the system's keychain.
    pub fn in_memory() -> Self {
        keyring_core::mock::Store::new().map_or(Self::Missing, |store| Self::Given(store))
    }

    fn connect(&self) -> Result<Arc<CredentialStore>, VaultError> {
        match self {
            Self::Os => os_store(),
            Self::Given(store) => Ok(Arc::clone(store)),
            Self::Missing => Err(VaultError::KeychainMissing),
        }
    }
}

#[cfg(target_os = "linux")]
fn os_store() -> Result<Arc<CredentialStore>, VaultError> {
    let store = zbus_secret_service_keyring_store::Store::new().map_err(|error| {
        tracing::warn!(target: "shopbell::vault", error = %kind_of(&error), "no secret service");
        VaultError::KeychainMissing
    })?;
    Ok(store)
}

#[cfg(target_os = "macos")]
fn os_store() -> Result<Arc<CredentialStore>, VaultError> {
    let store = apple_native_keyring_store::keychain::Store::new()
        .map_err(|_| VaultError::KeychainMissing)?;
    Ok(store)
}

#[cfg(target_os = "windows")]
fn os_store() -> Result<Arc<CredentialStore>, VaultError> {
    let store =
        windows_native_keyring_store::Store::new().map_err(|_| VaultError::KeychainMissing)?;
    Ok(store)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
fn os_store() -> Result<Arc<CredentialStore>, VaultError> {
    Err(VaultError::KeychainMissing)
}

/// What is done with one entry.
enum Verb {
    Get,
    Put(Zeroizing<String>),
    Delete,
}

struct Call {
    user: String,
    verb: Verb,
    answer: oneshot::Sender<Result<Found, VaultError>>,
}

/// Every value an entry has: none, one, or several when the keychain holds more than one match.
type Found = Vec<Zeroizing<Vec<u8>>>;

/// Speaks with one keychain. Cheap to clone.
#[derive(Clone)]
pub struct KeychainLine {
    inner: Arc<Line>,
}

struct Line {
    keychain: Keychain,
    clock: Arc<dyn Clock>,
    thread: Mutex<Thread>,
}

#[derive(Default)]
struct Thread {
    calls: Option<mpsc::Sender<Call>>,
    hanging: Vec<Arc<()>>,
}

impl KeychainLine {
    /// A line to `keychain`. Nothing is asked yet.
    pub fn new(keychain: Keychain, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Line {
                keychain,
                clock,
                thread: Mutex::default(),
            }),
        }
    }

    /// All values of an entry.
    ///
    /// # Errors
    /// One of the `Keychain…` errors.
    pub async fn get(&self, user: &str) -> Result<Vec<Zeroizing<Vec<u8>>>, VaultError> {
        self.call(user, Verb::Get).await
    }

    /// Sets an entry.
    ///
    /// # Errors
    /// One of the `Keychain…` errors, or [`VaultError::TooLong`].
    pub async fn put(&self, user: &str, text: Zeroizing<String>) -> Result<(), VaultError> {
        if text.len() > LONGEST {
            return Err(VaultError::TooLong);
        }
        self.call(user, Verb::Put(text)).await.map(drop)
    }

    /// Sets an entry to bytes.
    pub(super) async fn put_bytes(&self, user: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.put(user, Zeroizing::new(STANDARD.encode(bytes))).await
    }

    /// Deletes an entry; no entry is fine.
    ///
    /// # Errors
    /// One of the `Keychain…` errors.
    pub async fn delete(&self, user: &str) -> Result<(), VaultError> {
        self.call(user, Verb::Delete).await.map(drop)
    }

    async fn call(&self, user: &str, verb: Verb) -> Result<Found, VaultError> {
        let (sender, receiver) = oneshot::channel();
        let call = Call {
            user: user.to_owned(),
            verb,
            answer: sender,
        };
        self.hand_over(call)?;
        let deadline = self.inner.clock.sleep(DEADLINE);
        tokio::select! {
            biased;
            answer = receiver => answer.unwrap_or(Err(VaultError::KeychainMissing)),
            () = deadline => {
                // That thread may hang for ever; leave it.
                self.inner.thread.lock().unwrap_or_else(PoisonError::into_inner).calls = None;
                Err(VaultError::KeychainSlow)
            }
        }
    }

    fn hand_over(&self, call: Call) -> Result<(), VaultError> {
        let mut thread = self
            .inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let call = match &thread.calls {
            Some(calls) => match calls.send(call) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(call)) => call,
            },
            None => call,
        };
        thread.hanging.retain(|alive| Arc::strong_count(alive) > 1);
        if thread.hanging.len() >= HANGING {
            return Err(VaultError::KeychainSlow);
        }
        let (sender, calls) = mpsc::channel::<Call>();
        let alive = Arc::new(());
        let (mark, keychain) = (Arc::clone(&alive), self.inner.keychain.clone());
        let started = std::thread::Builder::new()
            .name("keychain".into())
            .spawn(move || {
                let _mark = mark;
                serve(&keychain, &calls);
            });
        if started.is_err() || sender.send(call).is_err() {
            return Err(VaultError::KeychainMissing);
        }
        thread.hanging.push(alive);
        thread.calls = Some(sender);
        Ok(())
    }
}

/// Runs on the keychain's own thread until the line is gone.
fn serve(keychain: &Keychain, calls: &mpsc::Receiver<Call>) {
    let mut store = None;
    while let Ok(call) = calls.recv() {
        // The caller has given up: a write done now would surprise whoever wrote after it.
        if call.answer.is_closed() {
            continue;
        }
        let reused = store.is_some();
        let mut answer = ask(keychain, &mut store, &call);
        if reused && matches!(answer, Err(VaultError::KeychainMissing)) {
            // The service was started anew since: our session with it is gone, it is not.
            answer = ask(keychain, &mut store, &call);
        }
        let _ = call.answer.send(answer);
    }
}

fn ask(
    keychain: &Keychain,
    store: &mut Option<Arc<CredentialStore>>,
    call: &Call,
) -> Result<Found, VaultError> {
    let open = match store {
        Some(open) => Arc::clone(open),
        None => Arc::clone(store.insert(keychain.connect()?)),
    };
    let answer = run(open.as_ref(), &call.user, &call.verb);
    if matches!(answer, Err(VaultError::KeychainMissing)) {
        *store = None;
    }
    answer
}

fn run(store: &CredentialStore, user: &str, verb: &Verb) -> Result<Found, VaultError> {
    let entry = store
        .build(SERVICE, user, None)
        .map_err(|error| translate(&error))?;
    match verb {
        Verb::Get => match entry.get_secret() {
            Ok(secret) => Ok(vec![Zeroizing::new(secret)]),
            Err(KeyringError::NoEntry) => Ok(Vec::new()),
            Err(KeyringError::Ambiguous(several)) => several
                .iter()
                .map(|one| {
                    one.get_secret()
                        .map(Zeroizing::new)
                        .map_err(|error| translate(&error))
                })
                .collect(),
            Err(KeyringError::BadEncoding(bytes) | KeyringError::BadDataFormat(bytes, _)) => {
                Ok(vec![Zeroizing::new(bytes)])
            }
            Err(error) => Err(translate(&error)),
        },
        Verb::Put(text) => match entry.set_secret(text.as_bytes()) {
            Ok(()) => Ok(Vec::new()),
            Err(KeyringError::Ambiguous(several)) => {
                for one in &several {
                    let _ = one.delete_credential();
                }
                entry
                    .set_secret(text.as_bytes())
                    .map(|()| Vec::new())
                    .map_err(|error| translate(&error))
            }
            Err(error) => Err(translate(&error)),
        },
        Verb::Delete => match entry.delete_credential() {
            Ok(()) | Err(KeyringError::NoEntry) => Ok(Vec::new()),
            Err(KeyringError::Ambiguous(several)) => several
                .iter()
                .try_for_each(|one| one.delete_credential())
                .map(|()| Vec::new())
                .map_err(|error| translate(&error)),
            Err(error) => Err(translate(&error)),
        },
    }
}

fn translate(error: &KeyringError) -> VaultError {
    tracing::warn!(target: "shopbell::vault", error = %kind_of(error), "the keychain refused a call");
    match error {
        KeyringError::NoStorageAccess(cause) => access_error(cause.as_ref()),
        KeyringError::Ambiguous(_) => VaultError::KeyAmbiguous,
        KeyringError::BadEncoding(_)
        | KeyringError::BadDataFormat(..)
        | KeyringError::BadStoreFormat(_) => VaultError::KeyCorrupted,
        KeyringError::TooLong(..) => VaultError::TooLong,
        _ => VaultError::KeychainMissing,
    }
}

/// The kind of an error; its text may quote what was stored.
fn kind_of(error: &KeyringError) -> &'static str {
    match error {
        KeyringError::PlatformFailure(_) => "platform failure",
        KeyringError::NoStorageAccess(_) => "no access",
        KeyringError::NoEntry => "no entry",
        KeyringError::BadEncoding(_) | KeyringError::BadDataFormat(..) => "bad data",
        KeyringError::BadStoreFormat(_) => "bad store",
        KeyringError::TooLong(..) => "too long",
        KeyringError::Invalid(..) => "invalid",
        KeyringError::Ambiguous(_) => "ambiguous",
        KeyringError::NoDefaultStore => "no store",
        _ => "other",
    }
}

#[cfg(target_os = "linux")]
fn access_error(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> VaultError {
    match cause.downcast_ref::<secret_service::Error>() {
        // The owner closed the question, or there is nobody to ask.
        Some(secret_service::Error::Prompt) => VaultError::KeychainDenied,
        // No default collection: there is a service but no keychain in it.
        Some(secret_service::Error::NoResult) => VaultError::KeychainMissing,
        _ => VaultError::KeychainLocked,
    }
}

#[cfg(not(target_os = "linux"))]
fn access_error(_cause: &(dyn std::error::Error + Send + Sync + 'static)) -> VaultError {
    VaultError::KeychainDenied
}
