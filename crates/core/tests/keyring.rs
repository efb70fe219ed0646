//! The vault on a real gnome-keyring: missing, locked, denied, swapped, and everyday use.
//! `SHOPBELL_REAL_KEYRING=1 cargo test -p shopbell-core --test keyring`, as `cargo xtask test` runs it. It runs itself once more on a
//! session bus of its own with an empty home, because keyrings are started, locked and killed here; the owner's is never touched.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use shopbell_core::{
    Core, CoreConfig, Endpoints, OpenAs, OsEntropy, SystemClock,
    api::types::{VaultKind, VaultStatus},
    vault::Keychain,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// One gnome-keyring-daemon with its own folder of keyrings.
struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts it in `home`; with a password its login keyring is made or unlocked.
    fn start(home: &Path, password: Option<&str>) -> Self {
        let mut command = Command::new("gnome-keyring-daemon");
        command
            .args([
                "--foreground",
                "--components=secrets",
                "--control-directory",
            ])
            .arg(home.join("control"));
        if password.is_some() {
            command.arg("--unlock");
        }
        let mut child = command
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_RUNTIME_DIR", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon");
        if let (Some(mut input), Some(password)) = (child.stdin.take(), password) {
            input.write_all(password.as_bytes()).unwrap();
        }
        let daemon = Self { child };
        assert!(
            daemon.until(|| owner_of_secrets().is_some()),
            "the daemon did not come to the bus"
        );
        daemon
    }

    fn until(&self, ready: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if ready() {
                return true;
            }
            std::thread::yield_now();
            let _ = Command::new("dbus-send")
                .args([
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/",
                    "org.freedesktop.DBus.GetId",
                ])
                .output();
        }
        false
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.until(|| owner_of_secrets().is_none());
    }
}

fn bus(arguments: &[&str]) -> Option<String> {
    let answer = Command::new("dbus-send")
        .args(["--session", "--print-reply"])
        .args(arguments)
        .output()
        .ok()?;
    answer
        .status
        .success()
        .then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

fn owner_of_secrets() -> Option<String> {
    bus(&[
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.GetNameOwner",
        "string:org.freedesktop.secrets",
    ])
}

fn lock_login() {
    bus(&[
        "--dest=org.freedesktop.secrets",
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service.Lock",
        "array:objpath:/org/freedesktop/secrets/collection/login",
    ])
    .expect("the login keyring can be locked");
}

struct Computer {
    profile: TempDir,
}

impl Computer {
    fn core(&self) -> Core {
        let nowhere = url::Url::parse("http://127.0.0.1:9/").unwrap();
        Core::new(CoreConfig {
            dir: self.profile.path().to_owned(),
            endpoints: Endpoints::sandbox(&nowhere, nowhere.clone()).unwrap(),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(OsEntropy),
            keychain: Keychain::os(),
        })
    }

    async fn open(&self) -> (Core, VaultStatus, Duration) {
        let core = self.core();
        let start = Instant::now();
        let status = core.open_as(OpenAs::Tool).await;
        (core, status, start.elapsed())
    }

    /// Reason code; the answer came within the deadline.
    async fn locked(&self) -> (Core, String) {
        let (core, status, took) = self.open().await;
        assert!(took < Duration::from_secs(15), "{took:?}");
        match status {
            VaultStatus::Locked { reason, .. } => (core, reason.code),
            other => panic!("{other:?}"),
        }
    }
}

fn home(root: &TempDir, name: &str) -> PathBuf {
    let home = root.path().join(name);
    std::fs::create_dir_all(home.join("data/keyrings")).unwrap();
    home
}

/// A bus that starts nothing by itself: otherwise asking for a missing keyring would bring one up.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><keep_umask/><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;
/// Set for the second run of this program, the one on the bus.
const ON_THE_BUS: &str = "SHOPBELL_KEYRING_ON_THE_BUS";

#[test]
fn the_vault_lives_on_a_real_keyring() {
    assert!(
        std::env::var_os("SHOPBELL_REAL_KEYRING").is_some(),
        "This test starts, locks and kills keyrings. Set SHOPBELL_REAL_KEYRING=1, as `cargo xtask test` does."
    );
    if std::env::var_os(ON_THE_BUS).is_some() {
        return tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(story());
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    std::fs::write(&config, BUS).unwrap();
    let status = Command::new("dbus-run-session")
        .arg(format!("--config-file={}", config.display()))
        .arg("--")
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "the_vault_lives_on_a_real_keyring",
            "--nocapture",
        ])
        .env(ON_THE_BUS, "1")
        .env("HOME", folder.path())
        .status()
        .expect("dbus-run-session");
    assert!(status.success(), "see above");
}

