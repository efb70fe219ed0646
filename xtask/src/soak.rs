//! `soak`: the long trials, outside CI. Each prints its seed, so that a failure can be repeated.

use crate::run::{cargo, command, root, run as go};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write as _;

/// `soak [kills] [--kills N] [--seed S]`: a real process is killed again and again in the middle of fetching and sending; afterwards the
/// database must hold exactly what the sandbox holds.
///
/// `soak relay [--kills N] [--cuts N] [--planted] [--seed S]`: relay and apps are killed, cut off and stopped at every named place under
/// load; with `--planted` every planted bug has to be caught. Writes `docs/faults.md`.
///
/// `soak fuzz [--minutes N]`: damaged input for everything that reads bytes from outside.
///
/// # Errors
/// When a trial fails.
pub fn run(words: &[&str]) -> Result<()> {
    match words {
        ["fuzz", rest @ ..] => fuzz(rest),
        ["relay", rest @ ..] => relay(rest),
        ["kills", rest @ ..] | rest => kills(rest),
    }
}

fn kills(words: &[&str]) -> Result<()> {
    let (mut kills, mut seed) = ("500", None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--kills" => kills = words.next().context("--kills N")?,
            "--seed" => seed = Some(*words.next().context("--seed S")?),
            other => bail!("unknown: {other}; there are three trials: kills, relay, fuzz"),
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

fn relay(words: &[&str]) -> Result<()> {
    let (mut kills, mut cuts, mut seed, mut trials) =
        ("500", "200", None, "parsers kills places cuts".to_owned());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--kills" => kills = words.next().context("--kills N")?,
            "--cuts" => cuts = words.next().context("--cuts N")?,
            "--seed" => seed = Some(*words.next().context("--seed S")?),
            "--planted" => trials.push_str(" planted"),
            other => bail!("unknown: {other}; --kills N, --cuts N, --planted, --seed S"),
        }
    }
    let told = root().join("target/faults.json");
    let _ = std::fs::remove_file(&told);
    let mut trial = cargo(&[
        "test",
        "--workspace",
        "--features",
        FEATURES,
        "--test",
        "faults",
    ]);
    trial
        .env("SHOPBELL_KILLS", kills)
        .env("SHOPBELL_CUTS", cuts)
        .env("SHOPBELL_TRIAL", &trials)
        .env("SHOPBELL_REPORT", &told);
    if let Some(seed) = seed {
        trial.env("SHOPBELL_SEED", seed);
    }
    let outcome = go(trial);
    // What ran is told, also when it ended badly.
    if told.exists() {
        write_report(&serde_json::from_slice(&std::fs::read(&told)?)?, &outcome)?;
    }
    outcome
}

/// Damaged input for everything that reads bytes from outside, for so many minutes.
fn fuzz(words: &[&str]) -> Result<()> {
    let minutes: u64 = match words {
        [] => 10,
        ["--minutes", minutes] => minutes.parse().context("--minutes N")?,
        _ => bail!("soak fuzz [--minutes N]"),
    };
    let mut trial = cargo(&[
        "test",
        "--workspace",
        "--features",
        FEATURES,
        "--test",
        "faults",
    ]);
    trial
        .env("SHOPBELL_TRIAL", "parsers")
        .env("SHOPBELL_FUZZ_SECONDS", (minutes * 60).to_string());
    go(trial)
}

/// The list of features that everything is built and tested with.
pub const FEATURES: &str = "shopbell/embed-ui,shopbell-cli/planted";

fn write_report(told: &Value, outcome: &Result<()>) -> Result<()> {
    let git = command("git", &["log", "-1", "--format=%h, %cI"]).output()?;
    let commit = String::from_utf8_lossy(&git.stdout).trim().to_owned();
    let mut out = String::from(
        "# Fault trials\n\nWritten by `cargo xtask soak relay`; what the trial does stands in `tests/faults`. A real relay process and the real app \
         processes of two owners, under load of signed events that come twice, out of order and before what they speak of. After each of \
         the rounds below: every event that got a 200 is in its owner's raw log and nobody else's and has its effect exactly once; messages \
         stand in platform time; receipts do not go back; what no app understands is there as failed.\n\n",
    );
    writeln!(
        out,
        "Last commit before the run: {commit}. Seed {}. ",
        told["seed"]
    )?;
    writeln!(
        out,
        "{} processes ended in the middle. {}\n",
        told["kills"],
        if outcome.is_ok() {
            "Everything held."
        } else {
            "**The run ended with a failure.**"
        }
    )?;
    writeln!(out, "| what went wrong on purpose | rounds |\n|---|---|")?;
    for (what, rounds) in told["rounds"].as_object().into_iter().flatten() {
        writeln!(out, "| {what} | {rounds} |")?;
    }
    let bugs = told["bugs"].as_array().filter(|bugs| !bugs.is_empty());
    if let Some(bugs) = bugs {
        let caught = bugs.iter().filter(|bug| bug["caught"].is_string()).count();
        writeln!(
            out,
            "\n## Planted bugs\n\n{caught} of {} are caught. Each is one line that a build with the feature `planted` can be told to get wrong.\n",
            bugs.len()
        )?;
        writeln!(
            out,
            "| bug | what is wrong then | caught by |\n|---|---|---|"
        )?;
        for bug in bugs {
            let caught = bug["caught"].as_str().unwrap_or("**not caught**");
            let text = |name: &str| bug[name].as_str().unwrap_or_default().to_owned();
            writeln!(
                out,
                "| `{}` | {} | {} |",
                text("bug"),
                text("what"),
                caught.replace('|', "/")
            )?;
        }
    }
    let readers = told["parsers"].as_array().filter(|all| !all.is_empty());
    if let Some(readers) = readers {
        writeln!(
            out,
            "\n## What reads bytes from outside\n\n| reader | files of its corpus | inputs, none of which made it panic |\n|---|---|---|"
        )?;
        for one in readers {
            let name = one["reader"].as_str().unwrap_or_default();
            writeln!(out, "| {name} | {} | {} |", one["corpus"], one["inputs"])?;
        }
    }
    std::fs::write(root().join("docs/faults.md"), out)?;
    Ok(())
}
