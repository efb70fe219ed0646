//! Everything that reads bytes from outside, with every file of its corpus (`tests/data/corpus/NAME/`) and with seeded damage to them:
//! nothing may panic. `SHOPBELL_FUZZ_SECONDS` goes on for so long.

use crate::{
    chance::{Chance, number},
    report::Report,
    trial::Wrong,
};
use shopbell_wire::{
    Callback, Delivery, DeviceMessage, DeviceProof, Envelope, EventKind, RelayMessage, SealedEvent,
    account_of,
};
use std::{
    panic::catch_unwind,
    path::PathBuf,
    time::{Duration, Instant},
};
use url::Url;

/// What reads, by the name of its corpus.
type Reader = (&'static str, fn(&[u8]));

const WIRE: &[Reader] = &[
    ("wire-event", |bytes| {
        let _ = EventKind::of(bytes);
        if let Ok(event) = SealedEvent::from_bytes(bytes) {
            let _ = account_of(&event.subject);
            assert_eq!(event.to_bytes(), bytes, "what is read is what was written");
        }
    }),
    ("wire-delivery", |bytes| {
        let _ = Delivery::read_all(bytes);
    }),
    ("wire-text", |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let _ = Envelope::from_compact(text);
        let _ = Callback::parse(text);
        let _ = serde_json::from_str::<RelayMessage>(text);
        let _ = serde_json::from_str::<DeviceMessage>(text);
        if let Ok(url) = Url::parse("https://relay.example/oauth/token") {
            let _ = DeviceProof::verify(text, "POST", &url, 1_790_000_000_000, 300_000);
        }
    }),
];

/// Files of a corpus; made-up bytes when there are none.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/corpus")
        .join(name);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|_| panic!("no corpus {name}"))
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "the corpus {name} is empty");
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Bytes that mean something to one parser or another.
const WORDS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"-1",
    b"1e999",
    b"9223372036854775808",
    b"\\ud83e",
    b"\xff\xfe",
    b"\0",
    b".",
    b"..",
    b"=",
    b"%00",
    b"\xf0\x9f\xa5\x90",
    b"\r\n",
    b"true",
    b"0x",
    b"messaging",
    b"entry",
    b"\"id\":",
];

fn damaged(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let pick = |chance: &mut Chance, many: usize| chance.up_to(many.max(1) as u64) as usize - 1;
    let mut bytes = seeds[pick(chance, seeds.len())].clone();
    for _ in 0..chance.up_to(4) {
        let at = pick(chance, bytes.len() + 1).min(bytes.len());
        match chance.up_to(6) {
            1 if at < bytes.len() => bytes[at] ^= 1 << (chance.up_to(8) - 1),
            2 => bytes.truncate(at),
            3 => {
                let word = WORDS[pick(chance, WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            4 => {
                let to = (at + chance.up_to(40) as usize).min(bytes.len());
                bytes.drain(at..to);
            }
            5 => {
                let to = (at + chance.up_to(200) as usize).min(bytes.len());
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let other = &seeds[pick(chance, seeds.len())];
                let from = pick(chance, other.len() + 1).min(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
    bytes
}

/// All of them.
pub fn replay(seed: u64, report: &mut Report) -> Wrong {
    let seconds = number("SHOPBELL_FUZZ_SECONDS", 0);
    let all: Vec<Reader> = WIRE
        .iter()
        .chain(shopbell_relay::parsers::ALL)
        .chain(shopbell_core::parsers::ALL)
        .copied()
        .collect();
    let share = Duration::from_secs(seconds) / all.len() as u32;
    let mut wrong = Wrong::new();
    for (name, read) in all {
        let seeds = corpus(name);
        let mut chance = Chance(seed);
        let begun = Instant::now();
        let mut tried = 0_u64;
        let mut inputs = seeds.clone().into_iter();
        while tried < 2_000 || begun.elapsed() < share {
            let bytes = inputs
                .next()
                .unwrap_or_else(|| damaged(&mut chance, &seeds));
            tried += 1;
            if catch_unwind(|| read(&bytes)).is_err() {
                let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
                wrong.push(format!("{name} panicked at input {tried}: {shown:?}"));
                break;
            }
        }
        report.parser(name, seeds.len(), tried);
    }
    wrong
}
