//! The connection to the servers: how it is made, what is refused, and what the answer to a publish means.
//!
//! Invariant: nothing is taken for stored unless the stream's leader said so, and nothing for not stored unless it said that. A
//! connection that went away in between is [`Published::Unknown`], never an error that a caller could take for "no".
//! What the messages mean belongs to the modules beside this one.

use std::{fmt::Display, future::Future, sync::Arc, time::Duration};

use async_nats::{
    Client, ConnectOptions, Event,
    jetstream::{
        Context, ErrorCode,
        context::{ContextBuilder, PublishError, PublishErrorKind},
        message::{PublishMessage, StreamMessage},
        stream::{Config, PersistenceMode, RawMessageErrorKind, StorageType, Stream},
    },
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::{address::Address, monitor::monitored};
use crate::storage::{StorageError, Stored};

/// How long one question may take.
const ASK_MAX: Duration = Duration::from_secs(5);
/// Server and client ask each other this often whether the other is there.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A question that got no answer is asked again after this, doubled each time up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// See [`PAUSE_MIN`].
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// What became of a publish.
#[derive(Debug)]
pub(super) enum Published {
    /// Stored durably.
    Stored {
        /// At this place of the stream.
        sequence: u64,
        /// Already before, under the same name.
        before: bool,
    },
    /// Not stored: the newest message of the subject is another one than expected.
    Behind,
    /// Nobody knows.
    Unknown,
}

/// Messages of one subject with their places in the stream, in order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// What there was.
    pub(super) messages: Vec<(u64, Bytes)>,
    /// The server that answered has more after these.
    pub(super) more: bool,
}

/// Waits between attempts.
pub(super) struct Pause {
    next: Duration,
    end: tokio::time::Instant,
}

impl Pause {
    /// Attempts within this time.
    pub(super) fn within(all: Duration) -> Self {
        Self {
            next: PAUSE_MIN,
            end: tokio::time::Instant::now() + all,
        }
    }

    /// An error when the time is over.
    pub(super) fn check(&self) -> Stored<()> {
        if tokio::time::Instant::now() + self.next > self.end {
            return Err(StorageError::Other(
                "the NATS servers did not answer in time".into(),
            ));
        }
        Ok(())
    }

    /// Waits; an error when the time is over.
    pub(super) async fn wait(&mut self) -> Stored<()> {
        self.check()?;
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(PAUSE_MAX);
        Ok(())
    }
}

/// A connection.
pub(super) struct Link {
    /// For subscriptions.
    pub(super) client: Client,
    /// For everything that is stored.
    pub(super) jetstream: Context,
    /// Name of this process towards the others; unguessable.
    pub(super) node: String,
    lost: watch::Receiver<u64>,
    found: watch::Receiver<u64>,
}

impl Link {
    /// Connects to servers that sync before they answer; refuses all others.
    pub(super) async fn open(address: &Address, node: String) -> Stored<Self> {
        let monitored = monitored(&address.monitors).await?;
        let (lost_tx, lost) = watch::channel(0u64);
        let (found_tx, found) = watch::channel(0u64);
        let (lost_tx, found_tx) = (Arc::new(lost_tx), Arc::new(found_tx));
        let mut options = ConnectOptions::new()
            .name("shopbell-relay")
            .ping_interval(PING_EVERY)
            .connection_timeout(ASK_MAX)
            .request_timeout(Some(ASK_MAX))
            .require_tls(address.tls)
            .event_callback(move |event| {
                let (lost, found) = (Arc::clone(&lost_tx), Arc::clone(&found_tx));
                async move {
                    match event {
                        Event::Disconnected => lost.send_modify(|n| *n += 1),
                        // A subscription that was too slow has missed something, as after a reconnection.
                        Event::Connected | Event::SlowConsumer(_) => found.send_modify(|n| *n += 1),
                        _ => {}
                    }
                    tracing::debug!(%event, "nats");
                }
            });
        if let Some((user, password)) = &address.user {
            options = options.user_and_password(user.clone(), password.expose().to_owned());
        }
        if let Some(file) = &address.credentials {
            options = options
                .credentials_file(file)
                .await
                .map_err(failed("the credentials file cannot be read"))?;
        }
        if let Some(file) = &address.authority {
            options = options.add_root_certificates(file.clone());
        }
        let client = options
            .connect(&address.servers)
            .await
            .map_err(failed("no NATS server can be reached"))?;
        let info = client.server_info();
        if !monitored
            .iter()
            .any(|server| server.server_id == info.server_id)
        {
            return Err(StorageError::Other(
                "the NATS server that answered is none of those at the monitoring addresses".into(),
            ));
        }
        let jetstream = ContextBuilder::new().timeout(ASK_MAX).build(client.clone());
        Ok(Self {
            node,
            client,
            jetstream,
            lost,
            found,
        })
    }

