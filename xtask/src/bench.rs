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
    let mut missed = Vec::new();
    missed.extend(measure(figures(&wanted), &wanted)?);
    missed.extend(measure(window(&wanted)?, &wanted)?);
    if !missed.is_empty() {
        eprintln!("below the bar: {}", missed.join(", "));
    }
    Ok(())
}

fn options(program: &mut Command, wanted: &Wanted<'_>) {
    program
        .args(wanted.name)
        .env("SHOPBELL_BENCH_QUICK", if wanted.quick { "1" } else { "" });
}

fn figures(wanted: &Wanted<'_>) -> Command {
    let mut program = cargo(&[
        "bench",
        "--quiet",
        "--package",
        "shopbell-core",
        "--bench",
        "figures",
        "--",
    ]);
    options(&mut program, wanted);
    program
}

fn window(wanted: &Wanted<'_>) -> Result<Command> {
    let mut build = command("npm", &["run", "--silent", "build"]);
    build.current_dir(root().join("ui"));
    crate::run::run(build)?;
    crate::run::run(cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        "shopbell",
        "--features",
        "embed-ui",
        "--bin",
        "shopbell",
        "--example",
        "bare",
    ]))?;
    let mut program = stages::private_session(&[
        "cargo",
        "bench",
        "--quiet",
        "--package",
        "shopbell",
        "--features",
        "embed-ui",
        "--bench",
        "window",
        "--",
    ])?;
    options(&mut program, wanted);
    Ok(program)
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
