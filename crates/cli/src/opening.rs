//! From the arguments to an open core.

use crate::{args::Place, trouble::Trouble};
use serde_json::{Map, Value};
use shopbell_core::{
    Core, CoreConfig, OpenAs, OsEntropy, SystemClock, api::types::VaultStatus, endpoints,
    vault::Keychain,
};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};
use url::Url;

/// The app's identifier; its data lies under this name.
const IDENTIFIER: &str = "org.shopbell.desktop";

/// The passphrase of the profile, when it has one.
fn passphrase() -> Option<String> {
    std::env::var("SHOPBELL_PASSPHRASE")
        .ok()
        .filter(|text| !text.is_empty())
}

/// The core of the profile; nothing is opened yet.
pub fn core(place: &Place) -> Result<Core, Trouble> {
    let dir = match &place.profile {
        Some(dir) => dir.clone(),
        None => default_folder().ok_or_else(|| {
            Trouble::new(
                "no_folder",
                "There is no home folder; name one with --profile.",
            )
        })?,
    };
    fs::create_dir_all(&dir).map_err(|error| Trouble::io("folder", &error))?;
    if place.relay.is_some() || place.sandbox.is_some() {
        remember(&dir, place.relay.as_ref(), place.sandbox.as_ref())?;
    }
    Ok(Core::new(CoreConfig {
        endpoints: endpoints::load(&dir)
            .map_err(|error| Trouble::new("endpoints", &error.to_string()))?,
        dir,
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(OsEntropy),
        keychain: if passphrase().is_some() {
            Keychain::Missing
        } else {
            Keychain::os()
        },
    }))
}

/// Opens it for `purpose`.
pub async fn open(core: &Core, purpose: OpenAs) -> Result<(), Trouble> {
    let status = core.open_as(purpose).await;
    let VaultStatus::Locked { reason, ways } = status else {
        return Ok(());
    };
    let Some(passphrase) = passphrase() else {
        return Err(Trouble::from(reason));
    };
    if ways.iter().any(|way| way == "passphrase") {
        return Ok(core.unlock(passphrase).await?);
    }
    if ways.iter().any(|way| way == "create_passphrase") {
        return Ok(core.create_passphrase(passphrase).await?);
    }
    Err(Trouble::from(reason))
}

/// Opens it for reading: alone, or beside the app that holds it.
pub async fn open_to_read(core: &Core) -> Result<(), Trouble> {
    match open(core, OpenAs::Tool).await {
        Err(trouble) if trouble.code == "profile_in_use" => open(core, OpenAs::Reader).await,
        other => other,
    }
}

/// Keeps the addresses in the profile's `endpoints.json`. The file is always whole: another call may read it at any moment, and this
/// one may be ended at any moment.
fn remember(dir: &Path, relay: Option<&Url>, sandbox: Option<&Url>) -> Result<(), Trouble> {
    let path = dir.join("endpoints.json");
    let mut file: Map<String, Value> = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map_err(|_| Trouble::new("endpoints", "endpoints.json does not fit."))?,
        Err(error) if error.kind() == ErrorKind::NotFound => Map::new(),
        Err(error) => return Err(Trouble::io("endpoints.json", &error)),
    };
    let before = file.clone();
    for (name, url) in [("relay", relay), ("sandbox", sandbox)] {
        if let Some(url) = url {
            file.insert(name.into(), url.as_str().into());
        }
    }
    if file == before {
        return Ok(());
    }
    let text = serde_json::to_vec_pretty(&file).unwrap_or_default();
    let beside = dir.join(format!("endpoints.json.{}", std::process::id()));
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, &path))
        .map_err(|error| Trouble::io("endpoints.json", &error))
}

/// Where the app keeps its data.
fn default_folder() -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = if cfg!(target_os = "windows") {
        variable("APPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")))
    };
    base.map(|base| base.join(IDENTIFIER))
}
