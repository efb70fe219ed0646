//! The recovery key as a person writes it down: eight groups of four characters and one check character.
//!
//! Crockford's alphabet: no I, L, O, U; what looks alike is read alike. The check character covers the group and its place, so a
//! mistyped group is found by itself and two swapped groups are found too.

use super::VaultError;
use crate::Entropy;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Groups of a recovery key.
pub const GROUPS: usize = 8;
/// Bytes of a recovery key.
const BYTES: usize = 20;

/// 160 random bits that unwrap the master key.
#[derive(Clone)]
pub struct RecoverySecret(Zeroizing<[u8; BYTES]>);

impl RecoverySecret {
    /// A new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0_u8; BYTES]);
        entropy.fill(bytes.as_mut());
        Self(bytes)
    }

    /// From bytes kept earlier.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes
            .try_into()
            .ok()
            .map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// As shown to the owner.
    pub fn groups(&self) -> Vec<String> {
        (0..GROUPS)
            .map(|group| {
                let values: [u8; 4] = std::array::from_fn(|place| self.value(group * 4 + place));
                let letters = values.into_iter().chain([check(group, values)]);
                letters
                    .map(|value| char::from(ALPHABET[usize::from(value)]))
                    .collect()
            })
            .collect()
    }

    /// The `index`-th five bits.
    fn value(&self, index: usize) -> u8 {
        (0..5).fold(0, |value, bit| {
            let at = index * 5 + bit;
            (value << 1) | ((self.0[at / 8] >> (7 - at % 8)) & 1)
        })
    }

    /// From what the owner typed, however it is grouped.
    ///
    /// # Errors
    /// [`VaultError::RecoveryGroup`] for a mistyped group, [`VaultError::RecoveryWrong`] for the wrong length or a strange character.
    pub fn parse(typed: &[String]) -> Result<Self, VaultError> {
        let values = Zeroizing::new(read(&typed.concat()).ok_or(VaultError::RecoveryWrong)?);
        if values.len() != GROUPS * 5 {
            return Err(VaultError::RecoveryWrong);
        }
        let mut bytes = Zeroizing::new([0_u8; BYTES]);
        for (group, five) in values.chunks_exact(5).enumerate() {
            let four = [five[0], five[1], five[2], five[3]];
            if check(group, four) != five[4] {
                return Err(VaultError::RecoveryGroup(group));
            }
            for (place, value) in four.iter().enumerate() {
                for bit in 0..5 {
                    let at = (group * 4 + place) * 5 + bit;
                    bytes[at / 8] |= ((value >> (4 - bit)) & 1) << (7 - at % 8);
                }
            }
        }
        Ok(Self(bytes))
    }
}

/// Is `typed` the same group as `shown`, read as a person would?
pub(super) fn same_group(shown: &str, typed: &str) -> bool {
    read(shown).is_some_and(|shown| read(typed) == Some(shown))
}

/// A prime below 32, so that any changed character and any two swapped neighbours show (0 and Z read alike, nothing else does).
fn check(group: usize, values: [u8; 4]) -> u8 {
    let sum = values
        .iter()
        .enumerate()
        .map(|(place, value)| (place + 2) * usize::from(*value))
        .sum::<usize>()
        + 7 * (group + 1);
    u8::try_from(sum % 31).unwrap_or(0)
}

/// Values of the characters; spaces and dashes are left out. `None` for a character that is none of ours.
fn read(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '·' | '.' | ','))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => Some(0),
            'I' | 'L' => Some(1),
            c => ALPHABET
                .iter()
                .position(|known| char::from(*known) == c)
                .and_then(|value| u8::try_from(value).ok()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;
    use proptest::prelude::*;

    #[test]
    fn every_mistyped_character_is_found_in_its_group() {
        let groups = RecoverySecret::random(&SeededEntropy::new(11)).groups();
        for group in 0..GROUPS {
            for place in 0..5 {
                for wrong in ALPHABET.iter().map(|c| char::from(*c)) {
                    let mut typed: Vec<Vec<char>> =
                        groups.iter().map(|group| group.chars().collect()).collect();
                    let right = typed[group][place];
                    if wrong == right || matches!((wrong, right), ('0', 'Z') | ('Z', '0')) {
                        continue;
                    }
                    typed[group][place] = wrong;
                    let typed: Vec<String> = typed
                        .into_iter()
                        .map(|group| group.into_iter().collect())
                        .collect();
                    assert!(
                        matches!(RecoverySecret::parse(&typed), Err(VaultError::RecoveryGroup(found)) if found == group)
                    );
                }
            }
        }
    }

    #[test]
    fn swapped_groups_are_found() {
        let mut groups = RecoverySecret::random(&SeededEntropy::new(12)).groups();
        groups.swap(2, 5);
        assert!(matches!(
            RecoverySecret::parse(&groups),
            Err(VaultError::RecoveryGroup(2))
        ));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bytes in prop::array::uniform20(any::<u8>()), one_line: bool) {
            let secret = RecoverySecret::from_bytes(&bytes).unwrap();
            let mut typed = secret.groups();
            prop_assert_eq!(typed.len(), GROUPS);
            if one_line {
                typed = vec![typed.join(" - ").to_lowercase().replace('0', "o").replace('1', "l")];
            }
            let read = RecoverySecret::parse(&typed).unwrap();
            prop_assert_eq!(read.bytes(), &bytes);
        }

        #[test]
        fn nothing_typed_makes_it_panic(typed in prop::collection::vec(".{0,12}", 0..10)) {
            let _ = RecoverySecret::parse(&typed);
        }
    }
}
