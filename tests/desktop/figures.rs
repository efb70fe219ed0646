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
/// In the first row of the list.
const ROW: &str = "200x40+290+100";
/// After a start, before memory is looked at.
const SETTLE: Duration = Duration::from_secs(5);

/// One program to start.
struct Candidate {
    name: &'static str,
    program: PathBuf,
    profile: Option<PathBuf>,
    /// A part of the display that holds text once it is painted; of ours the first row of the list.
    part: &'static str,
}

/// What the starts of one program showed.
#[derive(Default)]
struct Seen {
    /// To the first picture on the display; of ours: with the first row of the inbox.
    start_ms: Vec<f64>,
    /// To the first row looking chosen, by a key pressed as soon as it was there.
    key_ms: Vec<f64>,
    memory_mb: f64,
    idle_percent: f64,
}

fn main() {
    let wanted = std::env::args().skip(1).find(|word| word != "--bench");
    if wanted.is_some_and(|name| {
        !["start", "memory", "idle"]
            .iter()
            .any(|own| own.starts_with(&name) || name.starts_with(own))
    }) {
        return;
    }
    let quick = std::env::var("SHOPBELL_BENCH_QUICK").is_ok_and(|value| !value.is_empty());
    let many = if quick { 100_000 } else { 1_000_000 };
    let (_screen, number) = display(1280, 800);
    let mut environment = vec![("DISPLAY".to_owned(), number)];
    keychain(&environment);
    let mut manager = Command::new("openbox");
    manager
        .arg("--config-file")
        .arg(root().join("tests/desktop/openbox.xml"))
        .envs(environment.iter().cloned());
    let _manager = Running(manager.spawn().unwrap());
    environment.push(("SHOPBELL_TIMINGS".into(), "1".into()));

    let folder = tempfile::Builder::new()
        .prefix("shopbell-figures-")
        .tempdir_in(root().join("target"))
        .unwrap();
    let candidates = [
        Candidate {
            name: "bare",
            program: released("examples/bare"),
            profile: None,
            part: "64x40+0+0",
        },
        Candidate {
            name: "few",
            program: released("shopbell"),
            profile: Some(made(folder.path(), 1_000)),
            part: ROW,
        },
        Candidate {
            name: "many",
            program: released("shopbell"),
            profile: Some(made(folder.path(), many)),
            part: ROW,
        },
    ];
    let mut seen: [Seen; 3] = Default::default();
    for round in 0..=ROUNDS {
        for (candidate, seen) in candidates.iter().zip(&mut seen) {
            let begin = Instant::now();
            let mut child = start(candidate, &environment);
            let shown = until(&environment, candidate.part, |now| painted(now));
            let start_ms = since(begin);
            let key_ms = candidate.profile.is_some().then(|| {
                press(&environment, "j");
                until(&environment, candidate.part, |now| *now != shown);
                since(begin)
            });
            // The first round warms the disk cache for all alike.
            if round > 0 {
                seen.start_ms.push(start_ms);
                seen.key_ms.extend(key_ms);
            }
            if round == ROUNDS {
                if candidate.profile.is_some() {
                    press(&environment, "Return");
                }
                std::thread::park_timeout(SETTLE);
                if let Some(folder) = std::env::var_os("SHOPBELL_FIGURES_PICTURES") {
                    fs::create_dir_all(&folder).unwrap();
                    let picture = picture(&environment, "1280x800+0+0", "png:-");
                    let file = Path::new(&folder).join(format!("{}.png", candidate.name));
                    fs::write(file, picture).unwrap();
                }
                seen.memory_mb = memory_mb(child.0.id());
                seen.idle_percent = idle_percent(child.0.id());
            }
            let _ = child.0.kill();
            let _ = child.0.wait();
            until(&environment, candidate.part, |now| !painted(now));
        }
    }
    let [bare, few, many] = &mut seen;
    // Interactive: the first row is there and a key was answered. The bare window has no key to answer.
    let bare_ms = median(&mut bare.start_ms);
    let (few_ms, many_ms) = (median(&mut few.key_ms), median(&mut many.key_ms));
    let row_ms = median(&mut many.start_ms);
    let say = |name: &str,
               value: f64,
               unit: &str,
               baseline: Option<f64>,
               bar: &str,
               on: &str,
               holds: Option<bool>| {
        let ratio = baseline.map(|baseline| rounded(value / baseline));
        let mut row = json!({
            "issue": 2, "name": name, "value": rounded(value), "unit": unit, "baseline": baseline.map(rounded),
            "ratio": ratio, "bar": bar, "on": on, "holds": holds,
        });
        if quick {
            row["quick"] = true.into();
        }
        println!("{row}");
    };
    let holds = |ratio: f64, limit: f64| Some(ratio <= limit);
    say(
        "start_many_against_bare",
        many_ms,
        "ms",
        Some(bare_ms),
        "<= 1.7",
        "ratio",
        holds(many_ms / bare_ms, 1.7),
    );
    let close = many_ms / few_ms <= 1.1 || many_ms - few_ms <= 80.0;
    say(
        "start_many_against_few",
        many_ms,
        "ms",
        Some(few_ms),
        "<= 1.1",
        "ratio",
        Some(close),
    );
    say(
        "start_many_first_row",
        row_ms,
        "ms",
        Some(bare_ms),
        "none",
        "ratio",
        None,
    );
    say(
        "memory_many_against_bare",
        many.memory_mb,
        "MB",
        Some(bare.memory_mb),
        "<= 1.6",
        "ratio",
        holds(many.memory_mb / bare.memory_mb, 1.6),
    );
    let more = many.memory_mb - few.memory_mb;
    say(
        "memory_many_more_than_few",
        more,
        "MB",
        None,
        "<= 12",
        "value",
        holds(more, 12.0),
    );
    say(
        "idle_processor",
        many.idle_percent,
        "%",
        None,
        "<= 0.5",
        "value",
        holds(many.idle_percent, 0.5),
    );
}

