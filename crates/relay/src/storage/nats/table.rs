//! Tables: key-value buckets whose rows change by compare-and-swap on the leader, and the feeds that tell other nodes of it.
//!
//! Buckets are laid out as NATS lays out its own, so an operator's tools show them. Keys are made by [`key`] from hashes or by callers
//! from base64url: never raw text from outside.
//! Invariant: [`Table::change`] applies a decision to the newest row or not at all, whoever else writes, and whatever happens to the
//! connection on the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{
    consumer::{DeliverPolicy, push::OrderedConfig},
    message::{PublishMessage, StreamMessage},
    stream::{Config, DiscardPolicy, StorageType, Stream},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use super::link::{Link, Pause, Published};
use crate::storage::{StorageError, Stored};

/// A change gives up after this.
const CHANGE_MAX: Duration = Duration::from_secs(10);
/// How long the mark of a removed row stays for nodes that were away.
const MARK_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A feed that broke begins anew after this.
const FOLLOW_AGAIN: Duration = Duration::from_secs(1);

/// Key of things that come from outside: a hash over all parts, each with its length.
pub(super) fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    B64.encode(hash.finalize())
}

/// A bucket.
pub(super) struct Table {
    pub(super) link: Arc<Link>,
    pub(super) stream: Stream,
    prefix: String,
    writes: AtomicU64,
}

/// The newest row of a key.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Place in the stream; 0 when there was never anything.
    pub(super) revision: u64,
    /// Nothing when it was removed.
    pub(super) value: Option<Bytes>,
    /// Who wrote it.
    tag: Option<String>,
}

/// What to do with a row.
pub(super) enum Decision<T, R> {
    /// Leave it.
    Keep(R),
    /// Write this.
    Put(T, R),
    /// Remove it.
    Remove(R),
}

/// What was done.
pub(super) struct Changed<T, R> {
    /// The answer of the decision that was carried out.
    pub(super) answer: R,
    /// The new row, when one was written.
    pub(super) written: Option<(u64, Option<T>)>,
}

/// What a feed tells.
pub(super) enum Told {
    /// A row is this now. Older revisions may come after newer ones only when a feed begins anew.
    Row {
        key: String,
        revision: u64,
        value: Option<Bytes>,
    },
    /// Every row was told that there was up to this revision; others that were known are gone.
    All { revision: u64 },
}

impl Table {
    /// Opens or makes the bucket `{prefix}_{name}`. `max_age`: rows go by themselves after this.
    pub(super) async fn open(
        link: &Arc<Link>,
        prefix: &str,
        replicas: usize,
        name: &str,
        max_age: Duration,
    ) -> Stored<Self> {
        let bucket = format!("{prefix}_{name}");
        let subjects = format!("$KV.{bucket}.");
        let stream = link
            .stream(Config {
                name: format!("KV_{bucket}"),
                subjects: vec![format!("{subjects}>")],
                storage: StorageType::File,
                num_replicas: replicas,
                max_messages_per_subject: 1,
                max_age,
                discard: DiscardPolicy::New,
                allow_rollup: true,
                allow_direct: true,
                allow_message_ttl: true,
                ..Config::default()
            })
            .await?;
        Ok(Self {
            link: Arc::clone(link),
            stream,
            prefix: subjects,
            writes: AtomicU64::new(0),
        })
    }

    /// The newest row.
    pub(super) async fn row(&self, key: &str) -> Stored<Row> {
        let message = self.link.last(&self.stream, &self.subject(key)).await?;
        Ok(message.map_or_else(Row::default, |message| row(&message)))
    }

    /// The newest row's value.
    pub(super) async fn get<T: DeserializeOwned>(&self, key: &str) -> Stored<Option<T>> {
        self.row(key).await?.value.as_ref().map(parse).transpose()
    }

    /// Writes (nothing: removes) when the newest row is still `expected`. Answers the new revision; nothing when somebody was faster.
    pub(super) async fn write(
        &self,
        key: &str,
        value: Option<Bytes>,
        expected: u64,
    ) -> Stored<Option<u64>> {
        let subject = self.subject(key);
        let tag = format!(
            "{}.{}",
            self.link.node,
            self.writes.fetch_add(1, Ordering::Relaxed)
        );
        let mut message = PublishMessage::build()
            .message_id(&tag)
            .expected_last_subject_sequence(expected);
        message = match value {
            Some(value) => message.payload(value),
            None => message.header("KV-Operation", "DEL").ttl(MARK_LIFE),
        };
        let mut pause = Pause::within(CHANGE_MAX);
        let mut unknown = false;
        loop {
            match self.link.publish(&subject, message.clone()).await? {
                Published::Stored { sequence, .. } => return Ok(Some(sequence)),
                Published::Behind if !unknown => return Ok(None),
                // It may be our own first attempt that stands in the way.
                Published::Behind => match self.row(key).await {
                    Ok(row) => return Ok((row.tag == Some(tag)).then_some(row.revision)),
                    Err(_) => pause.wait().await?,
                },
                Published::Unknown => {
                    unknown = true;
                    pause.wait().await?;
                }
            }
        }
    }

