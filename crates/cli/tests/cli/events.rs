//! Listening and looking at what came, without an account and without a relay.

use super::Profile;
use serde_json::{Value, json};

#[test]
fn without_an_account_there_is_nothing_to_listen_to() {
    let profile = Profile::new();
    assert_eq!(
        profile.json(&["events"]),
        json!({ "rows": [], "next": null })
    );
    assert_eq!(
        profile.json(&["events", "--state", "failed", "--limit", "5"])["rows"],
        json!([])
    );
    assert_eq!(profile.refused(&["events", "retry", "7"]), "not_found");
    assert_eq!(profile.refused(&["events", "leave", "7"]), "not_found");

    let told = profile.run(&["listen", "--for", "0", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        told,
        json!({ "state": "off", "committed": 0, "behind": 0, "reason": null })
    );
    let told = profile.run(&["listen", "--for", "0"]);
    assert_eq!(
        String::from_utf8_lossy(&told.stdout),
        "off, 0 events taken in\n"
    );
}
