//! From folded runs to the words that are indexed.
//!
//! Invariant: for every way a query may match ([`super::terms`]) there is a word here that the index finds it by. Words are separated by
//! single spaces and hold no ASCII besides letters and digits, so the index's `ascii` tokenizer takes each as it is.

use super::fold::{Kind, Letter, Piece, fold, is_arabic};

/// Longer words are indexed and asked by their first letters only.
pub(super) const LONGEST: usize = 64;

/// What everything indexed for `text` is found by, together with the marks of its account and conversation.
pub fn words_of(text: &str, account: i64, conversation: i64) -> String {
    let mut words = format!(
        "{} {}",
        account_mark(account),
        conversation_mark(conversation)
    );
    write_words(&fold(text), &mut words);
    words
}

/// Words without marks, for people's names.
pub fn name_words(name: Option<&str>, username: Option<&str>) -> String {
    let mut words = String::new();
    for text in [name, username].into_iter().flatten() {
        write_words(&fold(text), &mut words);
    }
    words
}

/// The word every message of an account carries. Nobody can type it: private-use letters are never part of a folded text.
pub(super) fn account_mark(account: i64) -> String {
    format!("\u{e000}a{account}")
}

/// The word every message of a conversation carries.
pub(super) fn conversation_mark(conversation: i64) -> String {
    format!("\u{e000}c{conversation}")
}

/// The word of one picture character.
pub(super) fn symbol_word(letter: char) -> String {
    format!("\u{e002}{:x}", u32::from(letter))
}

fn write_words(pieces: &[Piece], words: &mut String) {
    let mut after_run = false;
    for piece in pieces {
        let letters = &piece.letters;
        match piece.kind {
            Kind::Word => {
                write(words, letters.iter().take(LONGEST));
                for start in stem_starts(letters) {
                    write(words, letters.iter().skip(start).take(LONGEST));
                }
            }
            Kind::Cjk => {
                if after_run {
                    // Keeps the last pair of one run and the first of the next from looking like one run.
                    words.push_str(" \u{e001}");
                }
                for pair in letters.windows(2) {
                    write(words, pair.iter());
                }
                // A single letter is asked as the start of a pair; the last one starts none.
                write(words, letters.iter().rev().take(1));
            }
            Kind::Symbol => {
                for letter in letters {
                    words.push(' ');
                    words.push_str(&symbol_word(letter.letter));
                }
            }
        }
        after_run = piece.kind == Kind::Cjk;
    }
}

fn write<'a>(words: &mut String, letters: impl Iterator<Item = &'a Letter>) {
    if !words.is_empty() {
        words.push(' ');
    }
    words.extend(letters.map(|letter| letter.letter));
}

/// Where an Arabic word begins without the little words written onto it: و ف, then ب ك ل, then ال (and لل).
/// Empty for other scripts. What is left has at least two letters after an article, three otherwise.
pub(super) fn stem_starts(letters: &[Letter]) -> Vec<usize> {
    let mut starts = Vec::new();
    if !letters.first().is_some_and(|first| is_arabic(first.letter)) {
        return starts;
    }
    let at = |index: usize| letters.get(index).map(|letter| letter.letter);
    let left = |start: usize| letters.len().saturating_sub(start);
    let and = usize::from(matches!(at(0), Some('و' | 'ف')));
    for begin in [0, and] {
        if begin > 0 && left(begin) >= 3 {
            starts.push(begin);
        }
        let preposition = usize::from(matches!(at(begin), Some('ب' | 'ك' | 'ل')));
        for begin in [begin, begin + preposition] {
            if begin > 0 && left(begin) >= 3 {
                starts.push(begin);
            }
            if at(begin) == Some('ا') && at(begin + 1) == Some('ل') && left(begin + 2) >= 2 {
                starts.push(begin + 2);
            }
        }
        if at(begin) == Some('ل') && at(begin + 1) == Some('ل') && left(begin + 2) >= 2 {
            starts.push(begin + 2);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}
