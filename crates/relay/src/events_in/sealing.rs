//! Encapsulations that are good for a quarter of an hour, one per device, shared by all requests of this process (T16).
//!
//! Invariant: their secrets are in memory only and no longer than twice that time. The expensive half of sealing (one X25519 per
//! device) is paid here, never per event.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use shopbell_wire::{
    DevicePublic, EventError, EventKind, EventSealer, SEALER_LIFE_MS, SealedEvent, Thumbprint,
};

use crate::{
    clock::{Entropy, random},
    storage::NewRecord,
};

/// What is the same for every device that gets an event.
pub(crate) struct Event<'a> {
    pub(crate) kind: EventKind,
    pub(crate) id: [u8; 16],
    pub(crate) subject: &'a str,
    pub(crate) received_ms: i64,
    pub(crate) plain: &'a [u8],
}

struct Ready {
    sealer: EventSealer,
    device: Thumbprint,
    made_ms: i64,
}

impl Ready {
    /// A clock that was set back ends it too.
    fn lives(&self, now_ms: i64) -> bool {
        (0..SEALER_LIFE_MS).contains(&now_ms.saturating_sub(self.made_ms))
    }
}

/// The encapsulations of this process.
pub(crate) struct SealerCache {
    ready: RwLock<HashMap<DevicePublic, Arc<Ready>>>,
    entropy: Arc<dyn Entropy>,
}

impl SealerCache {
    pub(crate) fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            ready: RwLock::default(),
            entropy,
        }
    }

    /// Seals an event for a device, ready to be stored in its stream.
    ///
    /// # Errors
    /// When the device's key is of no use, or the event is too long.
    pub(crate) fn seal(
        &self,
        to: &DevicePublic,
        event: &Event<'_>,
    ) -> Result<NewRecord, EventError> {
        let ready = self.of(to, event.received_ms)?;
        let (device, sealed) = match ready.seal(event) {
            Err(EventError::UsedUp) => {
                let fresh = self.renew(to, event.received_ms)?;
                (fresh.device.clone(), fresh.seal(event)?)
            }
            sealed => (ready.device.clone(), sealed?),
        };
        Ok(NewRecord {
            device,
            event: sealed.to_bytes().into(),
            event_id: event.id,
            received_ms: event.received_ms,
        })
    }

    /// Forgets encapsulations that have had their time.
    pub(crate) fn purge(&self, now_ms: i64) {
        self.ready
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, ready| ready.lives(now_ms));
    }

    fn of(&self, to: &DevicePublic, now_ms: i64) -> Result<Arc<Ready>, EventError> {
        let found = self
            .ready
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(to)
            .filter(|ready| ready.lives(now_ms))
            .cloned();
        match found {
            Some(ready) => Ok(ready),
            None => self.renew(to, now_ms),
        }
    }

    /// Made outside the lock: two requests may make one each, and both are good.
    fn renew(&self, to: &DevicePublic, now_ms: i64) -> Result<Arc<Ready>, EventError> {
        let mut rng: rand::rngs::StdRng =
            rand::SeedableRng::from_seed(random(self.entropy.as_ref()));
        let ready = Arc::new(Ready {
            sealer: EventSealer::new(crate::planted::device_for(to), &mut rng)?,
            device: to.thumbprint(),
            made_ms: now_ms,
        });
        self.ready
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*to, Arc::clone(&ready));
        Ok(ready)
    }
}

impl Ready {
    fn seal(&self, event: &Event<'_>) -> Result<SealedEvent, EventError> {
        self.sealer.seal(
            event.kind,
            event.id,
            event.subject,
            event.received_ms,
            event.plain,
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::SystemEntropy;
    use shopbell_wire::{DeviceKeys, EventOpener};

    const NOW: i64 = 1_790_000_000_000;

    fn event(received_ms: i64) -> Event<'static> {
        Event {
            kind: EventKind::META,
            id: [7; 16],
            subject: "page/1001",
            received_ms,
            plain: b"hello",
        }
    }

    fn enc(record: &NewRecord) -> Vec<u8> {
        record.event[26..58].to_vec()
    }

    #[test]
    fn one_encapsulation_serves_a_device_for_a_quarter_of_an_hour() {
        let cache = SealerCache::new(Arc::new(SystemEntropy));
        let (one, two) = ([1u8; 64], [2u8; 64]);
        let (one, two) = (
            DeviceKeys::from_random_bytes(&one),
            DeviceKeys::from_random_bytes(&two),
        );
        let seal = |keys: &DeviceKeys, at| cache.seal(&keys.public(), &event(at)).unwrap();
        let first = seal(&one, NOW);
        assert_eq!(enc(&seal(&one, NOW + SEALER_LIFE_MS - 1)), enc(&first));
        assert_ne!(enc(&seal(&two, NOW)), enc(&first), "each device its own");
        assert_eq!(first.device, one.thumbprint());
        let later = seal(&one, NOW + SEALER_LIFE_MS);
        assert_ne!(enc(&later), enc(&first));
        assert_ne!(enc(&seal(&one, NOW)), enc(&later), "the clock was set back");
        let mut opener = EventOpener::new(&one);
        for record in [first, later] {
            let sealed = SealedEvent::from_bytes(&record.event).unwrap();
            assert_eq!(opener.open(&sealed).unwrap().as_slice(), b"hello");
            assert!(EventOpener::new(&two).open(&sealed).is_err());
        }
    }

    #[test]
    fn what_has_had_its_time_is_forgotten() {
        let cache = SealerCache::new(Arc::new(SystemEntropy));
        for byte in 1..=3 {
            let keys = DeviceKeys::from_random_bytes(&[byte; 64]);
            cache
                .seal(&keys.public(), &event(NOW + i64::from(byte)))
                .unwrap();
        }
        cache.purge(NOW + SEALER_LIFE_MS + 2);
        assert_eq!(cache.ready.read().unwrap().len(), 1);
    }

    #[test]
    fn a_useless_key_spoils_nothing_else() {
        let cache = SealerCache::new(Arc::new(SystemEntropy));
        let good = DeviceKeys::from_random_bytes(&[1; 64]).public();
        let mut low_order = [0u8; 32];
        low_order[0] = 1;
        let bad = DevicePublic::from_bytes(low_order, *good.sign_key()).unwrap();
        assert_eq!(cache.seal(&bad, &event(NOW)).err(), Some(EventError::Seal));
        cache.seal(&good, &event(NOW)).unwrap();
    }
}
