//! Folding: what two spellings must share to be found by each other (decision T9).
//!
//! NFKC, lower case, accents and vowel points stripped, Arabic letters unified. The result remembers where in the original every
//! folded letter came from, so that hits can be marked in the text the owner wrote or received. Pure; indexing and queries use it alike.
//!
//! Marks are stripped where they are optional spelling (Latin, Greek, Cyrillic, Hebrew points, Arabic vowels), not where they carry the
//! vowel itself (Indic scripts) or another consonant (Japanese voicing).

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

/// What a run of letters is searched by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word of an alphabet: found from its start.
    Word,
    /// A run of Han, Hiragana or Katakana: found anywhere inside.
    Cjk,
    /// One picture character (emoji).
    Symbol,
}

/// A folded letter and the bytes of the original it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// Folded.
    pub letter: char,
    /// First byte in the original.
    pub start: u32,
    /// One past the last byte in the original.
    pub end: u32,
}

/// A run of letters of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// How it is searched.
    pub kind: Kind,
    /// Its letters.
    pub letters: Vec<Letter>,
}

impl Piece {
    /// The folded text.
    pub fn text(&self) -> String {
        self.letters.iter().map(|letter| letter.letter).collect()
    }
}

/// Folds a text into its searchable runs, in order.
pub fn fold(text: &str) -> Vec<Piece> {
    let mut folder = Folder {
        pieces: Vec::new(),
        open: false,
    };
    for (at, cluster) in text.grapheme_indices(true) {
        let start = u32::try_from(at).unwrap_or(u32::MAX);
        let end = u32::try_from(at + cluster.len()).unwrap_or(u32::MAX);
        let mut letters = cluster.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_ascii() => {
                folder.push(letter.to_ascii_lowercase(), start, end);
            }
            _ => {
                for composed in cluster.nfkc() {
                    if is_cjk(composed) || is_hangul(composed) {
                        folder.push(composed, start, end);
                        continue;
                    }
                    for letter in composed.to_lowercase().nfd() {
                        if !is_optional_mark(letter) {
                            folder.push(unify(letter), start, end);
                        }
                    }
                }
            }
        }
    }
    folder.pieces
}

struct Folder {
    pieces: Vec<Piece>,
    open: bool,
}

impl Folder {
    fn push(&mut self, letter: char, start: u32, end: u32) {
        let kind = match letter {
            _ if is_invisible(letter) => return,
            _ if is_cjk(letter) => Kind::Cjk,
            _ if letter.is_alphanumeric() || is_combining_mark(letter) => Kind::Word,
            _ if is_symbol(letter) => Kind::Symbol,
            _ => {
                self.open = false;
                return;
            }
        };
        let letter = Letter { letter, start, end };
        match self.pieces.last_mut() {
            Some(last) if self.open && last.kind == kind && kind != Kind::Symbol => {
                last.letters.push(letter)
            }
            _ => self.pieces.push(Piece {
                kind,
                letters: vec![letter],
            }),
        }
        self.open = true;
    }
}

/// Chinese and Japanese letters. Korean is written with spaces and counts as words.
pub(super) fn is_cjk(letter: char) -> bool {
    matches!(letter,
        '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}' | '\u{303b}'
        | '\u{3041}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_hangul(letter: char) -> bool {
    matches!(letter, '\u{ac00}'..='\u{d7a3}')
}

/// Arabic letters, as far as clitics are written with them.
pub(super) fn is_arabic(letter: char) -> bool {
    matches!(letter, '\u{0620}'..='\u{064a}' | '\u{066e}'..='\u{06d3}')
}

fn is_symbol(letter: char) -> bool {
    matches!(letter, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Changes nothing a person would search for: joiners, direction marks, variation selectors, skin tones, tatweel.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e01ef}')
}

fn is_optional_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}'
        | '\u{5c4}' | '\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}'
        | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Letters that people write for one another. Hamza seats lose their hamza as a stripped mark before they come here.
fn unify(letter: char) -> char {
    match letter {
        '\u{671}'..='\u{673}' | '\u{675}' => '\u{627}',
        '\u{649}' | '\u{6cc}' | '\u{6d2}' => '\u{64a}',
        '\u{629}' | '\u{6c0}'..='\u{6c3}' | '\u{6d5}' => '\u{647}',
        '\u{6a9}' => '\u{643}',
        '\u{660}'..='\u{669}' => digit(letter, 0x660),
        '\u{6f0}'..='\u{6f9}' => digit(letter, 0x6f0),
        'ς' => 'σ',
        other => other,
    }
}

fn digit(letter: char, zero: u32) -> char {
    char::from_digit(u32::from(letter).wrapping_sub(zero), 10).unwrap_or(letter)
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
