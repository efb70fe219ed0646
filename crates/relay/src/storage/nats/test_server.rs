//! A real server for tests, of the storage and of whole relays: a process of its own, on free ports, in a folder of its own. Knows
//! nothing of either.
#![allow(dead_code, reason = "not every test needs everything")]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Ends with its handle.
pub(super) struct Server {
    child: Child,
    folder: TempDir,
    port: u16,
    monitor: u16,
}

fn program() -> PathBuf {
    // As cargo says at run time: the folder of the build may have been another one.
    let package = std::env::var("CARGO_MANIFEST_DIR");
    let program = Path::new(package.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR")))
        .join("../../target/tools/venv/bin/nats-server");
    assert!(
        program.exists(),
        "nats-server is not installed: run `cargo xtask setup` once"
    );
    program
}

impl Server {
    /// One that syncs before it answers.
    pub(super) async fn start() -> Self {
        Self::start_with("sync_interval: always", "max_payload: 8MB").await
    }

    /// One with other options, of JetStream and beside it.
    pub(super) async fn start_with(jetstream: &str, others: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = format!(
            "listen: 127.0.0.1:-1\nhttp: 127.0.0.1:-1\n{others}\n\
             jetstream {{ store_dir: {:?}, {jetstream} }}\n",
            folder.path().join("store"),
        );
        std::fs::write(folder.path().join("nats.conf"), configuration).unwrap();
        let child = spawn(folder.path());
        let (port, monitor) = ports(folder.path(), child.id()).await;
        Self {
            child,
            folder,
            port,
            monitor,
        }
    }

    /// Its address as an operator writes it.
    pub(super) fn address(&self) -> String {
        format!(
            "nats://127.0.0.1:{}?monitor=http://127.0.0.1:{}",
            self.port, self.monitor
        )
    }

    /// Where it serves.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Where it is monitored.
    pub(super) fn monitor(&self) -> u16 {
        self.monitor
    }

    /// kill -9.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it anew on the same ports, with what is on its disk.
    pub(super) async fn restart(&mut self) {
        let file = self.folder.path().join("nats.conf");
        let configuration = std::fs::read_to_string(&file)
            .unwrap()
            .replace(
                "listen: 127.0.0.1:-1",
                &format!("listen: 127.0.0.1:{}", self.port),
            )
            .replace(
                "http: 127.0.0.1:-1",
                &format!("http: 127.0.0.1:{}", self.monitor),
            );
        std::fs::write(&file, configuration).unwrap();
        self.child = spawn(self.folder.path());
        ports(self.folder.path(), self.child.id()).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new(program())
        .arg("--config")
        .arg(folder.join("nats.conf"))
        .arg("--ports_file_dir")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("log")).unwrap())
        .spawn()
        .unwrap()
}

/// The ports it took, once it serves.
async fn ports(folder: &Path, id: u32) -> (u16, u16) {
    let file = folder.join(format!("nats-server_{id}.ports"));
    let read = || -> Option<(u16, u16)> {
        let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
        let port = |name: &str| {
            let url = url::Url::parse(ports[name][0].as_str()?).ok()?;
            url.port()
        };
        Some((port("nats")?, port("monitoring")?))
    };
    let written = async {
        loop {
            if let Some(ports) = read() {
                return ports;
            }
            // Another process writes the file: there is no event to wait for.
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), written)
        .await
        .unwrap_or_else(|_| {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("nats-server did not start:\n{log}")
        })
}
