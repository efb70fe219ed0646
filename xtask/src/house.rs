//! Rules of the house that a machine can check: sizes of files, arrows between packages, words, generated files.

use crate::{
    run::{cargo, command, root},
    sql,
};
use anyhow::{Context, Result, bail};
use std::fs;

/// Longest product file, longest Svelte component.
const LONGEST: usize = 800;
const LONGEST_COMPONENT: usize = 250;

/// Package and what it must never contain, directly or through others.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "shopbell-core",
        &[
            "tauri",
            "axum",
            "wry",
            "gtk",
            "shopbell-relay",
            "shopbell-sandbox",
        ],
    ),
    (
        "shopbell-wire",
        &["tokio", "reqwest", "sqlx", "axum", "shopbell-core"],
    ),
    (
        "shopbell-relay",
        &["tauri", "shopbell-core", "shopbell-sandbox"],
    ),
    (
        "shopbell-sandbox",
        &[
            "shopbell-core",
            "shopbell-wire",
            "shopbell-relay",
            "sqlx",
            "tauri",
        ],
    ),
    (
        "shopbell-cli",
        &["tauri", "shopbell-relay", "shopbell-sandbox"],
    ),
    ("shopbell", &["shopbell-relay", "shopbell-sandbox", "axum"]),
];

/// One of each: a second copy costs minutes or splits behaviour.
const SINGLE: &[&str] = &["reqwest", "rustls", "sqlx-core", "libsqlite3-sys", "tokio"];

/// All rules.
///
/// # Errors
/// Names every breach.
pub fn check() -> Result<()> {
    let mut breaches = Vec::new();
    sizes(&mut breaches)?;
    arrows(&mut breaches)?;
    words(&mut breaches)?;
    breaches.extend(sql::drift()?);
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("rules of the house:\n  {}", breaches.join("\n  "))
}

fn tracked(patterns: &[&str]) -> Result<Vec<String>> {
    let answer = command("git", &[&["ls-files"], patterns].concat())
        .output()
        .context("git ls-files")?;
    Ok(String::from_utf8_lossy(&answer.stdout)
        .lines()
        .map(str::to_owned)
        .filter(|path| root().join(path).exists())
        .collect())
}

fn sizes(breaches: &mut Vec<String>) -> Result<()> {
    for path in tracked(&["*.rs", "*.ts", "*.svelte", "*.mjs", "*.css"])? {
        let lines = fs::read_to_string(root().join(&path))?.lines().count();
        let limit = if path.ends_with(".svelte") {
            LONGEST_COMPONENT
        } else {
            LONGEST
        };
        if lines > limit {
            breaches.push(format!("{path} has {lines} lines, at most {limit}"));
        }
    }
    let shell: usize = tracked(&["src-tauri/*.rs"])?
        .iter()
        .map(|path| fs::read_to_string(root().join(path)).map_or(0, |text| text.lines().count()))
        .sum();
    if shell > 1000 {
        breaches.push(format!("the shell has {shell} lines, at most 1000"));
    }
    Ok(())
}

fn arrows(breaches: &mut Vec<String>) -> Result<()> {
    for (package, forbidden) in FORBIDDEN {
        let answer = cargo(&[
            "tree",
            "--quiet",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()?;
        if !answer.status.success() {
            bail!(
                "cargo tree for {package}: {}",
                String::from_utf8_lossy(&answer.stderr)
            );
        }
        let tree = String::from_utf8_lossy(&answer.stdout).into_owned();
        for name in *forbidden {
            if tree
                .lines()
                .any(|line| line.split(' ').next() == Some(name))
            {
                breaches.push(format!("{package} must not depend on {name}"));
            }
        }
        for name in SINGLE {
            let mut versions: Vec<&str> = tree
                .lines()
                .filter_map(|line| {
                    let mut parts = line.split(' ');
                    (parts.next() == Some(name)).then(|| parts.next()).flatten()
                })
                .collect();
            versions.sort_unstable();
            versions.dedup();
            if versions.len() > 1 {
                breaches.push(format!("{package} holds {name} {}", versions.join(" and ")));
            }
        }
    }
    Ok(())
}

/// Unfinished marks, switched-off tests, sleeping tests. Spelled apart so that this file does not find itself.
fn words(breaches: &mut Vec<String>) -> Result<()> {
    let product = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
    ];
    let tests = [
        concat!("thread::", "sleep("),
        concat!(".on", "ly("),
        concat!("waitFor", "Timeout("),
    ];
    for path in tracked(&["*.rs", "*.ts", "*.svelte", "*.mjs"])? {
        let text = fs::read_to_string(root().join(&path))?;
        let is_test =
            path.contains("tests/") || path.ends_with("_tests.rs") || path.ends_with(".test.ts");
        for (number, line) in text.lines().enumerate() {
            let found = product
                .iter()
                .chain(if is_test { tests.iter() } else { [].iter() })
                .find(|word| line.contains(**word));
            if let Some(word) = found {
                breaches.push(format!("{path}:{} holds {word}", number + 1));
            }
        }
    }
    Ok(())
}
