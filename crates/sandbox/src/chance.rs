//! Seeded randomness: the same word gives the same shop, on every computer and with every version
//! of every crate, because committed fixtures and test expectations hang on it. That is why this is
//! SplitMix64 written out and not a generator whose stream may change with a release.
//! Not for secrets: the tokens minted here open nothing but the sandbox.

/// A stream of numbers that depends only on its seed.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    state: u64,
}

const WORD: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Chance {
    /// A stream for this seed word.
    pub(crate) fn seeded(word: &str) -> Self {
        // FNV-1a spreads short words over the whole state.
        let state = word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Chance { state }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let span = high.abs_diff(low) + 1;
        low + i64::try_from(self.next() % span).unwrap_or(0)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len());
        items.get(index)
    }

    /// Letters and digits, `length` of them.
    pub(crate) fn word(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(WORD[self.below(WORD.len())]))
            .collect()
    }

    /// A decimal id of `length` digits that starts with `prefix`.
    pub(crate) fn digits(&mut self, prefix: &str, length: usize) -> String {
        let mut text = String::from(prefix);
        while text.len() < length {
            let digit = u8::try_from(self.below(10)).unwrap_or(0);
            text.push(char::from(b'0' + digit));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_depends_only_on_the_word() {
        let mut one = Chance::seeded("kornblume");
        let mut two = Chance::seeded("kornblume");
        let mut other = Chance::seeded("speiche");
        let first: Vec<u64> = (0..4).map(|_| one.next()).collect();
        assert_eq!(first, (0..4).map(|_| two.next()).collect::<Vec<u64>>());
        assert_ne!(first, (0..4).map(|_| other.next()).collect::<Vec<u64>>());
        assert_eq!(Chance::seeded("").digits("17841", 17).len(), 17);
    }
}
