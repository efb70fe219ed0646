//! `vault.json` beside the database: whose key it is and the wrapped copies of it. Holds no secret in the clear.
//!
//! Written to a new file, synced and renamed; a copy (`vault.backup.json`) is kept, because without this file no recovery key helps.

use super::{VaultError, passphrase::Stretch};
use crate::api::types::VaultKind;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fs, io::Write, path::Path};

pub(super) const NAME: &str = "vault.json";
const BACKUP: &str = "vault.backup.json";
/// Newest format this program writes.
const FORMAT: u32 = 1;
/// Larger is not ours.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VaultFile {
    pub(super) format: u32,
    /// Part of every keychain entry's name.
    pub(super) profile_id: String,
    /// See [`super::MasterKey::id`].
    pub(super) key_id: String,
    pub(super) kind: VaultKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) passphrase: Option<PassphraseCopy>,
    /// The recovery key the owner confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recovery: Option<RecoveryCopy>,
    /// One that was made and not yet confirmed; it works already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recovery_next: Option<RecoveryCopy>,
}

/// The master key wrapped under a passphrase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PassphraseCopy {
    pub(super) stretch: Stretch,
    #[serde(with = "base64_text")]
    pub(super) wrapped: Vec<u8>,
}

/// The master key wrapped under a recovery key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RecoveryCopy {
    #[serde(with = "base64_text")]
    pub(super) wrapped: Vec<u8>,
    /// The recovery key sealed under the master key, until the owner has confirmed it.
    #[serde(default, with = "base64_text", skip_serializing_if = "Vec::is_empty")]
    pub(super) shown: Vec<u8>,
}

impl VaultFile {
    pub(super) fn new(profile_id: String, key_id: String, kind: VaultKind) -> Self {
        Self {
            format: FORMAT,
            profile_id,
            key_id,
            kind,
            passphrase: None,
            recovery: None,
            recovery_next: None,
        }
    }

    /// `None` when there is neither file nor copy.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, VaultError> {
        let first = read_json::<Self>(&dir.join(NAME));
        let found = match first {
            Ok(Some(file)) => Some(file),
            Ok(None) => read_json(&dir.join(BACKUP))?,
            Err(VaultError::FileDamaged) => match read_json(&dir.join(BACKUP))? {
                Some(file) => Some(file),
                None => return Err(VaultError::FileDamaged),
            },
            Err(error) => return Err(error),
        };
        match found {
            Some(file) if file.format > FORMAT => Err(VaultError::FileNewer),
            found => Ok(found),
        }
    }

    /// Key ids of the file and of its copy, where they can be read.
    pub(super) fn copies(dir: &Path) -> Result<[Option<String>; 2], VaultError> {
        let id = |name| {
            read_json::<Self>(&dir.join(name))
                .ok()
                .flatten()
                .map(|file| file.key_id)
        };
        Ok([id(NAME), id(BACKUP)])
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), VaultError> {
        write_json(&dir.join(NAME), self)?;
        write_json(&dir.join(BACKUP), self)
    }
}

/// `None` when there is no file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, VaultError> {
    match fs::metadata(path) {
        Ok(found) if found.len() > LARGEST => return Err(VaultError::FileDamaged),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(VaultError::from_io(error)),
    }
    let text = fs::read(path).map_err(VaultError::from_io)?;
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|_| VaultError::FileDamaged)
}

/// Whole or not at all, readable by the owner only.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), VaultError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| VaultError::Io(error.into()))?;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = Path::new(&name);
    let written = (|| {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(fresh)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(fresh, path)?;
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(fresh);
        VaultError::from_io(error)
    })
}

/// Bytes as base64 text.
pub(super) mod base64_text {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map_err(|_| D::Error::custom("not base64"))
    }
}
