//! Fault trials: a real relay process and two real app processes of two owners, under load, ended at seeded and at named places, cut off,
//! restored. After each: every event that got a 200 is in the raw log of its owner and nobody else's, has its effect exactly once, and
//! messages stand in platform time.
//!
//! The program is its own relay: started with `relay-process` it is one. Without words it runs the trial of the test command;
//! `SHOPBELL_KILLS`, `SHOPBELL_SEED` and `SHOPBELL_TRIAL` (`kills`, `places`, `planted`) make it a long one, with a report in
//! `SHOPBELL_REPORT` (one JSON document).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../../crates/cli/tests/cli/browser.rs"]
mod browser;
#[path = "../../crates/cli/tests/cli/chance.rs"]
mod chance;
mod check;
#[path = "../journeys/line.rs"]
mod line;
mod load;
mod parsers;
#[path = "../../crates/cli/tests/cli/profile.rs"]
mod profile;
mod relay;
mod report;
mod stories;
mod trial;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match words.first().map(String::as_str) {
        Some("relay-process") => runtime.block_on(relay::run(&words[1])),
        Some("--list") => ExitCode::SUCCESS,
        _ => runtime.block_on(stories::run()),
    }
}
