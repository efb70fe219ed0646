//! `bench`: the figures this repository promises, measured in release builds against a baseline of the same run.
//!
//! Two programs do the measuring: `figures` (a bench target of the core) and the window figures (the `window` bench of the app). Each
//! prints one JSON object per row; here they are built, started, filtered and shown.

use crate::{
    run::{cargo, command, root},
    setup, stages,
};
use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

struct Wanted<'a> {
    json: bool,
    quick: bool,
    issue: Option<u64>,
    name: Option<&'a str>,
}

/// `bench [--json] [--issue N] [--quick] [NAME]`.
///
/// # Errors
/// When a program cannot be built or a row misses its bar.
pub fn run(words: &[&str]) -> Result<()> {
    let mut wanted = Wanted {
        json: false,
        quick: false,
        issue: None,
        name: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--json" => wanted.json = true,
            "--quick" => wanted.quick = true,
            "--issue" => wanted.issue = Some(words.next().context("--issue N")?.parse()?),
            name if !name.starts_with('-') && wanted.name.is_none() => wanted.name = Some(name),
            other => bail!("unknown: {other}"),
        }
    }
    setup::everything()?;
    let programs = built()?;
    let mut missed = Vec::new();
    missed.extend(measure(
        options(command(&programs.figures, &[]), &wanted),
        &wanted,
    )?);
    let mut window = stages::private_session(&[&programs.window])?;
    window.env("SHOPBELL_FIGURES", &programs.figures);
    missed.extend(measure(options(window, &wanted), &wanted)?);
    if !missed.is_empty() {
        eprintln!("below the bar: {}", missed.join(", "));
    }
    Ok(())
}

fn options(mut program: Command, wanted: &Wanted<'_>) -> Command {
    program
        .args(wanted.name)
        .env("SHOPBELL_BENCH_QUICK", if wanted.quick { "1" } else { "" });
    program
}

/// Where the two measuring programs are.
struct Programs {
    figures: String,
    window: String,
}

/// Builds the interface, the program as it is delivered, the bare window and the measuring programs, all with one resolution of features.
fn built() -> Result<Programs> {
    let mut build = command("npm", &["run", "--silent", "build"]);
    build.current_dir(root().join("ui"));
    crate::run::run(build)?;
    const ALL: &[&str] = &["--workspace", "--features", "shopbell/embed-ui"];
    let release = [
        "build",
        "--quiet",
        "--release",
        "--bin",
        "shopbell",
        "--example",
        "bare",
    ];
    crate::run::run(cargo(&[&release, ALL].concat()))?;
    let benches = [
        "bench",
        "--quiet",
        "--no-run",
        "--message-format=json",
        "--bench",
        "figures",
        "--bench",
        "window",
    ];
    let mut bench = cargo(&[&benches, ALL].concat());
    let told = bench
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()?;
    if !told.status.success() {
        bail!("the measuring programs could not be built");
    }
    let told = String::from_utf8(told.stdout)?;
    let program = |name: &str| {
        told.lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|told| told["target"]["name"] == name)
            .find_map(|told| Some(told["executable"].as_str()?.to_owned()))
            .with_context(|| format!("{name} was not built"))
    };
    Ok(Programs {
        figures: program("figures")?,
        window: program("window")?,
    })
}

/// Shows the rows as they come; returns the names of those that miss their bar.
fn measure(mut program: Command, wanted: &Wanted<'_>) -> Result<Vec<String>> {
    let mut child = program.stdout(Stdio::piped()).spawn()?;
    let mut missed = Vec::new();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        let Ok(row) = serde_json::from_str::<serde_json::Value>(&line) else {
            continue;
        };
        if wanted.issue.is_some() && row["issue"].as_u64() != wanted.issue {
            continue;
        }
        if row["holds"] == false {
            missed.push(row["name"].as_str().unwrap_or("?").to_owned());
        }
        if wanted.json {
            println!("{line}");
        } else {
            println!(
                "{:<44}{:>12} {:<8}ratio {:<10} bar {:<12}{}",
                row["name"].as_str().unwrap_or("?"),
                row["value"],
                row["unit"].as_str().unwrap_or(""),
                row["ratio"],
                row["bar"].as_str().unwrap_or("none"),
                if row["holds"] == false { "MISSED" } else { "" }
            );
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the measuring program ended with {status}");
    }
    Ok(missed)
}
