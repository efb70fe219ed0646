//! `test` and `ci`: every check, in the order that finds a mistake soonest, with the time of each stage.

use crate::{
    demo, house,
    run::{cargo, command, root, run as go},
    setup, untouched,
};
use anyhow::{Context, Result, bail};
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// One stage: name, what it does.
type Stage = (&'static str, fn() -> Result<()>);

/// Order matters: the interface is built before anything that embeds it.
const STAGES: &[Stage] = &[
    ("setup", setup::everything),
    ("format", format),
    ("interface", interface),
    ("build", build),
    ("rust", rust),
    ("keychain", keychain),
    ("browser", browser),
    ("window", window),
    ("sdk", sdk),
    ("clippy", clippy),
    ("house", house::check),
];

/// Runs all stages, or only those named.
///
/// # Errors
/// At the first stage that fails; the times so far are printed.
pub fn run(only: &[&str]) -> Result<()> {
    if let Some(unknown) = only
        .iter()
        .find(|name| !STAGES.iter().any(|stage| stage.0 == **name))
    {
        let names: Vec<_> = STAGES.iter().map(|stage| stage.0).collect();
        bail!("no stage {unknown}; there are {}", names.join(", "));
    }
    let before = untouched::look();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut outcome = Ok(());
    for (name, stage) in STAGES
        .iter()
        .filter(|stage| only.is_empty() || only.contains(&stage.0))
    {
        println!("\n== {name}");
        let start = Instant::now();
        outcome = stage().with_context(|| format!("stage {name}"));
        times.push((name, start.elapsed()));
        if outcome.is_err() {
            break;
        }
    }
    println!();
    for (name, time) in &times {
        println!("{name:<12}{:>6.0} s", time.as_secs_f64());
    }
    println!(
        "{:<12}{:>6.0} s",
        "all",
        times
            .iter()
            .map(|(_, time)| time.as_secs_f64())
            .sum::<f64>()
    );
    outcome?;
    before.compare()
}

fn npm(folder: &str, script: &str) -> Command {
    let mut npm = command("npm", &["run", "--silent", script]);
    npm.current_dir(root().join(folder));
    npm
}

fn format() -> Result<()> {
    go(cargo(&["fmt", "--all", "--check"]))
}

fn interface() -> Result<()> {
    for script in ["build", "messages", "check", "lint", "test"] {
        println!("-- npm run {script}");
        go(npm("ui", script))?;
    }
    Ok(())
}

/// Everything at once, so that packages share one resolution of features.
pub fn build() -> Result<()> {
    go(cargo(&[
        "build",
        "--workspace",
        "--all-targets",
        "--features",
        "shopbell/embed-ui",
    ]))
}

/// Property tests take the same cases every time: a new case belongs into a search for faults, not into somebody's unrelated change.
/// Without the variable (`cargo test` by hand) they are drawn anew.
const CASES: (&str, &str) = ("PROPTEST_RNG_SEED", "20261120");

fn rust() -> Result<()> {
    let mut units = cargo(&[
        "test",
        "--workspace",
        "--exclude",
        "xtask",
        "--features",
        "shopbell/embed-ui",
        "--lib",
        "--bins",
    ]);
    units.env(CASES.0, CASES.1);
    go(units)?;
    for (package, test) in RUST_TESTS {
        let mut story = cargo(&[
            "test",
            "--quiet",
            "--workspace",
            "--features",
            "shopbell/embed-ui",
            "--test",
            test,
        ]);
        story.env(CASES.0, CASES.1);
        go(story).with_context(|| format!("{package}, {test}"))?;
    }
    Ok(())
}

/// Integration tests: one binary per package, plus the journeys through all of them.
const RUST_TESTS: &[(&str, &str)] = &[
    ("shopbell-core", "drift"),
    ("shopbell-relay", "relay"),
    ("shopbell-sandbox", "sandbox"),
    ("shopbell-cli", "cli"),
    ("shopbell-core", "journeys"),
];

/// A session bus and a keychain of their own, in folders of their own.
fn keychain() -> Result<()> {
    go(private_session(&[
        "cargo",
        "test",
        "--quiet",
        "--workspace",
        "--features",
        "shopbell/embed-ui",
        "--test",
        "keyring",
    ])?)
}

/// Runs a command under its own D-Bus session and below its own XDG folders in `target/session`.
pub fn private_session(words: &[&str]) -> Result<Command> {
    let home = root().join("target/session");
    let _ = std::fs::remove_dir_all(&home);
    for folder in ["data", "config", "cache", "runtime"] {
        std::fs::create_dir_all(home.join(folder))?;
    }
    #[cfg(unix)]
    std::fs::set_permissions(
        home.join("runtime"),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )?;
    let mut session = command("dbus-run-session", &["--"]);
    session
        .args(words)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_RUNTIME_DIR", home.join("runtime"))
        .env("SHOPBELL_REAL_KEYRING", "1")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    Ok(session)
}

fn browser() -> Result<()> {
    go(private_session(&[
        "npm",
        "run",
        "--silent",
        "--prefix",
        "tests/web",
        "test",
    ])?)
}

fn window() -> Result<()> {
    go(cargo(&[
        "test",
        "--workspace",
        "--features",
        "shopbell/embed-ui",
        "--test",
        "desktop",
        "--",
        "--test-threads=1",
    ]))
}

/// Meta's own SDK against a sandbox of its own.
fn sdk() -> Result<()> {
    let mut sandbox = command(
        "target/debug/shopbell-sandbox",
        &["--port", "0", "--seed", "kornblume"],
    );
    sandbox.stderr(std::process::Stdio::null());
    let (_sandbox, address) = demo::listening(sandbox)?;
    go(command(
        "node",
        &["tests/sdk/check.mjs", "--base", &address],
    ))
}

fn clippy() -> Result<()> {
    go(cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--features",
        "shopbell/embed-ui",
        "--",
        "-D",
        "warnings",
    ]))
}
