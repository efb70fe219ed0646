//! Programs around the window, each ended with the test: display, window manager, session bus, keychain, sandbox, relay, driver.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Ends its program when dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The workspace root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A program built beside this test.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join(name)
}

/// Starts a program that tells one line on standard output when it is ready.
pub fn started(mut command: Command) -> (Running, String) {
    let shown = format!("{command:?}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(!line.trim().is_empty(), "{shown} ended without a word");
    (Running(child), line.trim().to_owned())
}

/// Starts a server that tells its address as JSON.
pub fn listening(command: Command) -> (Running, String) {
    let (running, line) = started(command);
    let answer: Value =
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not an address: {line}"));
    let address = answer["listening"]
        .as_str()
        .or(answer["base_url"].as_str())
        .unwrap();
    (running, address.trim_end_matches('/').to_owned())
}

/// A display without a screen, `width` by `height`; tells its number.
pub fn display(width: u32, height: u32) -> (Running, String) {
    let mut xvfb = Command::new("Xvfb");
    xvfb.args([
        "-displayfd",
        "1",
        "-screen",
        "0",
        &format!("{width}x{height}x24"),
        "-nolisten",
        "tcp",
    ])
    .stderr(Stdio::null());
    let (running, number) = started(xvfb);
    (running, format!(":{number}"))
}

/// A session bus; tells its address.
pub fn session_bus(environment: &[(String, String)]) -> (Running, String) {
    let mut bus = Command::new("dbus-daemon");
    bus.args(["--session", "--nofork", "--print-address=1"])
        .envs(environment.iter().cloned());
    started(bus)
}

/// A keychain with an unlocked login collection. It serves once its first process has ended, and ends with its session bus.
pub fn keychain(environment: &[(String, String)]) {
    let mut daemon = Command::new("gnome-keyring-daemon");
    daemon
        .args(["--daemonize", "--components=secrets", "--unlock"])
        .envs(environment.iter().cloned());
    let mut child = daemon
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"a test's password")
        .unwrap();
    assert!(child.wait().unwrap().success(), "no keychain");
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
