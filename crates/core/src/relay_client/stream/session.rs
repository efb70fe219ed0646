//! One connection, from the challenge to its end.
//!
//! Invariant: only what is on disk is acknowledged. What follows in the chain is taken; what was heard before is skipped; a hole is never
//! passed over in silence: the relay is asked once more from the last event before it, and what is still missing then is a gap.

use super::{
    Order, Stream,
    after::{End, Mood},
    first::{First, gap_reason, judge},
    frames::{Heard, Link, link},
    socket::Socket,
    taking::{Done, Item, Taking},
};
use crate::{
    Profile,
    api::types::{Change, Reason, RelayState},
    clock::Sleep,
    events::{self, Place},
    planted,
};
use shopbell_wire::{
    ACK_MS, DEAD_MS, DeviceKeys, DeviceMessage, Hello, RelayMessage, WINDOW_BYTES, WINDOW_EVENTS,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// How a connection ended, and how long the relay had been ready.
pub(super) struct Ended {
    pub end: End,
    pub lived_ms: Option<i64>,
}

/// Connects, and stays.
pub(super) async fn run(
    profile: &Arc<Profile>,
    client: &reqwest::Client,
    mood: &mut Mood,
) -> Ended {
    let ended = |end| Ended {
        end,
        lived_ms: None,
    };
    let (mut socket, keys) = match connect(profile, client).await {
        Ok(open) => open,
        Err(end) => return ended(end),
    };
    let (place, first) = match greet(profile, &mut socket, &keys).await {
        Ok(greeted) => greeted,
        Err(end) => return ended(end),
    };
    let begun_ms = profile.parts.clock.monotonic_ms();
    let end = match Session::begin(profile, socket, keys, place, first).await {
        Ok(mut session) => session.live(mood).await,
        Err(end) => end,
    };
    Ended {
        end,
        lived_ms: Some(profile.parts.clock.monotonic_ms() - begun_ms),
    }
}

async fn connect(
    profile: &Profile,
    client: &reqwest::Client,
) -> Result<(Socket, Arc<DeviceKeys>), End> {
    let keys = profile.relay.keys(&profile.vault).await.map_err(|error| {
        tracing::warn!(target: "shopbell::stream", %error, "no device keys");
        End::Keys
    })?;
    let mut random = [0_u8; 16];
    profile.parts.entropy.fill(&mut random);
    let clock = Arc::clone(&profile.parts.clock);
    let socket = Socket::open(client, &profile.parts.endpoints.relay, random, clock).await?;
    Ok((socket, keys))
}

async fn greet(
    profile: &Profile,
    socket: &mut Socket,
    keys: &DeviceKeys,
) -> Result<(Place, First), End> {
    let relay = profile.parts.endpoints.relay.as_str();
    let late = profile.parts.clock.sleep(Duration::from_millis(DEAD_MS));
    let talk = async {
        let RelayMessage::Challenge { nonce } = said(socket).await? else {
            return Err(End::Confused("no_challenge"));
        };
        // Only now: an earlier connection's last commit is on disk when its task has ended.
        let _before = profile.stream.taking.lock().await;
        let place = events::load(profile, relay)
            .await
            .map_err(|error| End::from(&error))?;
        let hello = Hello::sign(keys, relay, &nonce, place.known_epoch(), place.committed);
        socket.say(&DeviceMessage::Hello(hello)).await?;
        let first = match said(socket).await? {
            RelayMessage::Ready(state) => First::Ready(state),
            RelayMessage::Gap {
                reason,
                resume_after,
                state,
            } => First::Gap {
                reason,
                resume_after,
                state,
            },
            _ => return Err(End::Confused("not_ready")),
        };
        Ok((place, first))
    };
    tokio::select! {
        greeted = talk => greeted,
        () = late => Err(End::Silent),
    }
}

async fn said(socket: &mut Socket) -> Result<RelayMessage, End> {
    loop {
        match socket.heard().await? {
            Heard::Said(message) => return Ok(message),
            Heard::Life => {}
            Heard::Events(_) => return Err(End::Confused("too_early")),
        }
    }
}

struct Session<'a> {
    profile: &'a Profile,
    socket: Socket,
    taking: Taking,
    orders: mpsc::Receiver<Order>,
    /// The relay's storage.
    epoch: String,
    /// Last event heard.
    last: u64,
    /// Newest event the relay has, as far as known.
    newest: u64,
    /// On disk.
    committed: u64,
    /// On disk and not acknowledged.
    unacked: (usize, usize),
    /// Monotonic ms.
    acked_at: i64,
    heard_at: i64,
    /// Nothing more is heard; what waits is still taken in.
    ending: Option<End>,
}

impl<'a> Session<'a> {
    async fn begin(
        profile: &'a Arc<Profile>,
        socket: Socket,
        keys: Arc<DeviceKeys>,
        known: Place,
        first: First,
    ) -> Result<Self, End> {
        let turn = Arc::clone(&profile.stream.taking).lock_owned().await;
        planted::pass("app.greeted");
        let (state, mut gap) = judge(&known, first)?;
        if planted::on("app.ignores_gap") {
            gap = None;
        }
        let mut place = known;
        if let Some((resume_after, reason)) = gap {
            place = events::gap(profile, &place, &state.epoch, resume_after, &reason)
                .await
                .map_err(|error| End::from(&error))?;
        }
        place.epoch.clone_from(&state.epoch);
        events::ready(profile, &place, &state)
            .await
            .map_err(|error| End::from(&error))?;
        planted::pass("app.ready");
        let (sender, orders) = mpsc::channel(8);
        let stream: &Stream = &profile.stream;
        stream.is_ready(state.relay_time_ms - profile.now_ms(), sender);
        let now = profile.parts.clock.monotonic_ms();
        let mut session = Self {
            profile,
            socket,
            orders,
            epoch: state.epoch,
            last: place.committed,
            newest: state.newest,
            committed: place.committed,
            unacked: (0, 0),
            acked_at: now - i64::try_from(ACK_MS).unwrap_or(0),
            heard_at: now,
            ending: None,
            taking: Taking::start(profile, keys, place, turn),
        };
        session.progress();
        Ok(session)
    }

