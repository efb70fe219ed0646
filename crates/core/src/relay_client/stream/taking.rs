//! What was heard goes to the database here, in order, one transaction at a time, in a task of its own: a connection that breaks tears no
//! commit apart, and a peer that stalls never holds the writer.

use super::{after::End, answering};
use crate::{
    Profile,
    api::types::Reason,
    events::{self, AT_ONCE, Place, Taken},
    store::StoreError,
};
use shopbell_wire::{Answering, Delivery, DeviceKeys, EventOpener, WINDOW_BYTES};
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::{OwnedMutexGuard, mpsc};

/// Something for the database.
pub(super) enum Item {
    /// An event.
    Event(Delivery),
    /// The relay's word on who answers.
    Answering(Vec<Answering>),
    /// Events are missing; the stream goes on there.
    Gap {
        epoch: String,
        resume_after: u64,
        reason: Reason,
    },
}

enum Work {
    Events(Vec<Delivery>),
    Answering(Vec<Answering>),
    Gap {
        epoch: String,
        resume_after: u64,
        reason: Reason,
    },
}

/// What is on disk now.
pub(super) enum Done {
    /// Events: how many, how many bytes, and up to where.
    Events {
        count: usize,
        bytes: usize,
        taken: Taken,
    },
    /// Something else; the stream stands there.
    At(u64),
}

/// What waits, and the task that takes it.
pub(super) struct Taking {
    waiting: VecDeque<Item>,
    events: usize,
    bytes: usize,
    busy: bool,
    work: mpsc::Sender<Work>,
    done: mpsc::Receiver<Result<Done, StoreError>>,
}

impl Taking {
    /// Starts the task at `place`. `turn` is given back when it has ended: the next connection begins after it.
    pub(super) fn start(
        profile: &Arc<Profile>,
        keys: Arc<DeviceKeys>,
        place: Place,
        turn: OwnedMutexGuard<()>,
    ) -> Self {
        let (work, todo) = mpsc::channel(1);
        let (tell, done) = mpsc::channel(1);
        profile.spawn(run(Arc::clone(profile), keys, place, turn, todo, tell));
        Self {
            waiting: VecDeque::new(),
            events: 0,
            bytes: 0,
            busy: false,
            work,
            done,
        }
    }

    /// Puts something behind what waits.
    pub(super) fn push(&mut self, item: Item) {
        if let Item::Event(delivery) = &item {
            self.events += 1;
            self.bytes += delivery.event.len();
        }
        self.waiting.push_back(item);
    }

    /// Whether more may be heard. A relay that keeps to its window never meets this.
    pub(super) fn has_room(&self) -> bool {
        self.events < 2 * shopbell_wire::WINDOW_EVENTS
            && self.bytes < 2 * WINDOW_BYTES
            && self.waiting.len() < 4_096
    }

    /// Nothing waits and nothing is at work.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.busy
    }

    /// Hands the next work over when the task is free: all events that are there, at most [`AT_ONCE`].
    pub(super) fn hand_over(&mut self) {
        if self.busy {
            return;
        }
        let work = match self.waiting.pop_front() {
            None => return,
            Some(Item::Answering(told)) => Work::Answering(told),
            Some(Item::Gap {
                epoch,
                resume_after,
                reason,
            }) => Work::Gap {
                epoch,
                resume_after,
                reason,
            },
            Some(Item::Event(first)) => {
                let mut bytes = first.event.len();
                let mut some = vec![first];
                while some.len() < AT_ONCE
                    && let Some(Item::Event(next)) = self.waiting.front()
                    && bytes + next.event.len() <= WINDOW_BYTES
                    && let Some(Item::Event(next)) = self.waiting.pop_front()
                {
                    bytes += next.event.len();
                    some.push(next);
                }
                self.events -= some.len();
                self.bytes -= bytes;
                Work::Events(some)
            }
        };
        // One at a time: there is room. A task that is gone says so by its silence.
        self.busy = self.work.try_send(work).is_ok();
    }

    /// What was done. Pending while nothing is at work.
    pub(super) async fn done(&mut self) -> Result<Done, End> {
        if !self.busy {
            return std::future::pending().await;
        }
        let done = self.done.recv().await;
        self.busy = false;
        match done {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => {
                tracing::warn!(target: "shopbell::events", %error, "events could not be taken in");
                Err(End::from(&error))
            }
            None => Err(End::Store("internal")),
        }
    }
}

async fn run(
    profile: Arc<Profile>,
    keys: Arc<DeviceKeys>,
    mut place: Place,
    turn: OwnedMutexGuard<()>,
    mut todo: mpsc::Receiver<Work>,
    tell: mpsc::Sender<Result<Done, StoreError>>,
) {
    let mut opener = EventOpener::new(&keys);
    while let Some(work) = todo.recv().await {
        let done = take(&profile, &mut opener, &mut place, work).await;
        let failed = done.is_err();
        // Nobody listens any more: the connection is gone, the place is on disk.
        if tell.send(done).await.is_err() || failed {
            break;
        }
    }
    drop(turn);
}

async fn take(
    profile: &Profile,
    opener: &mut EventOpener<'_>,
    place: &mut Place,
    work: Work,
) -> Result<Done, StoreError> {
    match work {
        Work::Events(deliveries) => {
            let count = deliveries.len();
            let bytes = deliveries.iter().map(|event| event.event.len()).sum();
            let taken = events::take(profile, opener, place, deliveries).await?;
            place.committed = taken.committed;
            Ok(Done::Events {
                count,
                bytes,
                taken,
            })
        }
        Work::Answering(told) => {
            answering::keep(profile, &told).await?;
            Ok(Done::At(place.committed))
        }
        Work::Gap {
            epoch,
            resume_after,
            reason,
        } => {
            *place = events::gap(profile, place, &epoch, resume_after, &reason).await?;
            Ok(Done::At(place.committed))
        }
    }
}
