//! Time and randomness, injected. Nothing else in the relay asks the computer for either, so a test can
//! move the clock through ten minutes or thirty days.

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// UTC, milliseconds.
    fn now_ms(&self) -> i64;
}

/// Any closure is a clock: `Relay::start(config, move || other.now_ms())`.
impl<F: Fn() -> i64 + Send + Sync + 'static> Clock for F {
    fn now_ms(&self) -> i64 {
        self()
    }
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place of the relay that reads the computer's clock"
    )]
    fn now_ms(&self) -> i64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            })
    }
}

/// Gives random bytes fit for keys.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place of the relay that takes the system's randomness"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        rand::Rng::fill_bytes(&mut rand::rng(), buffer);
    }
}

/// An array of fresh random bytes.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut out = [0u8; N];
    entropy.fill(&mut out);
    out
}
