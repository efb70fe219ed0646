//! What ran, as one JSON document for `docs/faults.md`.

use crate::trial::Blow;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Counts of a run.
pub struct Report {
    seed: u64,
    /// Processes ended.
    pub kills: usize,
    /// The same, of the trial that runs.
    pub kills_so_far: usize,
    rounds: BTreeMap<String, usize>,
    bugs: Vec<Value>,
    parsers: Vec<Value>,
}

impl Report {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            kills: 0,
            kills_so_far: 0,
            rounds: BTreeMap::new(),
            bugs: Vec::new(),
            parsers: Vec::new(),
        }
    }

    /// A round that came to its end.
    pub fn round(&mut self, blow: &Blow) {
        let kind = match blow {
            Blow::Relay => "relay killed".to_owned(),
            Blow::App(_) => "app killed".to_owned(),
            Blow::All => "relay and both apps killed".to_owned(),
            Blow::RelayAt(place, _) | Blow::AppAt(place, _) => format!("ended at {place}"),
            Blow::Line => "every connection cut".to_owned(),
            Blow::Silence => "every connection half open".to_owned(),
            Blow::Away => "both apps away".to_owned(),
            Blow::Restored => "relay restored from an older copy".to_owned(),
            Blow::Disk(words) => {
                let words: String = words.chars().filter(|c| !c.is_ascii_digit()).collect();
                format!("power cut of the relay, disk: {}", words.replace('=', ""))
            }
            Blow::AppPower(_) => "power cut of an app".to_owned(),
        };
        *self.rounds.entry(kind).or_default() += 1;
    }

    /// A planted bug, and by what it was caught.
    pub fn bug(&mut self, name: &str, what: &str, caught: Option<&str>) {
        self.bugs
            .push(json!({ "bug": name, "what": what, "caught": caught }));
    }

    /// Something that reads bytes, files of its corpus, inputs.
    pub fn parser(&mut self, name: &str, corpus: usize, inputs: u64) {
        self.parsers
            .push(json!({ "reader": name, "corpus": corpus, "inputs": inputs }));
    }

    /// Into the file that `SHOPBELL_REPORT` names.
    pub fn write(&self) {
        let Ok(path) = std::env::var("SHOPBELL_REPORT") else {
            return;
        };
        let told = json!({ "seed": self.seed, "kills": self.kills + self.kills_so_far, "rounds": self.rounds, "bugs": self.bugs, "parsers": self.parsers });
        std::fs::write(path, told.to_string()).unwrap();
    }
}
