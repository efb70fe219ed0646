//! The program as a person or a script calls it: real processes, a real encrypted profile behind a passphrase, no network.
#![allow(clippy::unwrap_used)]

mod browser;
mod chance;
mod events;
mod kills;
mod profile;
mod whole_way;

use profile::Profile;
use serde_json::Value;
use std::process::Output;

impl Profile {
    /// Nobody listens at its addresses.
    fn new() -> Self {
        Self::at("http://127.0.0.1:9/", "http://127.0.0.1:9/")
    }

    /// The code of a call that does not.
    fn refused(&self, arguments: &[&str]) -> String {
        code(&self.run(&[arguments, &["--json"]].concat()))
    }
}

fn code(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(
        error["error"]["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    );
    error["error"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn the_first_call_makes_a_passphrase_profile_and_the_next_ones_need_it() {
    let profile = Profile::new();
    assert_eq!(profile.json(&["accounts"]), serde_json::json!([]));
    assert_eq!(
        profile.json(&["conversations"])["rows"],
        serde_json::json!([])
    );
    let hits = profile.json(&["search", "sourdough", "rolls"]);
    assert_eq!(
        (
            hits["hits"].as_array().unwrap().len(),
            hits["people"].as_array().unwrap().len()
        ),
        (0, 0)
    );

    let wrong = profile
        .command(&["accounts", "--json"])
        .env("SHOPBELL_PASSPHRASE", "sourdough at dusk")
        .output()
        .unwrap();
    assert_eq!(code(&wrong), "passphrase_wrong");
    let none = profile
        .command(&["accounts", "--json"])
        .env_remove("SHOPBELL_PASSPHRASE")
        .output()
        .unwrap();
    assert_eq!(code(&none), "passphrase_needed");

    let file = std::fs::read(profile.folder.path().join("main/shopbell.db")).unwrap();
    assert!(!file.starts_with(b"SQLite format 3"));
}

#[test]
fn what_is_not_there_is_said_in_one_sentence() {
    let profile = Profile::new();
    assert_eq!(profile.refused(&["send", "77", "hello"]), "not_found");
    assert_eq!(profile.refused(&["contacts", "refresh", "77"]), "not_found");
    assert_eq!(profile.refused(&["sync", "--account", "77"]), "not_found");
    assert_eq!(profile.refused(&["connect", "status"]), "not_found");
    assert_eq!(profile.json(&["sync"]), serde_json::json!([]));
    let output = profile.run(&["send", "77", "hello"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "There is no such thing. (not_found: conversation)\n"
    );
}

#[test]
fn connecting_prints_the_address_and_survives_between_calls() {
    let profile = Profile::new();
    let begun = profile.json(&["connect", "instagram", "--no-browser"]);
    assert_eq!(begun["step"], "waiting");
    assert!(
        begun["authorize_url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:9/")
    );
    assert_eq!(begun["number"].as_str().unwrap().len(), 2);
    let later = profile.json(&["connect", "status"]);
    assert_eq!(
        (&later["id"], &later["number"]),
        (&begun["id"], &begun["number"])
    );
    assert_eq!(
        profile.refused(&["connect", "finish", "hello"]),
        "not_a_code"
    );
    profile.json(&["connect", "cancel"]);

    let lines = profile.run(&["connect", "facebook", "--no-browser"]);
    let lines = String::from_utf8_lossy(&lines.stdout).into_owned();
    assert!(lines.contains("The page must show"), "{lines}");
}

#[test]
fn the_doctor_names_what_does_not_work() {
    let profile = Profile::new();
    profile.json(&["accounts"]);
    let output = profile.run(&["doctor", "--json"]);
    assert_eq!(code(&output), "trouble_found");
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let of = |subject: &str| {
        findings
            .iter()
            .find(|found| found["subject"] == subject)
            .unwrap()["reason"]["code"]
            .clone()
    };
    assert_eq!(of("database"), "database_ok");
    assert_eq!(of("vault"), "vault_ok");
    assert_eq!(of("keychain"), "keychain_not_used");
    assert_eq!(of("recovery_key"), "recovery_key_unconfirmed");
    assert_eq!(of("relay"), "relay_unreachable");
    let lines = profile.run(&["doctor"]);
    assert!(String::from_utf8_lossy(&lines.stdout).contains("TROUBLE relay"));
}

#[test]
fn beside_a_program_that_holds_the_profile_reading_works_and_writing_is_refused() {
    let profile = Profile::new();
    profile.json(&["accounts"]);
    let lock = std::fs::File::open(profile.folder.path().join("main/profile.lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(profile.folder.path().join("main/profile.pid"), "4711").unwrap();
    assert_eq!(profile.refused(&["send", "1", "hello"]), "profile_in_use");
    let output = profile.run(&["sync"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("process 4711"));
    assert_eq!(profile.json(&["accounts"]), serde_json::json!([]));
    assert_eq!(
        profile.json(&["conversations", "--view", "needs-you"])["rows"],
        serde_json::json!([])
    );
}

#[test]
fn a_damaged_endpoints_file_is_not_silently_the_default() {
    let profile = Profile::new();
    std::fs::write(profile.folder.path().join("endpoints.json"), "{").unwrap();
    assert_eq!(profile.refused(&["accounts"]), "endpoints");
}
