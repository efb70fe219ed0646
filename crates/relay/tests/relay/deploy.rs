//! The files an operator installs. systemd itself reads the unit where it is there; everywhere its promises are looked at as text.

use std::{path::PathBuf, process::Command};

fn deployed(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    std::fs::read_to_string(root.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The unit with the program of this build, in a folder of its own.
fn unit() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shopbell-relay.service");
    let unit = deployed("shopbell-relay.service").replace(
        "/usr/local/bin/shopbell-relay",
        env!("CARGO_BIN_EXE_shopbell-relay"),
    );
    std::fs::write(&path, unit).unwrap();
    (dir, path)
}

#[test]
fn systemd_understands_the_unit_and_finds_it_shut_tight() {
    let (_dir, path) = unit();
    let run = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze")
            .args(arguments)
            .arg(&path)
            .output();
        output.ok().map(|output| {
            let both = [output.stdout, output.stderr].concat();
            (
                output.status.success(),
                String::from_utf8_lossy(&both).into_owned(),
            )
        })
    };
    // Not every system that builds the relay has systemd.
    let Some((good, said)) = run(&["verify", "--man=no"]) else {
        return;
    };
    assert!(good && !said.contains("shopbell-relay.service"), "{said}");
    if let Some((good, said)) = run(&["security", "--offline=true", "--no-pager", "--threshold=20"])
    {
        assert!(good, "exposed for more than 2.0 of 10:\n{said}");
    }
}

#[test]
fn the_unit_keeps_the_secrets_to_root_and_the_data_to_itself() {
    let unit = deployed("shopbell-relay.service");
    for line in [
        "DynamicUser=yes",
        "StateDirectory=shopbell-relay",
        "StateDirectoryMode=0700",
        "LoadCredential=relay.toml:/etc/shopbell-relay/relay.toml",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "Restart=always",
    ] {
        assert!(unit.lines().any(|have| have == line), "{line} is missing");
    }
    let number = |name: &str| -> u32 {
        let line = unit.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}")).parse().unwrap()
    };
    let limits = shopbell_relay::Limits::default();
    assert!(number("LimitNOFILE=") >= 2 * limits.connections);
    assert!(
        number("TimeoutStopSec=") > 11,
        "a stop takes eleven seconds at most"
    );
}

#[test]
fn the_container_runs_without_rights_and_tells_how_it_is() {
    let file = deployed("Containerfile");
    let lines: Vec<&str> = file.lines().map(str::trim).collect();
    let last = lines
        .iter()
        .rposition(|line| line.starts_with("FROM "))
        .unwrap();
    assert!(lines[last].contains("distroless"));
    let image = &lines[last..];
    assert!(image.contains(&"USER nonroot:nonroot"));
    assert!(image.contains(&"STOPSIGNAL SIGTERM"));
    assert!(image.iter().any(|line| line.starts_with("HEALTHCHECK ")));
    assert!(
        image
            .iter()
            .any(|line| line.contains(r#""/usr/local/bin/shopbell-relay", "health""#))
    );
    assert!(
        !image.iter().any(|line| line.starts_with("RUN ")),
        "there is no shell"
    );
    assert!(!file.contains("SECRET="), "no secret is built in");
}

#[test]
fn the_proxy_keeps_its_idle_connections_for_less_than_the_relay_does() {
    let file = deployed("Caddyfile");
    let seconds = |name: &str| -> u32 {
        let line = file.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}"))
            .trim_end_matches('s')
            .parse()
            .unwrap()
    };
    assert!(seconds("keepalive ") < shopbell_relay::Limits::default().head_seconds);
    let most: usize = {
        let line = file
            .lines()
            .find_map(|line| line.trim().strip_prefix("max_size "));
        line.unwrap().trim_end_matches("MB").parse().unwrap()
    };
    assert!(most * 1_000_000 > shopbell_wire::MEDIA_MAX_BYTES);
}

#[test]
fn health_is_what_the_program_says_about_the_one_that_runs() {
    // Nothing listens on port 1.
    let ended = Command::new(env!("CARGO_BIN_EXE_shopbell-relay"))
        .env_clear()
        .env("SHOPBELL_RELAY_LISTEN", "127.0.0.1:1")
        .env("SHOPBELL_RELAY_FACEBOOK_APP_ID", "1")
        .env("SHOPBELL_RELAY_FACEBOOK_APP_SECRET", "s")
        .arg("health")
        .status()
        .unwrap();
    assert_eq!(ended.code(), Some(1));
}
