//! Why the vault does not open, and what the owner can do about it. No text in here quotes a secret.

use crate::{api::types::Reason, store::OpenError};

/// Why a vault does not open or keep something.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// This computer has no keychain that answers.
    #[error("there is no keychain")]
    KeychainMissing,
    /// It is locked.
    #[error("the keychain is locked")]
    KeychainLocked,
    /// The owner or the system said no.
    #[error("the keychain refused")]
    KeychainDenied,
    /// No answer within ten seconds.
    #[error("the keychain does not answer")]
    KeychainSlow,
    /// The keychain answers, but has no key for this profile.
    #[error("the keychain has no key for this profile")]
    KeyMissing,
    /// The keychain has a key, but of another profile.
    #[error("the key in the keychain is not the one of this profile")]
    KeyWrong,
    /// Several keys, none of them ours.
    #[error("the keychain has several keys and none is the one of this profile")]
    KeyAmbiguous,
    /// What the keychain has is not a key.
    #[error("the key in the keychain is damaged")]
    KeyCorrupted,
    /// The profile is protected by a passphrase.
    #[error("the profile is protected by a passphrase")]
    PassphraseNeeded,
    /// Not this passphrase.
    #[error("the passphrase is wrong")]
    PassphraseWrong,
    /// Too short to protect anything.
    #[error("the passphrase is too short")]
    PassphraseShort,
    /// Not this recovery key.
    #[error("the recovery key is wrong")]
    RecoveryWrong,
    /// A group of the recovery key was mistyped.
    #[error("group {} of the recovery key was mistyped", .0 + 1)]
    RecoveryGroup(usize),
    /// There is already a vault here; it is never replaced.
    #[error("there is already a vault")]
    Exists,
    /// vault.json is not readable, nor is its copy.
    #[error("vault.json is damaged")]
    FileDamaged,
    /// vault.json was written by a newer program.
    #[error("vault.json was written by a newer program")]
    FileNewer,
    /// No room left.
    #[error("the disk is full")]
    Full,
    /// The folder cannot be written.
    #[error("the folder cannot be written")]
    ReadOnlyFolder,
    /// Sealed bytes that do not open: wrong key, purpose or owner, or damaged.
    #[error("sealed data does not open")]
    Sealed,
    /// Too long for a keychain entry (Windows takes 2,560 bytes).
    #[error("too long for the keychain")]
    TooLong,
    /// Anything else the file system says.
    #[error("a file of the vault cannot be read or written")]
    Io(#[source] std::io::Error),
}

impl VaultError {
    /// As the boundary says it (`VaultStatus::Locked`).
    pub fn reason(&self) -> Reason {
        Reason::new(match self {
            Self::KeychainMissing => "keychain_missing",
            Self::KeychainLocked => "keychain_locked",
            Self::KeychainDenied => "keychain_denied",
            Self::KeychainSlow => "keychain_slow",
            Self::KeyMissing => "key_missing",
            Self::KeyWrong => "key_wrong",
            Self::KeyAmbiguous => "key_ambiguous",
            Self::KeyCorrupted => "key_corrupted",
            Self::PassphraseNeeded => "passphrase_needed",
            Self::PassphraseWrong => "passphrase_wrong",
            Self::PassphraseShort => "passphrase_short",
            Self::RecoveryWrong | Self::RecoveryGroup(_) => "recovery_key_wrong",
            Self::Exists => "vault_exists",
            Self::FileDamaged => "vault_damaged",
            Self::FileNewer => "vault_newer",
            Self::Full => "disk_full",
            Self::ReadOnlyFolder => "folder_read_only",
            Self::Sealed | Self::TooLong | Self::Io(_) => "vault_trouble",
        })
    }

    /// From an error of the file system.
    pub(super) fn from_io(error: std::io::Error) -> Self {
        match OpenError::from_io(error) {
            OpenError::Full => Self::Full,
            OpenError::ReadOnlyFolder => Self::ReadOnlyFolder,
            OpenError::Other(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => Self::Io(*error),
                Err(_) => Self::Io(std::io::ErrorKind::Other.into()),
            },
            _ => Self::Io(std::io::ErrorKind::Other.into()),
        }
    }
}