    /// Changes whenever a connection was made, or a subscription fell behind.
    pub(super) fn found(&self) -> watch::Receiver<u64> {
        self.found.clone()
    }

    /// Makes a stream, or takes the one that is there when it keeps what it is given as it must.
    pub(super) async fn stream(&self, config: Config) -> Stored<Stream> {
        let name = config.name.clone();
        let stream = match self.ask("a stream", self.jetstream.get_stream(&name)).await {
            Ok(stream) => stream,
            Err(_) => match self.jetstream.create_stream(config.clone()).await {
                Ok(stream) => stream,
                // Another node made it at this moment, perhaps with other options.
                Err(error) => self
                    .jetstream
                    .get_stream(&name)
                    .await
                    .map_err(|_| failed("a stream cannot be made")(error))?,
            },
        };
        let found = &stream.cached_info().config;
        let kept = [
            ("storage", found.storage == StorageType::File),
            ("subjects", found.subjects == config.subjects),
            (
                "max_msgs_per_subject",
                found.max_messages_per_subject.max(0) == config.max_messages_per_subject,
            ),
            ("max_msgs", found.max_messages <= 0),
            ("no_ack", !found.no_ack),
            ("deny_purge", !found.deny_purge),
            ("allow_rollup_hdrs", found.allow_rollup),
            ("allow_direct", found.allow_direct),
            (
                "allow_msg_ttl",
                found.allow_message_ttl == config.allow_message_ttl,
            ),
            ("republish", found.republish == config.republish),
            (
                "persist_mode",
                found.persist_mode != Some(PersistenceMode::Async),
            ),
        ];
        match kept.iter().find(|(_, as_made)| !as_made) {
            None => Ok(stream),
            Some((option, _)) => Err(StorageError::Other(format!(
                "the stream {name} on the NATS server has another {option} than the relay gives it"
            ))),
        }
    }

    /// Publishes and waits until it is durable.
    pub(super) async fn publish(
        &self,
        subject: &str,
        message: PublishMessage,
    ) -> Stored<Published> {
        let mut lost = self.lost.clone();
        lost.borrow_and_update();
        let sent = async {
            let ack = self
                .jetstream
                .send_publish(subject.to_owned(), message)
                .await?;
            ack.await
        };
        tokio::select! {
            biased;
            answer = sent => read(answer),
            _ = lost.changed() => Ok(Published::Unknown),
        }
    }

    /// Waits for an answer for as long as the connection lasts.
    pub(super) async fn ask<T, E: Display>(
        &self,
        what: &'static str,
        question: impl IntoFuture<Output = Result<T, E>>,
    ) -> Stored<T> {
        let mut lost = self.lost.clone();
        lost.borrow_and_update();
        tokio::select! {
            biased;
            answer = question.into_future() => answer.map_err(failed(what)),
            _ = lost.changed() => Err(StorageError::Other(format!("{what}: the connection was lost"))),
        }
    }

    /// The newest message of a subject, from the stream's leader.
    pub(super) async fn last(
        &self,
        stream: &Stream,
        subject: &str,
    ) -> Stored<Option<StreamMessage>> {
        let question = stream.raw_message_builder().last_by_subject(subject);
        self.ask("the newest message", found_or_none(question.send()))
            .await
    }

    /// The first message of a subject at or after a place of the stream, from the stream's leader.
    pub(super) async fn next(
        &self,
        stream: &Stream,
        subject: &str,
        sequence: u64,
    ) -> Stored<Option<StreamMessage>> {
        let question = stream
            .raw_message_builder()
            .next_by_subject(subject)
            .sequence(sequence.max(1));
        self.ask("the next message", found_or_none(question.send()))
            .await
    }

    /// Messages of a subject from a place of the stream on, at most `count` and about `max_bytes`, from any server that has them: in a
    /// cluster it may not have the newest yet.
    pub(super) async fn batch(
        &self,
        stream_name: &str,
        subject: &str,
        sequence: u64,
        count: usize,
        max_bytes: usize,
    ) -> Stored<Batch> {
        let request = serde_json::json!({
            "seq": sequence.max(1),
            "next_by_subj": subject,
            "batch": count.clamp(1, 1000),
            "max_bytes": max_bytes,
        });
        self.ask("a read", async {
            tokio::time::timeout(ASK_MAX, self.read_batch(stream_name, request.to_string()))
                .await
                .map_err(|_| StorageError::Other("no answer in time".into()))?
        })
        .await
    }