    async fn live(&mut self, mood: &mut Mood) -> End {
        loop {
            self.taking.hand_over();
            if self.taking.is_idle()
                && let Some(end) = self.ending.take()
            {
                return end;
            }
            if let Err(end) = self.turn(mood).await {
                // What is said into a closed connection fails, and is not why it ended; a disk that fails is worse than any end.
                return match (end, self.ending.take()) {
                    (end @ End::Store(_), _) => end,
                    (_, Some(first)) => first,
                    (end, None) => end,
                };
            }
        }
    }

    /// One thing that happens.
    async fn turn(&mut self, mood: &mut Mood) -> Result<(), End> {
        let listening = self.ending.is_none() && self.taking.has_room();
        let clock = &self.profile.parts.clock;
        let now = clock.monotonic_ms();
        let wait = |ms: i64| -> Sleep {
            clock.sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
        };
        if !listening {
            // Who does not listen cannot say that it was silent.
            self.heard_at = now;
        }
        let dead_in = self.heard_at + ms(DEAD_MS) - now;
        // After the end nobody hears it; the next hello says the same.
        let ack_in = if self.unacked.0 == 0 || self.ending.is_some() {
            None
        } else if self.unacked.0 >= WINDOW_EVENTS / 4 || self.unacked.1 >= WINDOW_BYTES / 4 {
            Some(0)
        } else {
            Some(self.acked_at + ms(ACK_MS) - now)
        };
        if ack_in.is_some_and(|ms| ms <= 0) {
            return self.acknowledge().await;
        }
        if dead_in <= 0 {
            return Err(End::Silent);
        }
        let timer = wait(ack_in.map_or(dead_in, |ms| ms.min(dead_in)));
        tokio::select! {
            biased;
            done = self.taking.done() => self.done(done?),
            Some(order) = self.orders.recv() => {
                let Order::AnswerHere(account) = order;
                return self.socket.say(&DeviceMessage::AnswerHere { account }).await;
            }
            heard = self.socket.heard(), if listening => {
                self.heard_at = self.profile.parts.clock.monotonic_ms();
                match heard {
                    Ok(heard) => self.hear(heard, mood),
                    // What came before the end is good.
                    Err(end) => self.ending = Some(end),
                }
            }
            () = timer => {}
        }
        Ok(())
    }

    fn hear(&mut self, heard: Heard, mood: &mut Mood) {
        match heard {
            Heard::Life => {}
            Heard::Events(events) => {
                for event in events {
                    match link(self.last, &event) {
                        Link::Repeated => continue,
                        Link::Odd => {
                            self.ending = Some(End::Confused("chain"));
                            return;
                        }
                        Link::Hole if mood.hole != Some(self.last) => {
                            self.ending = Some(End::Hole(self.last));
                            return;
                        }
                        Link::Hole => {
                            mood.hole = None;
                            self.taking.push(Item::Gap {
                                epoch: self.epoch.clone(),
                                resume_after: event.prev,
                                reason: Reason::new("hole"),
                            });
                        }
                        Link::Next => {}
                    }
                    self.last = event.offset;
                    self.taking.push(Item::Event(event));
                }
                planted::pass("app.heard");
                if planted::on("app.acknowledges_before_commit") {
                    self.committed = self.last;
                    self.unacked.0 += WINDOW_EVENTS;
                }
                self.newest = self.newest.max(self.last);
            }
            Heard::Said(RelayMessage::Answering { accounts }) => {
                self.taking.push(Item::Answering(accounts));
            }
            Heard::Said(RelayMessage::Gap {
                reason,
                resume_after,
                state,
            }) if state.epoch == self.epoch && i64::try_from(resume_after).is_ok() => {
                if resume_after > self.last {
                    self.last = resume_after;
                    self.newest = self.newest.max(state.newest).max(resume_after);
                    self.taking.push(Item::Gap {
                        epoch: state.epoch,
                        resume_after,
                        reason: gap_reason(reason),
                    });
                }
            }
            Heard::Said(_) => self.ending = Some(End::Confused("out_of_turn")),
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Events {
                count,
                bytes,
                taken,
            } => {
                self.committed = taken.committed;
                self.unacked.0 += count;
                self.unacked.1 += bytes;
            }
            Done::At(committed) => self.committed = committed,
        }
        self.progress();
    }

    async fn acknowledge(&mut self) -> Result<(), End> {
        let offset = self.committed;
        planted::pass("app.before_acknowledged");
        self.socket.say(&DeviceMessage::Ack { offset }).await?;
        planted::pass("app.after_acknowledged");
        self.unacked = (0, 0);
        self.acked_at = self.profile.parts.clock.monotonic_ms();
        // So often at most: figures are not news.
        self.profile.parts.changes.send(Change::Relay);
        Ok(())
    }

    /// Shows how far it came.
    fn progress(&mut self) {
        let behind = self.newest.saturating_sub(self.committed);
        let state = if self.profile.stream.caught_up(behind) {
            RelayState::Live
        } else {
            RelayState::CatchingUp
        };
        super::show(self.profile, state, None, None);
    }
}

fn ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
