//! Turns the use-case table into permissions and the one capability, so that the window may call exactly what the table lists.
//!
//! The table is read as text (decision T27): building the core for the host only to learn names would double the build.

use std::{env, fs, path::Path};

/// Commands that only a window can offer; implemented in `native.rs`.
const NATIVE: &[&str] = &[
    "listen_changes",
    "open_browser",
    "scheme_state",
    "first_paint",
    "quit",
];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").map_or_else(|_| ".".into(), std::path::PathBuf::from);
    let table = root.join("crates/core/src/api/table.rs");
    println!("cargo:rerun-if-changed={}", table.display());
    println!(
        "cargo:rerun-if-changed={}",
        root.join("tauri.conf.json").display()
    );
    println!(
        "cargo:rerun-if-changed={}",
        root.join("src-tauri/build.rs").display()
    );

    let text =
        fs::read_to_string(&table).unwrap_or_else(|error| panic!("{}: {error}", table.display()));
    let mut names: Vec<String> = text.lines().filter_map(use_case).collect();
    assert!(
        !names.is_empty(),
        "no use case found in {}",
        table.display()
    );
    names.extend(NATIVE.iter().map(ToString::to_string));

    write_permissions(&root.join("gen/permissions"), &names);
    write_capability(&root.join("gen/capabilities"), &names);

    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./gen/capabilities/*.json")
        .app_manifest(
            tauri_build::AppManifest::new().permissions_path_pattern("./gen/permissions/*.toml"),
        );
    tauri_build::try_build(attributes).unwrap_or_else(|error| panic!("{error:#}"));
}

/// The name in a line such as `    inbox::search(SearchQuery) -> SearchPage;`.
fn use_case(line: &str) -> Option<String> {
    let line = line.strip_prefix("    ")?;
    let (path, rest) = line.split_once('(')?;
    let (_, name) = path.split_once("::")?;
    (rest.contains(") -> ") && rest.ends_with(';')).then(|| name.to_owned())
}

fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

fn write_permissions(folder: &Path, names: &[String]) {
    let text: String = names
        .iter()
        .map(|name| {
            format!(
                "[[permission]]\nidentifier = \"allow-{}\"\ncommands.allow = [\"{name}\"]\n\n",
                dashed(name)
            )
        })
        .collect();
    write(folder, "commands.toml", &text);
}

fn write_capability(folder: &Path, names: &[String]) {
    let allowed: Vec<String> = names
        .iter()
        .map(|name| format!("    \"allow-{}\"", dashed(name)))
        .collect();
    let text = format!(
        "{{\n  \"identifier\": \"main\",\n  \"description\": \"What the one window may call\",\n  \"windows\": [\"main\"],\n  \"permissions\": [\n{}\n  ]\n}}\n",
        allowed.join(",\n")
    );
    write(folder, "main.json", &text);
}

/// Writes only what changed: a new time stamp would rebuild the package.
fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return;
    }
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, text))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
