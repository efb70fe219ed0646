//! `soak`: the long trials, outside CI. Each prints its seed, so that a failure can be repeated.

use crate::run::{cargo, run as go};
use anyhow::{Context, Result, bail};

/// `soak [kills] [--kills N] [--seed S]`: a real process is killed again and again in the middle of fetching and sending; afterwards the
/// database must hold exactly what the sandbox holds.
///
/// # Errors
/// When a trial fails.
pub fn run(words: &[&str]) -> Result<()> {
    let (mut kills, mut seed) = ("500", None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "kills" => {}
            "--kills" => kills = words.next().context("--kills N")?,
            "--seed" => seed = Some(*words.next().context("--seed S")?),
            other => bail!("unknown: {other}; there is one trial: kills"),
        }
    }
    let mut trial = cargo(&[
        "test",
        "--workspace",
        "--features",
        "shopbell/embed-ui",
        "--test",
        "cli",
        "--",
        "--exact",
        "kills::nothing_is_lost_or_doubled",
        "--nocapture",
    ]);
    trial.env("SHOPBELL_KILLS", kills);
    if let Some(seed) = seed {
        trial.env("SHOPBELL_SEED", seed);
    }
    go(trial)
}
