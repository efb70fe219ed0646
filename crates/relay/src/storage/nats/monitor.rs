//! What the servers say of themselves at their monitoring addresses, and which are refused.
//!
//! Only there a server says whether it syncs before it answers (`jetstream.config.sync_always`; `sync_interval` keeps its number even
//! then). One that does not would lose events it has acknowledged when its computer loses power.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::storage::{StorageError, Stored};

/// How long a monitoring address may take.
const ASK_MAX: Duration = Duration::from_secs(5);
/// Smallest `max_payload` of a server: the largest event with what a block adds.
const PAYLOAD_MIN: usize = shopbell_wire::EVENT_MAX_BYTES + super::block::HEAD_MAX + 4 * 1024;

/// The part of `/varz` that decides.
#[derive(Deserialize)]
pub(super) struct Varz {
    /// Also told to every client.
    pub(super) server_id: String,
    #[serde(default)]
    server_name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    max_payload: usize,
    #[serde(default)]
    jetstream: Option<JetStreamz>,
}

#[derive(Deserialize)]
struct JetStreamz {
    #[serde(default)]
    config: Option<StoreConfig>,
}

#[derive(Deserialize)]
struct StoreConfig {
    #[serde(default)]
    sync_always: bool,
}

/// Asks every monitoring address and refuses servers that do not sync before they answer.
pub(super) async fn monitored(monitors: &[Url]) -> Stored<Vec<Varz>> {
    let http = reqwest::Client::builder()
        .timeout(ASK_MAX)
        .build()
        .map_err(|_| StorageError::Other("the HTTP client could not be built".into()))?;
    let mut servers = Vec::new();
    for monitor in monitors {
        let mut varz = monitor.clone();
        varz.set_path(&format!("{}/varz", monitor.path().trim_end_matches('/')));
        let server: Varz = async {
            http.get(varz)
                .send()
                .await?
                .error_for_status()?
                .json()
                .await
        }
        .await
        .map_err(|e| {
            StorageError::Other(format!(
                "a NATS monitoring address does not answer: {}",
                e.without_url()
            ))
        })?;
        accept(&server)?;
        servers.push(server);
    }
    Ok(servers)
}

fn accept(server: &Varz) -> Stored<()> {
    let refuse = |why: String| {
        Err(StorageError::Other(format!(
            "the NATS server {} is refused: {why}",
            server.server_name
        )))
    };
    let mut version = server
        .version
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    if (version.next(), version.next()) < (Some(2), Some(11)) {
        return refuse(format!("version {} is older than 2.11", server.version));
    }
    let Some(config) = server.jetstream.as_ref().and_then(|j| j.config.as_ref()) else {
        return refuse("JetStream is off".into());
    };
    if !config.sync_always {
        return refuse(
            "it answers before what it stores is on the disk; set jetstream { sync_interval: always }"
                .into(),
        );
    }
    if server.max_payload < PAYLOAD_MIN {
        return refuse(format!(
            "max_payload is {} bytes and must be at least {PAYLOAD_MIN}; set max_payload: 8MB",
            server.max_payload
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn varz(text: serde_json::Value) -> Varz {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn only_a_server_that_syncs_before_it_answers_is_taken() {
        let fine = serde_json::json!({"server_id": "N1", "server_name": "n1", "version": "2.15.1", "max_payload": 8_388_608,
            "jetstream": {"config": {"sync_interval": 120_000_000_000_u64, "sync_always": true}}});
        assert!(accept(&varz(fine.clone())).is_ok());
        for (pointer, value, said) in [
            (
                "/jetstream/config",
                serde_json::json!({"sync_interval": 1}),
                "sync_interval",
            ),
            ("/jetstream", serde_json::json!({}), "JetStream is off"),
            ("/max_payload", serde_json::json!(1_048_576), "max_payload"),
            ("/version", serde_json::json!("2.9.25"), "older"),
            ("/version", serde_json::json!("unknown"), "older"),
        ] {
            let mut other = fine.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            let error = accept(&varz(other)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
