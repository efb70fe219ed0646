//! Randomness, injected: keys, verifiers, ids, jitter.

use std::sync::{Mutex, PoisonError};

/// Fills buffers with random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `buffer`.
    fn fill(&self, buffer: &mut [u8]);

    /// A version-7 UUID for `now_ms`.
    fn uuid_v7(&self, now_ms: i64) -> uuid::Uuid {
        let mut random = [0_u8; 10];
        self.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(u64::try_from(now_ms).unwrap_or(0), &random)
            .into_uuid()
    }

    /// 32 random bytes.
    fn key(&self) -> [u8; 32] {
        let mut key = [0_u8; 32];
        self.fill(&mut key);
        key
    }

    /// A number in `0..below` (0 for `below` 0). Good enough for jitter, not for keys.
    fn below(&self, below: u64) -> u64 {
        let mut bytes = [0_u8; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(below).unwrap_or(0)
    }
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that takes the system's randomness"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        rand::Rng::fill_bytes(&mut rand::rng(), buffer);
    }
}

/// The same bytes for the same seed. Never for a real profile.
pub struct SeededEntropy(Mutex<rand::rngs::StdRng>);

impl SeededEntropy {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(rand::SeedableRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        rand::Rng::fill_bytes(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
            buffer,
        );
    }
}
