//! The raw key of the database.

use std::fmt::Write;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// SQLCipher's raw key and the salt in the file's first 16 bytes. Both come from the master key, so the file itself tells whether the
/// key belongs to it. Never printed: there is no `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DatabaseKey {
    key: [u8; 32],
    salt: [u8; 16],
}

impl DatabaseKey {
    /// From derived bytes.
    pub fn new(key: [u8; 32], salt: [u8; 16]) -> Self {
        Self { key, salt }
    }

    /// Is this how a file begins that was made with this key?
    pub(super) fn opens(&self, first: &[u8]) -> bool {
        first == self.salt
    }

    /// The value of `PRAGMA key`: no key stretching, the salt given.
    pub(super) fn pragma(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(104));
        text.push_str("\"x'");
        for byte in self.key.iter().chain(&self.salt) {
            let _ = write!(text, "{byte:02x}");
        }
        text.push_str("'\"");
        text
    }
}
