//! What the owner typed, as terms that must all match: word starts for alphabets, anywhere for Chinese and Japanese.
//!
//! The same terms are matched twice: by the index (through [`Terms::expression`]) and on the original text (through [`Terms::marks`]),
//! which also is the plain statement of what "found" means. Tests hold the two against each other.
//! A single Chinese or Japanese letter is a term too: the index holds it as the start of a pair or the end of a run.

use super::{
    fold::{Kind, Letter, Piece, fold},
    words::{LONGEST, account_mark, conversation_mark, stem_starts, symbol_word},
};

/// More terms than a person types; the rest is left out, which can only find more.
const MOST: usize = 12;

/// One thing that must be in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A word beginning like this.
    Start(String),
    /// A run containing this.
    Inside(String),
    /// This picture character.
    Symbol(char),
}

/// All of them must match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms(pub Vec<Term>);

impl Terms {
    /// From what was typed. Empty when there is nothing to look for in it.
    pub fn parse(text: &str) -> Self {
        let mut terms: Vec<Term> = Vec::new();
        for piece in fold(text) {
            let term = match piece.kind {
                Kind::Word => Term::Start(
                    piece
                        .letters
                        .iter()
                        .take(LONGEST)
                        .map(|letter| letter.letter)
                        .collect(),
                ),
                Kind::Cjk => Term::Inside(piece.text()),
                Kind::Symbol => match piece.letters.first() {
                    Some(letter) => Term::Symbol(letter.letter),
                    None => continue,
                },
            };
            if !terms.contains(&term) && terms.len() < MOST {
                terms.push(term);
            }
        }
        Self(terms)
    }

    /// Is there nothing to look for?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The FTS5 expression, narrowed to an account or conversation. Terms hold letters and digits only, so nothing needs escaping.
    pub fn expression(&self, account: Option<i64>, conversation: Option<i64>) -> String {
        self.expression_with(account, conversation, |_| None)
    }

    /// As [`Terms::expression`]; `words` may answer all the words that begin like a term. Naming them lets the index walk each list from
    /// its newest end, where a word start makes it merge all of them first.
    pub fn expression_with(
        &self,
        account: Option<i64>,
        conversation: Option<i64>,
        words: impl Fn(&str) -> Option<Vec<String>>,
    ) -> String {
        let marks = conversation
            .map(conversation_mark)
            .into_iter()
            .chain(account.map(account_mark));
        let mut parts: Vec<String> = marks.map(|mark| format!("\"{mark}\"")).collect();
        parts.extend(self.0.iter().map(|term| match term {
            Term::Start(start) => match words(start).filter(|words| !words.is_empty()) {
                Some(words) => {
                    let named: Vec<String> =
                        words.iter().map(|word| format!("\"{word}\"")).collect();
                    format!("({})", named.join(" OR "))
                }
                None => term.expression(),
            },
            _ => term.expression(),
        }));
        parts.join(" AND ")
    }

    /// Where the terms are in a text, as byte ranges of the original in order, overlaps joined. `None` when one of them is not there.
    pub fn marks(&self, text: &str) -> Option<Vec<(usize, usize)>> {
        let pieces = fold(text);
        let mut marks = Vec::new();
        for term in &self.0 {
            let before = marks.len();
            for piece in &pieces {
                term.find(piece, &mut marks);
            }
            if marks.len() == before {
                return None;
            }
        }
        marks.sort_unstable();
        let mut joined: Vec<(usize, usize)> = Vec::with_capacity(marks.len());
        for (start, end) in marks {
            match joined.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        Some(joined)
    }
}

impl Term {
    fn expression(&self) -> String {
        match self {
            Self::Start(word) => format!("\"{word}\" *"),
            Self::Symbol(letter) => format!("\"{}\"", symbol_word(*letter)),
            Self::Inside(run) => {
                let letters: Vec<char> = run.chars().collect();
                match letters.as_slice() {
                    [single] => format!("\"{single}\" *"),
                    many => {
                        let pairs: Vec<String> =
                            many.windows(2).map(|pair| pair.iter().collect()).collect();
                        format!("\"{}\"", pairs.join(" "))
                    }
                }
            }
        }
    }

    fn find(&self, piece: &Piece, marks: &mut Vec<(usize, usize)>) {
        let letters = &piece.letters;
        match (self, piece.kind) {
            (Self::Start(word), Kind::Word) => {
                let found = std::iter::once(0)
                    .chain(stem_starts(letters))
                    .find_map(|start| starts(&letters[start..], word));
                marks.extend(found);
            }
            (Self::Inside(run), Kind::Cjk) => {
                marks.extend((0..letters.len()).filter_map(|start| starts(&letters[start..], run)));
            }
            (Self::Symbol(wanted), Kind::Symbol)
                if letters
                    .first()
                    .is_some_and(|letter| letter.letter == *wanted) =>
            {
                marks.extend(range(letters));
            }
            _ => {}
        }
    }
}

fn starts(letters: &[Letter], wanted: &str) -> Option<(usize, usize)> {
    let mut count = 0;
    for letter in wanted.chars() {
        if letters.get(count)?.letter != letter {
            return None;
        }
        count += 1;
    }
    range(letters.get(..count)?)
}

fn range(letters: &[Letter]) -> Option<(usize, usize)> {
    Some((
        letters.first()?.start as usize,
        letters.last()?.end as usize,
    ))
}

#[cfg(test)]
#[path = "terms_tests.rs"]
mod tests;
