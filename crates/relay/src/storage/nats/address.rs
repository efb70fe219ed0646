//! Where a NATS storage is: `nats://HOST:PORT[,…]?monitor=URL[&monitor=URL…][&prefix=shopbell][&replicas=1][&credentials=FILE][&tls=on][&ca=FILE]`.
//!
//! Invariant: an address that parses is complete: it has a server, a prefix that is safe in subjects, and at least one monitoring
//! address, because without it nobody can tell whether the server syncs before it answers. The text may carry a password, so no error
//! and no `Debug` shows any of it.

use std::path::PathBuf;

use async_nats::ServerAddr;
use percent_encoding::percent_decode_str;
use shopbell_wire::Secret;
use url::Url;

use crate::storage::{StorageError, Stored};

/// What an operator wrote, taken apart.
pub(super) struct Address {
    /// One or more servers of one cluster.
    pub(super) servers: Vec<ServerAddr>,
    /// User and password, from in front of any server: a cluster has the same for all.
    pub(super) user: Option<(String, Secret)>,
    /// Monitoring address of every server, as `http://HOST:8222`.
    pub(super) monitors: Vec<Url>,
    /// In front of every stream, bucket and subject, so that several relays can share a server.
    pub(super) prefix: String,
    /// Copies of everything in a cluster.
    pub(super) replicas: usize,
    /// A `.creds` file.
    pub(super) credentials: Option<PathBuf>,
    /// Nothing goes over a connection without TLS.
    pub(super) tls: bool,
    /// PEM with the authority of the servers' certificates.
    pub(super) authority: Option<PathBuf>,
}

impl Address {
    /// Takes the text apart.
    pub(super) fn parse(text: &str) -> Stored<Self> {
        let rest = text
            .strip_prefix("nats://")
            .ok_or_else(|| refused("begins with nats://"))?;
        let (hosts, query) = rest.split_once('?').unwrap_or((rest, ""));
        let servers = hosts
            .trim_end_matches('/')
            .split(',')
            .map(|host| format!("nats://{}", host.trim()).parse::<ServerAddr>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| refused("names servers as HOST:PORT, with commas between them"))?;
        let user = servers.iter().find_map(|server| {
            let decoded = |text: &str| {
                percent_decode_str(text)
                    .decode_utf8()
                    .ok()
                    .map(String::from)
            };
            let password = decoded(server.password().unwrap_or_default())?;
            Some((decoded(server.username()?)?, Secret::new(password)))
        });
        let mut address = Self {
            servers,
            user,
            monitors: Vec::new(),
            prefix: "shopbell".into(),
            replicas: 1,
            credentials: None,
            tls: false,
            authority: None,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "monitor" => address.monitors.push(
                    Url::parse(&value)
                        .ok()
                        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                        .ok_or_else(|| refused("has monitor=http://HOST:8222"))?,
                ),
                "prefix" => address.prefix = value.into_owned(),
                "replicas" => {
                    address.replicas = value
                        .parse()
                        .ok()
                        .filter(|replicas| matches!(replicas, 1 | 3 | 5))
                        .ok_or_else(|| refused("has replicas=1, 3 or 5"))?;
                }
                "credentials" => address.credentials = Some(PathBuf::from(&*value)),
                "tls" if value == "on" => address.tls = true,
                "ca" => address.authority = Some(PathBuf::from(&*value)),
                _ => {
                    return Err(refused(
                        "knows monitor, prefix, replicas, credentials, tls=on and ca",
                    ));
                }
            }
        }
        let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if !(1..=32).contains(&address.prefix.len()) || !address.prefix.chars().all(safe) {
            return Err(refused(
                "has a prefix of at most 32 small letters, digits, - and _",
            ));
        }
        if address.monitors.is_empty() {
            return Err(refused(
                "needs monitor=http://HOST:8222 of every server: only there it says whether it syncs before it answers",
            ));
        }
        Ok(address)
    }
}

fn refused(sentence: &str) -> StorageError {
    StorageError::Other(format!("a NATS storage address {sentence}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn why(text: &str) -> String {
        match Address::parse(text) {
            Ok(_) => panic!("{text} was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_cluster_is_named_with_all_it_needs() {
        let address = Address::parse(
            "nats://relay:s3cret%2F@n1:4222,n2:4223?prefix=shop-2&monitor=http://n1:8222&monitor=http://n2:8222&replicas=3&tls=on&ca=/etc/ca.pem&credentials=/etc/relay.creds",
        )
        .unwrap();
        assert_eq!(address.servers.len(), 2);
        let (user, password) = address.user.unwrap();
        assert_eq!((user.as_str(), password.expose()), ("relay", "s3cret/"));
        assert_eq!(address.servers[1].port(), 4223);
        assert_eq!(address.monitors.len(), 2);
        assert_eq!((address.prefix.as_str(), address.replicas), ("shop-2", 3));
        assert!(address.tls);
        assert_eq!(address.credentials, Some("/etc/relay.creds".into()));
    }

    #[test]
    fn what_is_missing_or_odd_is_refused_in_words_that_show_no_password() {
        assert!(why("nats://host:4222").contains("monitor="));
        assert!(why("nats://h?monitor=http://h:8222&prefix=a.b").contains("prefix"));
        assert!(why("nats://h?monitor=http://h:8222&prefix=").contains("prefix"));
        assert!(why("nats://h?monitor=file:///x").contains("monitor"));
        assert!(why("nats://h?monitor=http://h:8222&replicas=2").contains("replicas"));
        assert!(why("nats://h?monitor=http://h:8222&tls=off").contains("tls=on"));
        assert!(!why("nats://u:s3cret@h:99999999").contains("s3cret"));
    }
}
