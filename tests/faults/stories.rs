//! Which trials there are, in which order, with which seeds.

use crate::{
    chance::{Chance, number},
    report::Report,
    trial::{Blow, Trial, Wrong},
};
use std::{process::ExitCode, time::Instant};

/// Seed of the test command.
const SEED: u64 = 20_261_120;

/// Every named place of both programs.
fn places() -> Vec<Blow> {
    let relay = shopbell_relay::planted::PLACES.iter();
    let app = shopbell_core::planted::PLACES.iter();
    relay
        .map(|(place, _)| Blow::RelayAt(place, 2))
        .chain(app.map(|(place, _)| Blow::AppAt(place, nth(place))))
        .collect()
}

/// Once per connection, so the first passing is the one.
fn nth(place: &str) -> u64 {
    match place {
        "app.greeted" | "app.ready" => 1,
        _ => 2,
    }
}

fn some_blow(chance: &mut Chance) -> Blow {
    match chance.up_to(10) {
        1..=4 => Blow::Relay,
        5 => Blow::App(0),
        6..=7 => Blow::App(1),
        8 => Blow::All,
        9 => Blow::Line,
        _ => Blow::Away,
    }
}

/// Runs what the variables ask for.
pub async fn run() -> ExitCode {
    let seed = number("SHOPBELL_SEED", SEED);
    let kills = number("SHOPBELL_KILLS", 25);
    let wanted =
        std::env::var("SHOPBELL_TRIAL").unwrap_or_else(|_| "parsers kills places cuts".into());
    println!("SHOPBELL_SEED={seed} SHOPBELL_KILLS={kills} SHOPBELL_TRIAL='{wanted}'");
    let mut report = Report::new(seed);
    let mut good = true;
    for word in wanted.split_whitespace() {
        let begun = Instant::now();
        let wrong = match word {
            "kills" => kill(seed, kills as usize, &mut report).await,
            "places" => stop_at_places(seed, &mut report).await,
            "cuts" => cut_power(seed, &mut report).await,
            "parsers" => crate::parsers::replay(seed, &mut report),
            "planted" => hunt(seed, &mut report).await,
            other => vec![format!("there is no trial {other}")],
        };
        let seconds = begun.elapsed().as_secs();
        println!(
            "{word}: {} in {seconds} s",
            if wrong.is_empty() { "good" } else { "NOT GOOD" }
        );
        for line in &wrong {
            println!("  {line}");
        }
        good &= wrong.is_empty();
    }
    report.write();
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn kill(seed: u64, kills: usize, report: &mut Report) -> Wrong {
    let mut chance = Chance(seed);
    let mut trial = Trial::begin(seed, Vec::new()).await;
    let mut rounds = 0;
    while trial.kills < kills {
        let blow = some_blow(&mut chance);
        let wrong = trial.round(&blow).await;
        rounds += 1;
        report.round(&blow);
        report.kills_so_far = trial.kills;
        report.write();
        if !wrong.is_empty() {
            return said(&format!("round {rounds}, {blow:?}"), wrong);
        }
    }
    for last in [Blow::Silence, Blow::Restored] {
        let wrong = trial.round(&last).await;
        report.round(&last);
        if !wrong.is_empty() {
            return said(&format!("{last:?}"), wrong);
        }
    }
    report.kills_so_far = 0;
    report.kills += trial.kills;
    trial.end().await;
    Wrong::new()
}

async fn stop_at_places(seed: u64, report: &mut Report) -> Wrong {
    let mut trial = Trial::begin(seed, Vec::new()).await;
    for blow in places() {
        let wrong = trial.round(&blow).await;
        report.round(&blow);
        if !wrong.is_empty() {
            return said(&format!("{blow:?}"), wrong);
        }
    }
    report.kills += trial.kills;
    trial.end().await;
    Wrong::new()
}

/// The power goes, or the disk fails, and then it goes.
async fn cut_power(seed: u64, report: &mut Report) -> Wrong {
    let mut chance = Chance(seed);
    let mut trial = Trial::begin(seed, Vec::new()).await;
    for round in 0..number("SHOPBELL_CUTS", 6) {
        let blow = match round % 6 {
            0 | 3 => Blow::Disk("hold".into()),
            1 => Blow::AppPower(chance.up_to(2) as usize - 1),
            2 => Blow::Disk(format!("hold,fail-sync={}", 3 + chance.up_to(12))),
            4 => Blow::Disk(format!(
                "hold,full-after={}",
                4_096 * (4 + chance.up_to(20))
            )),
            _ => Blow::Disk(format!("hold,fail-write={}", 20 + chance.up_to(60))),
        };
        let wrong = trial.round(&blow).await;
        report.round(&blow);
        if !wrong.is_empty() {
            return said(&format!("cut {round}, {blow:?}"), wrong);
        }
    }
    report.kills += trial.kills;
    trial.end().await;
    Wrong::new()
}

/// Every planted bug, one after the other: a bug that nothing catches is a hole in the trial.
async fn hunt(seed: u64, report: &mut Report) -> Wrong {
    let bugs = shopbell_relay::planted::BUGS
        .iter()
        .chain(shopbell_core::planted::BUGS);
    let only = std::env::var("SHOPBELL_BUG").ok();
    let mut missed = Wrong::new();
    // Without any bug nothing may be caught, or the catches below mean nothing.
    if only.is_none()
        && let Some(wrong) = caught(seed, "none").await
    {
        return vec![format!("caught where no bug was: {wrong}")];
    }
    for (bug, what) in bugs.filter(|(bug, _)| only.as_deref().is_none_or(|only| only == *bug)) {
        let caught = caught(seed, bug).await;
        println!("{bug}: {}", caught.as_deref().unwrap_or("NOT CAUGHT"));
        report.bug(bug, what, caught.as_deref());
        report.write();
        if caught.is_none() {
            missed.push(format!("{bug} was not caught"));
        }
    }
    // The issue allows one; the report names it.
    if missed.len() > 1 {
        missed
    } else {
        Wrong::new()
    }
}

/// By what a bug shows, within a few rounds.
async fn caught(seed: u64, bug: &str) -> Option<String> {
    let always = vec![("SHOPBELL_PLANTED", bug.to_owned())];
    let mut trial = Trial::begin(seed, always).await;
    let blows = [
        Blow::Line,
        Blow::AppAt("app.before_commit", 2),
        Blow::Relay,
        Blow::Away,
        Blow::All,
        Blow::AppAt("app.before_commit", 3),
        Blow::Relay,
        Blow::Disk("hold,fail-sync=8".into()),
        Blow::Disk("hold,full-after=40960".into()),
        Blow::Restored,
    ];
    for blow in blows {
        let wrong = trial.round(&blow).await;
        if let Some(first) = wrong.first() {
            return Some(format!("{blow:?}: {first}"));
        }
    }
    trial.end().await;
    None
}

fn said(when: &str, wrong: Wrong) -> Wrong {
    wrong
        .into_iter()
        .map(|line| format!("{when}: {line}"))
        .collect()
}