fn since(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1000.0
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Looks at a part of the display until it is as wanted.
fn until(
    environment: &[(String, String)],
    part: &str,
    wanted: impl Fn(&Vec<u8>) -> bool,
) -> Vec<u8> {
    for _ in 0..500 {
        let now = picture(environment, part, "rgb:-");
        if wanted(&now) {
            return now;
        }
    }
    panic!("the display stays as it is");
}

/// There is something on it: not all of one colour.
fn painted(picture: &[u8]) -> bool {
    picture
        .windows(6)
        .step_by(3)
        .any(|two| two[..3] != two[3..])
}

fn press(environment: &[(String, String)], key: &str) {
    let mut press = Command::new("xdotool");
    assert!(
        press
            .args(["key", key])
            .envs(environment.iter().cloned())
            .status()
            .unwrap()
            .success()
    );
}

fn picture(environment: &[(String, String)], part: &str, format: &str) -> Vec<u8> {
    let mut import = Command::new("import");
    import.args([
        "-silent", "-window", "root", "-crop", part, "-depth", "8", format,
    ]);
    let made = import.envs(environment.iter().cloned()).output().unwrap();
    assert!(made.status.success(), "no picture of the display");
    made.stdout
}

fn released(name: &str) -> PathBuf {
    root().join("target/release").join(name)
}

/// A profile made by the core itself; its key goes into this session's keychain.
fn made(folder: &Path, messages: u64) -> PathBuf {
    let profile = folder.join(format!("profile-{messages}"));
    eprintln!("making {messages} messages");
    let figures = std::env::var_os("SHOPBELL_FIGURES")
        .expect("`cargo xtask bench` tells where the core's figures are");
    let status = Command::new(figures)
        .arg("make-profile")
        .arg(&profile)
        .arg(messages.to_string())
        .status()
        .unwrap();
    assert!(status.success());
    profile
}

/// Starts and waits for the first picture.
fn start(candidate: &Candidate, environment: &[(String, String)]) -> Running {
    let mut command = Command::new(&candidate.program);
    command
        .envs(environment.iter().cloned())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(profile) = &candidate.profile {
        command.env("SHOPBELL_PROFILE_DIR", profile);
    }
    let mut child = Running(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(
        line.contains("first_paint"),
        "{} ended before its first picture",
        candidate.name
    );
    child
}

/// The process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let after = stat.rsplit(')').next().unwrap_or_default().to_owned();
        if let Some(parent) = after
            .split_whitespace()
            .nth(1)
            .and_then(|parent| parent.parse::<u32>().ok())
        {
            parents.push((id, parent));
        }
    }
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        let here = found[at];
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == here)
                .map(|(id, _)| *id),
        );
        at += 1;
    }
    found
}

/// Proportional set size of the process tree.
fn memory_mb(root: u32) -> f64 {
    tree(root)
        .iter()
        .filter_map(|id| fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok())
        .filter_map(|text| {
            text.lines()
                .find(|line| line.starts_with("Pss:"))?
                .split_whitespace()
                .nth(1)?
                .parse::<f64>()
                .ok()
        })
        .sum::<f64>()
        / 1024.0
}

/// Clock ticks used by the process tree.
fn ticks(root: u32) -> f64 {
    tree(root)
        .iter()
        .filter_map(|id| fs::read_to_string(format!("/proc/{id}/stat")).ok())
        .map(|stat| {
            let after = stat.rsplit(')').next().unwrap_or_default().to_owned();
            after
                .split_whitespace()
                .skip(11)
                .take(2)
                .filter_map(|ticks| ticks.parse::<f64>().ok())
                .sum::<f64>()
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