/// One story, because there is one bus.
async fn story() {
    assert!(
        owner_of_secrets().is_none(),
        "there is already a keyring on this bus"
    );
    let root = tempfile::tempdir().unwrap();
    let computer = Computer {
        profile: tempfile::tempdir().unwrap(),
    };

    // Missing: nobody is there. Nothing is made.
    let (core, code) = computer.locked().await;
    assert_eq!(code, "keychain_missing");
    assert!(core.profile().is_err());
    eprintln!("missing: ok");

    // The first run and the next start.
    let first = home(&root, "first");
    let daemon = Daemon::start(&first, Some("open sesame"));
    core.retry().await.unwrap();
    assert_eq!(
        core.vault_status(),
        VaultStatus::Open {
            kind: VaultKind::Keychain
        }
    );
    let vault = core.profile().unwrap().vault.clone();
    let recovery = vault.recovery_key().await.unwrap();
    vault.put_secret("token:7:1", b"sealed").await.unwrap();
    core.shutdown().await;
    let (core, status, took) = computer.open().await;
    assert!(matches!(status, VaultStatus::Open { .. }), "{status:?}");
    let vault = core.profile().unwrap().vault.clone();
    assert_eq!(
        vault
            .get_secret("token:7:1")
            .await
            .unwrap()
            .unwrap()
            .as_slice(),
        b"sealed"
    );
    vault.delete_secret("token:7:1").await.unwrap();
    assert!(vault.get_secret("token:7:1").await.unwrap().is_none());
    core.shutdown().await;
    eprintln!("everyday use: ok, opened in {} ms", took.as_millis());

    // Locked while running, and nobody there to ask for the password: refused within the deadline.
    lock_login();
    let (core, code) = computer.locked().await;
    assert!(
        matches!(
            code.as_str(),
            "keychain_locked" | "keychain_denied" | "keychain_slow"
        ),
        "{code}"
    );
    eprintln!("locked: {code}");
    drop(core);
    drop(daemon);

    // Denied: started locked, with a password nobody gives.
    let daemon = Daemon::start(&first, None);
    let (core, code) = computer.locked().await;
    assert!(
        matches!(
            code.as_str(),
            "keychain_locked" | "keychain_denied" | "keychain_slow"
        ),
        "{code}"
    );
    eprintln!("denied: {code}");
    drop(daemon);

    // Unlocked again: the same program goes on.
    let daemon = Daemon::start(&first, Some("open sesame"));
    core.retry().await.unwrap();
    core.shutdown().await;
    eprintln!("unlocked again: ok");
    drop(daemon);

    // Swapped: another keyring that knows nothing of us.
    let daemon = Daemon::start(&home(&root, "second"), Some("another"));
    let (core, code) = computer.locked().await;
    assert_eq!(code, "key_missing");
    core.recover(recovery).await.unwrap();
    core.shutdown().await;
    let (core, status, _) = computer.open().await;
    assert!(
        matches!(status, VaultStatus::Open { .. }),
        "the new keyring has the key now"
    );
    core.shutdown().await;
    eprintln!("swapped: ok");
    drop(daemon);
}