    async fn read_batch(&self, stream_name: &str, request: String) -> Stored<Batch> {
        let inbox = self.client.new_inbox();
        let mut answers = self
            .client
            .subscribe(inbox.clone())
            .await
            .map_err(failed("a subscription"))?;
        let subject = format!("$JS.API.DIRECT.GET.{stream_name}");
        self.client
            .publish_with_reply(subject, inbox, request.into())
            .await
            .map_err(failed("a read"))?;
        let mut batch = Batch::default();
        while let Some(answer) = answers.next().await {
            let header = |name: &str| -> Option<u64> {
                answer.headers.as_ref()?.get(name)?.as_str().parse().ok()
            };
            match answer.status.map(|status| status.as_u16()) {
                None => {
                    let sequence =
                        header("Nats-Sequence").ok_or(StorageError::Unreadable("sequence"))?;
                    batch.messages.push((sequence, answer.payload));
                }
                Some(204) => {
                    batch.more = header("Nats-Num-Pending").is_none_or(|pending| pending > 0);
                    return Ok(batch);
                }
                Some(404) => return Ok(batch),
                Some(status) => return Err(StorageError::Other(format!("status {status}"))),
            }
        }
        Err(StorageError::Other("the connection was closed".into()))
    }

    /// Deletes the messages of a subject up to a place of the stream, inclusive. Answers how many.
    pub(super) async fn purge(&self, stream: &Stream, subject: &str, to: u64) -> Stored<u64> {
        // The server takes a purge up to nothing for one of everything.
        if to == 0 {
            return Ok(0);
        }
        let question = stream.purge().filter(subject).sequence(to + 1);
        Ok(self.ask("a purge", question).await?.purged)
    }

    /// Deletes all messages of subjects.
    pub(super) async fn purge_all(&self, stream: &Stream, subjects: &str) -> Stored<()> {
        self.ask("a purge", stream.purge().filter(subjects)).await?;
        Ok(())
    }

    /// Subjects of a stream that match.
    pub(super) async fn subjects(&self, stream: &Stream, filter: &str) -> Stored<Vec<String>> {
        let mut subjects = self
            .ask(
                "the subjects of a stream",
                stream.info_with_subjects(filter),
            )
            .await?;
        let mut out = Vec::new();
        while let Some(subject) = subjects.next().await {
            out.push(subject.map_err(failed("the subjects of a stream"))?.0);
        }
        Ok(out)
    }
}

/// A storage error of what NATS said, with what was asked. Subjects and values are in none of its texts.
pub(super) fn failed<E: Display>(what: &'static str) -> impl FnOnce(E) -> StorageError {
    move |error| StorageError::Other(format!("{what}: {error}"))
}

async fn found_or_none(
    question: impl Future<
        Output = Result<StreamMessage, async_nats::jetstream::stream::RawMessageError>,
    >,
) -> Result<Option<StreamMessage>, async_nats::jetstream::stream::RawMessageError> {
    match question.await {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(
    answer: Result<async_nats::jetstream::publish::PublishAck, PublishError>,
) -> Stored<Published> {
    let error = match answer {
        Ok(ack) => {
            return Ok(Published::Stored {
                sequence: ack.sequence,
                before: ack.duplicate,
            });
        }
        Err(error) => error,
    };
    match error.kind() {
        PublishErrorKind::WrongLastSequence => Ok(Published::Behind),
        // A server that has just started knows its streams a moment later.
        PublishErrorKind::TimedOut
        | PublishErrorKind::BrokenPipe
        | PublishErrorKind::StreamNotFound => Ok(Published::Unknown),
        _ => {
            let refusal = std::error::Error::source(&error)
                .and_then(|source| source.downcast_ref::<async_nats::jetstream::Error>());
            match refusal.map(|refusal| (refusal.error_code(), refusal.code())) {
                Some((
                    ErrorCode::STORAGE_RESOURCES_EXCEEDED
                    | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
                    | ErrorCode::INSUFFICIENT_RESOURCES,
                    _,
                )) => Err(StorageError::Full),
                // A cluster's word for it while another publish to the subject is on its way.
                Some((ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT, _)) => Ok(Published::Behind),
                // The first attempt is on its way; or there is no leader at the moment.
                Some((ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT, _) | (_, 503)) => {
                    Ok(Published::Unknown)
                }
                _ => Err(failed("a publish")(error)),
            }
        }
    }
}
