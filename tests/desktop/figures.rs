//! The window's figures: start, memory, idle processor time; the real program with a million and with a thousand messages against a bare
//! window, interleaved, in one run. One JSON object per row on standard output.
//!
//! Runs inside a session bus of its own (`cargo xtask bench` sees to that) and brings display and keychain itself.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code)]
mod processes;

use processes::{Running, display, keychain, root};
use serde_json::json;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Interleaved rounds; the median of each is taken.
const ROUNDS: usize = 9;
/// How long the processor time of an idle window is watched.
const IDLE: Duration = Duration::from_secs(20);

/// One program to start.
struct Candidate {
    name: &'static str,
    program: PathBuf,
    profile: Option<PathBuf>,
}

/// What one start showed.
#[derive(Default)]
struct Seen {
    start_ms: Vec<f64>,
    memory_kb: Vec<f64>,
    idle_percent: Vec<f64>,
}

fn main() {
    let wanted = std::env::args().skip(1).find(|word| word != "--bench");
    if wanted.is_some_and(|name| !["start", "memory", "idle"].iter().any(|own| own.starts_with(&name) || name.starts_with(own))) {
        return;
    }
    let quick = std::env::var("SHOPBELL_BENCH_QUICK").is_ok_and(|value| !value.is_empty());
    let many = if quick { 100_000 } else { 1_000_000 };
    let (_screen, number) = display(1280, 800);
    let mut environment = vec![("DISPLAY".to_owned(), number)];
    keychain(&environment);
    let mut manager = Command::new("openbox");
    manager.arg("--config-file").arg(root().join("tests/desktop/openbox.xml")).envs(environment.iter().cloned());
    let _manager = Running(manager.spawn().unwrap());
    environment.push(("SHOPBELL_TIMINGS".into(), "1".into()));

    let folder = tempfile::Builder::new().prefix("shopbell-figures-").tempdir_in(root().join("target")).unwrap();
    let candidates = [
        Candidate { name: "bare", program: released("examples/bare"), profile: None },
        Candidate { name: "few", program: released("shopbell"), profile: Some(made(folder.path(), 1_000)) },
        Candidate { name: "many", program: released("shopbell"), profile: Some(made(folder.path(), many)) },
    ];
    let mut seen: Vec<Seen> = candidates.iter().map(|_| Seen::default()).collect();
    for round in 0..=ROUNDS {
        for (candidate, seen) in candidates.iter().zip(&mut seen) {
            let (start_ms, mut child) = start(candidate, &environment);
            // The first round warms the disk cache for all alike.
            if round > 0 {
                seen.start_ms.push(start_ms);
            }
            if round == ROUNDS {
                std::thread::park_timeout(Duration::from_secs(5));
                seen.memory_kb.push(memory_kb(child.0.id()));
                seen.idle_percent.push(idle_percent(child.0.id()));
            }
            let _ = child.0.kill();
            let _ = child.0.wait();
        }
    }
    let of = |at: usize, pick: fn(&mut Seen) -> &mut Vec<f64>, seen: &mut Vec<Seen>| median(pick(&mut seen[at]));
    let (bare, few, many_ms) = (of(0, |s| &mut s.start_ms, &mut seen), of(1, |s| &mut s.start_ms, &mut seen), of(2, |s| &mut s.start_ms, &mut seen));
    row("start_many_against_bare", many_ms, "ms", Some(bare), Some(1.7), many_ms / bare <= 1.7, quick);
    row("start_many_against_few", many_ms, "ms", Some(few), Some(1.1), many_ms / few <= 1.1 || many_ms - few <= 80.0, quick);
    let (bare, few, many_kb) = (of(0, |s| &mut s.memory_kb, &mut seen), of(1, |s| &mut s.memory_kb, &mut seen), of(2, |s| &mut s.memory_kb, &mut seen));
    row("memory_many_against_bare", many_kb / 1024.0, "MB", Some(bare / 1024.0), Some(1.6), many_kb / bare <= 1.6, quick);
    let more = (many_kb - few) / 1024.0;
    println!("{}", json!({ "issue": 2, "name": "memory_many_more_than_few", "value": more, "unit": "MB", "baseline": few / 1024.0, "ratio": null, "bar": "<= 12", "on": "value", "holds": more <= 12.0, "quick": quick }));
    let idle = of(2, |s| &mut s.idle_percent, &mut seen);
    println!("{}", json!({ "issue": 2, "name": "idle_processor", "value": idle, "unit": "%", "baseline": null, "ratio": null, "bar": "<= 0.5", "on": "value", "holds": idle <= 0.5, "quick": quick }));
}

fn row(name: &str, value: f64, unit: &str, baseline: Option<f64>, bar: Option<f64>, holds: bool, quick: bool) {
    let ratio = baseline.map(|baseline| value / baseline);
    let bar = bar.map_or_else(|| "none".into(), |bar| format!("<= {bar}"));
    println!("{}", json!({ "issue": 2, "name": name, "value": value, "unit": unit, "baseline": baseline, "ratio": ratio, "bar": bar, "on": "ratio", "holds": holds, "quick": quick }));
}

fn released(name: &str) -> PathBuf {
    root().join("target/release").join(name)
}

/// A profile made by the core itself; its key goes into this session's keychain.
fn made(folder: &Path, messages: u64) -> PathBuf {
    let profile = folder.join(format!("profile-{messages}"));
    eprintln!("making {messages} messages");
    let mut make = Command::new("cargo");
    make.current_dir(root())
        .args(["bench", "--quiet", "--package", "shopbell-core", "--bench", "figures", "--", "make-profile"])
        .arg(&profile)
        .arg(messages.to_string());
    assert!(make.status().unwrap().success());
    profile
}

/// Starts and waits for the first picture.
fn start(candidate: &Candidate, environment: &[(String, String)]) -> (f64, Running) {
    let mut command = Command::new(&candidate.program);
    command.envs(environment.iter().cloned()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(profile) = &candidate.profile {
        command.env("SHOPBELL_PROFILE_DIR", profile);
    }
    let begin = Instant::now();
    let mut child = Running(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("first_paint"), "{} ended before its first picture", candidate.name);
    (begin.elapsed().as_secs_f64() * 1000.0, child)
}

/// The process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let after = stat.rsplit(')').next().unwrap_or_default().to_owned();
        if let Some(parent) = after.split_whitespace().nth(1).and_then(|parent| parent.parse::<u32>().ok()) {
            parents.push((id, parent));
        }
    }
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        let here = found[at];
        found.extend(parents.iter().filter(|(_, parent)| *parent == here).map(|(id, _)| *id));
        at += 1;
    }
    found
}

/// Proportional set size of the process tree.
fn memory_kb(root: u32) -> f64 {
    tree(root)
        .iter()
        .filter_map(|id| fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok())
        .filter_map(|text| text.lines().find(|line| line.starts_with("Pss:"))?.split_whitespace().nth(1)?.parse::<f64>().ok())
        .sum()
}

/// Clock ticks used by the process tree.
fn ticks(root: u32) -> f64 {
    tree(root)
        .iter()
        .filter_map(|id| fs::read_to_string(format!("/proc/{id}/stat")).ok())
        .map(|stat| {
            let after = stat.rsplit(')').next().unwrap_or_default().to_owned();
            after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        })
        .sum()
}

/// Share of one processor while nobody does anything; Linux counts 100 ticks a second.
fn idle_percent(root: u32) -> f64 {
    let before = ticks(root);
    std::thread::park_timeout(IDLE);
    (ticks(root) - before) / IDLE.as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
