//! The conversation texts and how they are read. A file holds episodes:
//!
//! ```text
//! == name language [main|small] [ig]
//! c what the customer writes
//! b what the business answers
//! +2h c the same, two hours later (m, h, d)
//! c [cake]            a picture; also [voice] [pdf] [sticker] [story] text [mention] [share] link
//! r ❤                 the other side reacts to the line above
//! ```
//!
//! `{first}` is the customer's name, `{one|two}` a choice, `{$x:one|two}` a choice that `{$x}` repeats.

use crate::chance::Chance;
use crate::clock::{DAY, HOUR, MINUTE};

/// One line of an episode.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) by: By,
    /// How long after the line before; `None` = a usual pause.
    pub(crate) gap_ms: Option<i64>,
    /// What is in brackets.
    pub(crate) mark: Option<String>,
    pub(crate) text: String,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Customer,
    Business,
    /// The other side reacts to the line above.
    Reaction,
}

/// A short coherent exchange.
#[derive(Clone, Debug)]
pub(crate) struct Episode {
    pub(crate) trade: &'static str,
    pub(crate) name: String,
    pub(crate) language: String,
    /// Worth being the newest thing in a conversation.
    pub(crate) main: bool,
    /// Makes sense on Instagram only.
    pub(crate) instagram_only: bool,
    pub(crate) lines: Vec<Line>,
}

const FILES: [(&str, &str); 3] = [
    ("bakery", include_str!("../../data/bakery.txt")),
    ("boutique", include_str!("../../data/boutique.txt")),
    ("bikes", include_str!("../../data/bikes.txt")),
];

/// Reads all texts; the error names file and line.
pub(crate) fn library() -> Result<Vec<Episode>, String> {
    let mut episodes = Vec::new();
    for (trade, text) in FILES {
        read(trade, text, &mut episodes)?;
    }
    Ok(episodes)
}

fn read(trade: &'static str, text: &str, episodes: &mut Vec<Episode>) -> Result<(), String> {
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("{trade}.txt, line {}: {line}", index + 1);
        if let Some(head) = line.strip_prefix("== ") {
            let mut words = head.split_whitespace();
            let (Some(name), Some(language)) = (words.next(), words.next()) else {
                return Err(place());
            };
            let twice = |other: &Episode| other.trade == trade && other.name == name;
            if episodes.iter().any(twice) {
                return Err(place());
            }
            let flags: Vec<&str> = words.collect();
            episodes.push(Episode {
                trade,
                name: name.into(),
                language: language.into(),
                main: flags.contains(&"main"),
                instagram_only: flags.contains(&"ig"),
                lines: Vec::new(),
            });
            continue;
        }
        let line = spoken(line).ok_or_else(place)?;
        episodes.last_mut().ok_or_else(place)?.lines.push(line);
    }
    Ok(())
}

fn spoken(line: &str) -> Option<Line> {
    let (gap_ms, rest) = match line.strip_prefix('+') {
        Some(rest) => {
            let (gap, rest) = rest.split_once(' ')?;
            let unit = match gap.chars().last()? {
                'm' => MINUTE,
                'h' => HOUR,
                'd' => DAY,
                _ => return None,
            };
            let count: i64 = gap.get(..gap.len() - 1)?.parse().ok()?;
            (Some(count * unit), rest)
        }
        None => (None, line),
    };
    let (who, rest) = rest.split_once(' ')?;
    let by = match who {
        "c" => By::Customer,
        "b" => By::Business,
        "r" => By::Reaction,
        _ => return None,
    };
    let rest = rest.trim();
    let (mark, text) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((mark, text)) => (Some(mark.to_owned()), text.trim()),
        None => (None, rest),
    };
    Some(Line {
        by,
        gap_ms,
        mark,
        text: text.to_owned(),
    })
}

/// Choices made so far in one episode.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    chosen: Vec<(String, String)>,
}

/// Fills the slots of a line.
pub(crate) fn fill(text: &str, first: &str, slots: &mut Slots, chance: &mut Chance) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((slot, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        out.push_str(&filled(slot, first, slots, chance));
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn filled(slot: &str, first: &str, slots: &mut Slots, chance: &mut Chance) -> String {
    if slot == "first" {
        return first.to_owned();
    }
    let (name, options) = match slot.strip_prefix('$') {
        Some(named) => match named.split_once(':') {
            Some((name, options)) => (Some(name), options),
            None => {
                let chosen = slots.chosen.iter().find(|(name, _)| name == named);
                return chosen.map(|(_, value)| value.clone()).unwrap_or_default();
            }
        },
        None => (None, slot),
    };
    let options: Vec<&str> = options.split('|').collect();
    let value = chance
        .pick(&options)
        .copied()
        .unwrap_or_default()
        .to_owned();
    if let Some(name) = name {
        slots.chosen.push((name.to_owned(), value.clone()));
    }
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_text_parses_and_reads_like_an_exchange() {
        let library = library().unwrap();
        let mut names = HashSet::new();
        for episode in &library {
            let place = format!("{} {}", episode.trade, episode.name);
            assert!(
                names.insert((episode.trade, episode.name.clone())),
                "{place} twice"
            );
            assert!(episode.lines.len() >= 3, "{place} is too short");
            assert_eq!(
                episode.lines[0].by,
                By::Customer,
                "{place} begins with the business"
            );
            assert!(
                episode.lines.iter().any(|line| line.by == By::Business),
                "{place} has no answer"
            );
            for line in &episode.lines {
                let mut slots = Slots { chosen: vec![] };
                let text = fill(&line.text, "Ana", &mut slots, &mut Chance::seeded("x"));
                assert!(
                    !text.contains('{') && !text.contains('}'),
                    "{place}: {text}"
                );
            }
        }
    }

    #[test]
    fn a_named_choice_is_repeated() {
        let mut slots = Slots::default();
        let text = fill(
            "{$x:a|b|c} {$x} {$x} {first}",
            "Ana",
            &mut slots,
            &mut Chance::seeded("s"),
        );
        let words: Vec<&str> = text.split(' ').collect();
        assert!(words[0] == words[1] && words[1] == words[2] && words[3] == "Ana");
    }
}
