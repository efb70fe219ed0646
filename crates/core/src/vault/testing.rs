//! A keychain that can be told how to misbehave; what it keeps lies in the library's own mock store.
#![allow(clippy::unwrap_used, missing_docs)]

use super::{Keychain, SERVICE};
use keyring_core::{
    CredentialStore, Entry, Error,
    api::{Credential, CredentialApi, CredentialStoreApi},
    mock,
};
use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Condvar, Mutex},
};
use tokio::sync::watch;

/// How the keychain behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// No service at the other end.
    Missing,
    Locked,
    /// The owner closed the question.
    Denied,
    /// Does not answer until told otherwise.
    Hanging,
}

/// The keychain.
pub struct Moody {
    entries: Arc<mock::Store>,
    mood: Arc<(Mutex<Mood>, Condvar)>,
    asked: Arc<watch::Sender<usize>>,
    /// Further values of every entry: more than one match.
    doubles: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Moody {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            entries: mock::Store::new().unwrap(),
            mood: Arc::new((Mutex::new(Mood::Well), Condvar::new())),
            asked: Arc::new(watch::Sender::new(0)),
            doubles: Arc::default(),
        })
    }

    pub fn keychain(self: &Arc<Self>) -> Keychain {
        Keychain::Given(Arc::clone(self) as Arc<CredentialStore>)
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.0.lock().unwrap() = mood;
        self.mood.1.notify_all();
    }

    /// Ends once `count` calls have come in.
    pub async fn until_asked(&self, count: usize) {
        self.asked
            .subscribe()
            .wait_for(|asked| *asked >= count)
            .await
            .unwrap();
    }

    /// How many calls have come in.
    pub fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// The one master key in here, as its entry and value.
    pub fn master(&self) -> (Entry, Vec<u8>) {
        let mut found = self
            .entries
            .search(&HashMap::from([
                ("service", SERVICE),
                ("user", "master-key"),
            ]))
            .unwrap();
        assert_eq!(found.len(), 1);
        let entry = found.remove(0);
        let value = entry.get_secret().unwrap();
        (entry, value)
    }

    /// How many entries hold something.
    pub fn filled(&self) -> usize {
        let all = self.entries.search(&HashMap::new()).unwrap();
        all.iter()
            .filter(|entry| entry.get_secret().is_ok())
            .count()
    }

    /// From now on every entry has these values too.
    pub fn double(&self, values: Vec<Vec<u8>>) {
        *self.doubles.lock().unwrap() = values;
    }
}

impl CredentialStoreApi for Moody {
    fn vendor(&self) -> String {
        "moody".into()
    }
    fn id(&self) -> String {
        "moody".into()
    }
    fn build(
        &self,
        service: &str,
        user: &str,
        mods: Option<&HashMap<&str, &str>>,
    ) -> Result<Entry, Error> {
        let entry = self.entries.build(service, user, mods)?;
        let (mood, asked, doubles) = (
            Arc::clone(&self.mood),
            Arc::clone(&self.asked),
            Arc::clone(&self.doubles),
        );
        Ok(Entry::new_with_credential(Arc::new(MoodyEntry {
            entry,
            mood,
            asked,
            doubles,
        })))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Moody")
    }
}

struct MoodyEntry {
    entry: Entry,
    mood: Arc<(Mutex<Mood>, Condvar)>,
    asked: Arc<watch::Sender<usize>>,
    doubles: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl MoodyEntry {
    fn check(&self) -> Result<(), Error> {
        self.asked.send_modify(|asked| *asked += 1);
        let (mood, changed) = &*self.mood;
        let mood = changed
            .wait_while(mood.lock().unwrap(), |mood| *mood == Mood::Hanging)
            .unwrap();
        match *mood {
            Mood::Well | Mood::Hanging => Ok(()),
            Mood::Missing => Err(Error::PlatformFailure("no service".into())),
            Mood::Locked => Err(access(Mood::Locked)),
            Mood::Denied => Err(access(Mood::Denied)),
        }
    }

    fn unique(&self) -> Result<(), Error> {
        let doubles = self.doubles.lock().unwrap();
        if doubles.is_empty() {
            return Ok(());
        }
        let mut several = vec![Entry::new_with_credential(Arc::new(Plain(
            self.entry.get_secret()?,
        )))];
        several.extend(
            doubles
                .iter()
                .map(|value| Entry::new_with_credential(Arc::new(Plain(value.clone())))),
        );
        Err(Error::Ambiguous(several))
    }
}

#[cfg(target_os = "linux")]
fn access(mood: Mood) -> Error {
    Error::NoStorageAccess(Box::new(if mood == Mood::Locked {
        secret_service::Error::Locked
    } else {
        secret_service::Error::Prompt
    }))
}

#[cfg(not(target_os = "linux"))]
fn access(_mood: Mood) -> Error {
    Error::NoStorageAccess("refused".into())
}

impl CredentialApi for MoodyEntry {
    fn set_secret(&self, secret: &[u8]) -> Result<(), Error> {
        self.check()?;
        self.entry.set_secret(secret)
    }
    fn get_secret(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        self.unique()?;
        self.entry.get_secret()
    }
    fn delete_credential(&self) -> Result<(), Error> {
        self.check()?;
        self.entry.delete_credential()
    }
    fn get_credential(&self) -> Result<Option<Arc<Credential>>, Error> {
        Ok(None)
    }
    fn get_specifiers(&self) -> Option<(String, String)> {
        self.entry.get_specifiers()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MoodyEntry")
    }
}

/// One of several matches.
struct Plain(Vec<u8>);

impl CredentialApi for Plain {
    fn set_secret(&self, _secret: &[u8]) -> Result<(), Error> {
        Ok(())
    }
    fn get_secret(&self) -> Result<Vec<u8>, Error> {
        Ok(self.0.clone())
    }
    fn delete_credential(&self) -> Result<(), Error> {
        Ok(())
    }
    fn get_credential(&self) -> Result<Option<Arc<Credential>>, Error> {
        Ok(None)
    }
    fn get_specifiers(&self) -> Option<(String, String)> {
        None
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn debug_fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Plain")
    }
}