    /// Reads, decides, writes; again when somebody was faster.
    pub(super) async fn change<T, R>(
        &self,
        key: &str,
        mut decide: impl FnMut(Option<T>) -> Decision<T, R> + Send,
    ) -> Stored<Changed<T, R>>
    where
        T: Serialize + DeserializeOwned + Send,
        R: Send,
    {
        let mut pause = Pause::within(CHANGE_MAX);
        loop {
            let row = match self.row(key).await {
                Ok(row) => row,
                Err(_) => {
                    pause.wait().await?;
                    continue;
                }
            };
            let (value, answer) = match decide(row.value.as_ref().map(parse).transpose()?) {
                Decision::Keep(answer) => {
                    return Ok(Changed {
                        answer,
                        written: None,
                    });
                }
                Decision::Put(value, answer) => (Some(value), answer),
                Decision::Remove(answer) => (None, answer),
            };
            let bytes = value.as_ref().map(bytes_of).transpose()?;
            match self.write(key, bytes, row.revision).await? {
                Some(revision) => {
                    return Ok(Changed {
                        answer,
                        written: Some((revision, value)),
                    });
                }
                None => pause.wait().await?,
            }
        }
    }

    /// Deletes a row without a mark when it is still this revision. `true`: it was us.
    pub(super) async fn forget(&self, key: &str, revision: u64) -> Stored<bool> {
        let deleted = self
            .link
            .purge(&self.stream, &self.subject(key), revision)
            .await?;
        Ok(deleted > 0)
    }

    /// Keys below a prefix (`""`: all), removed ones too.
    pub(super) async fn keys(&self, below: &str) -> Stored<Vec<String>> {
        let subjects = self
            .link
            .subjects(&self.stream, &format!("{}{below}>", self.prefix))
            .await?;
        Ok(subjects
            .iter()
            .filter_map(|subject| subject.strip_prefix(&self.prefix).map(ToOwned::to_owned))
            .collect())
    }

    /// Subject of a key.
    pub(super) fn subject(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Tells every row, then every change, for as long as it is polled.
    pub(super) async fn follow(&self, mut tell: impl FnMut(Told) + Send) {
        loop {
            if let Err(error) = self.follow_once(&mut tell).await {
                tracing::warn!(%error, stream = self.stream.cached_info().config.name, "a feed begins anew");
            }
            tokio::time::sleep(FOLLOW_AGAIN).await;
        }
    }

    async fn follow_once(&self, tell: &mut (impl FnMut(Told) + Send)) -> Stored<()> {
        let ask = "a feed";
        let state = self.link.ask(ask, self.stream.get_info()).await?.state;
        let consumer = self
            .link
            .ask(
                ask,
                self.stream.create_consumer(OrderedConfig {
                    deliver_subject: self.link.client.new_inbox(),
                    filter_subject: format!("{}>", self.prefix),
                    deliver_policy: DeliverPolicy::LastPerSubject,
                    ..OrderedConfig::default()
                }),
            )
            .await?;
        let mut all = Some(state.last_sequence);
        if consumer.cached_info().num_pending == 0
            && let Some(revision) = all.take()
        {
            tell(Told::All { revision });
        }
        let mut messages = self.link.ask(ask, consumer.messages()).await?;
        while let Some(message) = messages.next().await {
            let message = message.map_err(super::link::failed(ask))?;
            let info = message.info().map_err(super::link::failed(ask))?;
            let (revision, pending) = (info.stream_sequence, info.pending);
            let Some(key) = message.subject.strip_prefix(&self.prefix) else {
                continue;
            };
            tell(Told::Row {
                key: key.to_owned(),
                revision,
                value: (!message.payload.is_empty()).then(|| message.payload.clone()),
            });
            if pending == 0
                && let Some(revision) = all.take()
            {
                tell(Told::All { revision });
            }
        }
        Ok(())
    }
}

fn row(message: &StreamMessage) -> Row {
    Row {
        revision: message.sequence,
        value: (!message.payload.is_empty()).then(|| message.payload.clone()),
        tag: message
            .headers
            .get(async_nats::header::NATS_MESSAGE_ID)
            .map(|tag| tag.as_str().to_owned()),
    }
}

/// Reads a row's value.
pub(super) fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Stored<T> {
    serde_json::from_slice(bytes).map_err(|_| StorageError::Unreadable("row"))
}

fn bytes_of<T: Serialize>(value: &T) -> Stored<Bytes> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|_| StorageError::Unreadable("row"))
}
