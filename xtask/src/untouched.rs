//! Proves that a run left nothing outside its own folders: the home folder's places where desktop programs write are compared.

use anyhow::{Result, bail};
use std::{collections::BTreeMap, fs, path::PathBuf, time::SystemTime};

/// Below the home folder: where a program that forgot its own folders would leave something.
const PLACES: &[&str] = &[
    ".config",
    ".local/share/applications",
    ".local/share/keyrings",
    ".local/share/org.shopbell.desktop",
    ".local/share/mime",
    ".cache/org.shopbell.desktop",
    ".pki",
];

/// Files and their times, taken before a run.
pub struct Before(BTreeMap<PathBuf, SystemTime>);

/// Looks at the places.
pub fn look() -> Before {
    let mut found = BTreeMap::new();
    if let Some(home) = std::env::var_os("HOME") {
        for place in PLACES {
            walk(&PathBuf::from(&home).join(place), &mut found);
        }
    }
    Before(found)
}

fn walk(path: &PathBuf, found: &mut BTreeMap<PathBuf, SystemTime>) {
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            walk(&entry.path(), found);
        } else if let Ok(time) = entry.metadata().and_then(|data| data.modified()) {
            found.insert(entry.path(), time);
        }
    }
}

impl Before {
    /// Looks again.
    ///
    /// # Errors
    /// Names what appeared or changed.
    pub fn compare(&self) -> Result<()> {
        let Before(after) = look();
        let touched: Vec<String> = after
            .iter()
            .filter(|(path, time)| self.0.get(*path) != Some(time))
            .map(|(path, _)| path.display().to_string())
            .collect();
        if touched.is_empty() {
            return Ok(());
        }
        bail!(
            "the run wrote outside its own folders:\n  {}",
            touched.join("\n  ")
        )
    }
}
