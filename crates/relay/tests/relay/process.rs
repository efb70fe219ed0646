//! The program itself: the line it prints, its refusals to start, its stop.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

fn relay() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shopbell-relay"));
    command
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn it_prints_where_it_listens_and_stops_on_a_signal() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("relay.toml");
    let storage = dir.path().join("relay.db");
    std::fs::write(
        &file,
        format!(
            "storage = \"sqlite:{}\"\n[facebook]\napp_id = \"1\"\napp_secret = \"from-file\"\n",
            storage.display()
        ),
    )
    .unwrap();
    let mut child = relay()
        .args(["--port", "0", "--config"])
        .arg(&file)
        .env("SHOPBELL_RELAY_INSTAGRAM_APP_ID", "2")
        .env("SHOPBELL_RELAY_INSTAGRAM_APP_SECRET", "from-environment")
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = said["listening"].as_str().unwrap();
    for path in ["healthz", "readyz"] {
        assert_eq!(
            reqwest::get(format!("{address}/{path}"))
                .await
                .unwrap()
                .status(),
            200
        );
    }
    let stopped = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(stopped.success());
    let mut log = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{log}");
    assert!(
        log.contains("stopping") && !log.contains("from-file") && !log.contains("from-environment")
    );
    assert!(
        !dir.path().join("relay.db-wal").exists(),
        "the database was closed"
    );
}

#[test]
fn it_says_why_it_does_not_start() {
    let run = |change: fn(&mut Command)| {
        let mut command = relay();
        change(&mut command);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run(|_| {}).contains("neither a Meta app nor an Instagram app"));
    assert!(
        run(|c| _ = c.args(["--config", "/nowhere/relay.toml"]))
            .contains("cannot read the configuration file")
    );
    let said = run(|c| {
        c.env("SHOPBELL_RELAY_FACEBOOK_APP_ID", "1")
            .env("SHOPBELL_RELAY_FACEBOOK_APP_SECRET", "canary");
        c.env("SHOPBELL_RELAY_PUBLIC_URL", "https://relay.example")
            .env("SHOPBELL_RELAY_STORAGE", "sqlite:/nowhere/x.db");
    });
    assert!(
        said.contains("key file cannot be used") && !said.contains("canary"),
        "{said}"
    );
}

#[test]
fn the_operators_pair_is_made_and_read_by_the_program() {
    let made = relay().arg("operator-key").output().unwrap();
    assert!(made.status.success());
    let text = String::from_utf8(made.stdout).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(config["operator_key"].as_str().unwrap().len(), 43);
    let secret = text.lines().last().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("relay.unreadable");
    std::fs::write(&file, "not-sealed\n").unwrap();
    let read = |secret: &str| {
        let mut child = relay()
            .arg("unreadable")
            .arg(&file)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, secret.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (good, said) = read(secret);
    assert!(good && said.contains("unopened"), "{said}");
    assert!(!read("# no secret").0);
}
