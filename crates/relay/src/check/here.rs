//! What can be looked at on this computer: options, key, storage.

use std::{net::SocketAddr, path::Path};

use super::{
    Check, Report,
    outside::{Answered, is_ready},
};
use crate::{
    Config, Entropy,
    config::KeySource,
    hold::Hold,
    key::{KeyError, RelayKey},
    storage,
};

/// The address at which a local caller reaches a listener.
pub(super) fn near(listen: SocketAddr) -> SocketAddr {
    let mut near = listen;
    if near.ip().is_unspecified() {
        near.set_ip(match listen {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    near
}

/// Options that are allowed and still most likely not meant.
pub(super) fn configuration(config: &Config, report: &mut Report) {
    let before = report.findings.len();
    if config.verify_token.is_none() {
        report.failed(
            "configuration",
            "verify_token is not set: Meta cannot verify the webhook address, so no events arrive.",
            "Set verify_token to any long random text, and enter the same text at Meta.",
        );
    }
    if !config.is_local() && config.tls.is_none() && !config.trust_forwarded {
        report.warning(
            "configuration",
            "A proxy does TLS and trust_forwarded is off: all callers count as one address.",
            "Let the proxy set X-Forwarded-For and set trust_forwarded = true.",
        );
    }
    if !config.is_local() && config.tls.is_some() && config.trust_forwarded {
        report.warning(
            "configuration",
            "The relay does TLS itself and trust_forwarded is on: callers can choose the address they are counted under.",
            "Set trust_forwarded = false, unless a proxy stands before it that passes TLS on.",
        );
    }
    let apps = [&config.facebook, &config.instagram];
    if apps
        .into_iter()
        .flatten()
        .any(|app| app.previous_secret.is_some())
    {
        report.warning(
            "configuration",
            "previous_secret is set: webhooks signed with the old secret are accepted.",
            "Remove it when shopbell_relay_signed_by_total no longer counts the old secret.",
        );
    }
    if report.findings.len() == before {
        report.ok("configuration", "The options fit together.");
    }
}

/// The relay's key, when there is one. None is made: that is the first start's work, under the service's own user.
pub(super) fn key(config: &Config, entropy: &dyn Entropy, report: &mut Report) -> Option<RelayKey> {
    let source = config.key_source();
    if let KeySource::File(path) = &source
        && !path.exists()
    {
        report.warning(
            "key",
            format!("There is no key at {} yet.", path.display()),
            "The first start makes it. Keep a copy: without it, sealed hook secrets are lost.",
        );
        return None;
    }
    if let KeySource::Ephemeral = source {
        report.warning(
            "key",
            "The key is made anew at every start, because the storage is in memory.",
            "Only for trying things out.",
        );
        return None;
    }
    match RelayKey::load(&source, entropy) {
        Ok(key) => {
            match &source {
                KeySource::File(path) if open_to_others(path) => report.warning(
                    "key",
                    "Other users of this computer can read the key file.",
                    "chmod 600 it.",
                ),
                _ => report.ok("key", "The relay's key can be read."),
            }
            Some(key)
        }
        Err(error @ KeyError::Malformed) => {
            report.failed(
                "key",
                format!("The key is of no use: {error}."),
                "Restore it from a copy, or remove the file and let the next start make one.",
            );
            None
        }
        Err(KeyError::File(error)) => {
            report.failed(
                "key",
                format!("The key file cannot be read: {}.", error.kind()),
                "Run the check as the user the relay runs as.",
            );
            None
        }
    }
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> bool {
    false
}

impl Check {
    /// Storage: asked of the running relay if there is one, else opened. Answers whether one runs.
    pub(super) async fn storage(&self, report: &mut Report) -> bool {
        match self.local().await {
            Answered::ThisRelay => {
                if is_ready(&self.config).await {
                    report.ok("storage", "The running relay's storage answers.");
                } else {
                    report.failed(
                        "storage",
                        "The running relay's storage does not answer, or its disk failed.",
                        "Look at its log and at the disk, then restart it.",
                    );
                }
                true
            }
            Answered::Another => {
                report.failed(
                    "storage",
                    "Another relay or program answers at the listening address.",
                    "Stop it, or choose another address with listen.",
                );
                false
            }
            Answered::Nobody => {
                self.storage_at_rest(report).await;
                false
            }
        }
    }

    async fn storage_at_rest(&self, report: &mut Report) {
        let kind = self.config.storage.as_str();
        if self.config.storage_in_memory() {
            report.warning(
                "storage",
                "The storage is in memory: everything is lost at a restart.",
                "Set storage = \"sqlite:PATH\".",
            );
            return;
        }
        // A new database would belong to whoever runs the check, who need not be the service's user.
        if let Some(path) = self.config.storage_file()
            && !path.exists()
        {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            match tempfile_in(folder) {
                Ok(()) => report.ok(
                    "storage",
                    format!("The first start will make {}.", path.display()),
                ),
                Err(error) => report.failed(
                    "storage",
                    format!(
                        "Nothing can be written in {}: {}.",
                        folder.display(),
                        error.kind()
                    ),
                    "Make the folder and give it to the user the relay runs as.",
                ),
            }
            return;
        }
        let _hold = match Hold::take_there(&self.config) {
            Ok(hold) => hold,
            Err(error) => {
                report.failed(
                    "storage",
                    format!("{error}, but not the one of this configuration's address."),
                    "Stop it, or use another file.",
                );
                return;
            }
        };
        match storage::open(kind, self.entropy.as_ref()).await {
            Ok(storage) => {
                if storage.ready().await {
                    report.ok("storage", "The storage opens and takes writes.");
                } else {
                    report.failed(
                        "storage",
                        "The storage opens and takes no writes.",
                        "Look at the disk and at the owner of the files.",
                    );
                }
                storage.close().await;
            }
            Err(error) => report.failed(
                "storage",
                format!("The storage does not open: {error}."),
                "Look at the path, the owner of the files and whether another relay has them.",
            ),
        }
    }
}

fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(".shopbell-relay-check");
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path);
    match made {
        Ok(_) => std::fs::remove_file(&path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(&path)
        }
        Err(error) => Err(error),
    }
}
