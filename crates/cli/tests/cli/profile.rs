//! A profile of the program behind a passphrase, and calls of the program on it.

use serde_json::Value;
use std::process::{Command, Output};
use tempfile::TempDir;

pub const PASSPHRASE: &str = "sourdough at dawn";

/// One profile.
pub struct Profile {
    pub folder: TempDir,
    relay: String,
    sandbox: String,
}

impl Profile {
    pub fn at(relay: &str, sandbox: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            relay: relay.into(),
            sandbox: sandbox.into(),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        // Another build of the program can be tried instead.
        let program = std::env::var_os("SHOPBELL_CLI")
            .unwrap_or_else(|| env!("CARGO_BIN_EXE_shopbell-cli").into());
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TZ", "UTC")
            .env("SHOPBELL_PASSPHRASE", PASSPHRASE)
            .arg("--profile")
            .arg(self.folder.path())
            .args(["--relay", &self.relay, "--sandbox", &self.sandbox])
            .args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The JSON answer of a call that works.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
