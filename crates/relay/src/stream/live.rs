//! A greeted connection: events out, acknowledgements in, until it ends.
//!
//! Invariant: offsets go out in order and each names the one before it; what does not follow on what was sent is announced as a gap
//! first. An acknowledgement is passed to the storage only for what this connection sent. A device to which nothing is bound gets notices
//! about its owner and nothing else: its last binding may have gone with the notice that says so, but a lost or former computer gets no
//! event that waits for it.

use std::pin::pin;

use shopbell_wire::{
    CloseReason, Delivery, DeviceMessage, EventKind, GapReason, RelayMessage, StreamState,
    Thumbprint,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    End, StreamPace, answering,
    greeting::Greeted,
    open::{Seat, Told},
    resume::resume,
    socket::{Heard, Socket},
    stored,
    window::Window,
};
use crate::{
    app::App,
    metrics::StorageWork,
    storage::{Extent, Record},
};

/// What is read from the storage at a time, and so the largest message but for an event that is larger by itself.
const PAGE_BYTES: usize = 64 * 1024;
/// Events in a page.
const PAGE_EVENTS: usize = 128;
/// A device that stays connected is noted as seen this often, milliseconds.
const SEEN_EVERY_MS: i64 = 60 * 60 * 1000;

/// One connection.
pub(super) struct Live<'a> {
    app: &'a App,
    socket: &'a mut Socket,
    seat: &'a Seat,
    device: Thumbprint,
    pace: StreamPace,
    window: Window,
    /// Newest offset as far as known. More than there is: the storage is asked once and says so.
    newest: u64,
    /// Size of the next event, when it was too large for what was left of the window.
    waiting: usize,
    arrivals: watch::Receiver<u64>,
    heard: Instant,
    seen_ms: i64,
    /// Nothing is bound: it is closed at this time, or when what it may still get was acknowledged.
    unbound: Option<Instant>,
}

/// What may still be acknowledged after the end.
pub(super) struct Finish {
    device: Thumbprint,
    window: Window,
}

impl Finish {
    /// The device has everything up to here.
    pub(super) async fn acknowledged(mut self, app: &App, offset: u64) {
        if let Ok(released @ 1..) = self.window.acknowledge(offset) {
            let done = app.storage.acknowledge(&self.device, offset).await;
            if stored(app, StorageWork::Acknowledge, done).is_ok() {
                app.metrics.acknowledged.inc_by(released);
            }
        }
    }
}

impl<'a> Live<'a> {
    /// Tells the device where its stream goes on.
    pub(super) async fn begin(
        app: &'a App,
        socket: &'a mut Socket,
        seat: &'a Seat,
        greeted: Greeted,
    ) -> Result<Self, End> {
        let Greeted {
            device,
            bound,
            epoch,
            offset,
        } = greeted;
        let seen_ms = app.now_ms();
        if bound {
            let seen = app.storage.seen(&device, seen_ms).await;
            stored(app, StorageWork::Bindings, seen)?;
        }
        crate::planted::pass("relay.greeted");
        // Before the extent is read: what arrives in between is in one of the two.
        let arrivals = stored(app, StorageWork::Read, app.storage.arrivals(&device).await)?;
        let there = stored(app, StorageWork::Read, app.storage.extent(&device).await)?;
        let found = resume(epoch.as_deref(), offset, app.storage.epoch(), there);
        if let Some(offset) = found.acknowledged {
            let done = app.storage.acknowledge(&device, offset).await;
            stored(app, StorageWork::Acknowledge, done)?;
        }
        let mut live = Self {
            app,
            socket,
            seat,
            device,
            pace: app.config.stream_pace,
            window: Window::new(found.after),
            newest: there.newest,
            waiting: 0,
            arrivals,
            heard: Instant::now(),
            seen_ms,
            unbound: (!bound).then(|| Instant::now() + app.config.stream_pace.ping),
        };
        match found.gap {
            Some(reason) => live.tell_gap(reason, found.after, there).await?,
            None => {
                let state = live.state(there).await?;
                live.socket.say(&RelayMessage::Ready(state)).await?;
            }
        }
        let arrived = answering::arrive(app, &live.device).await;
        stored(app, StorageWork::Bindings, arrived)?;
        Ok(live)
    }

    /// What is left when it is over.
    pub(super) fn finish(self) -> Finish {
        Finish {
            device: self.device,
            window: self.window,
        }
    }

    /// Runs until it ends.
    pub(super) async fn run(&mut self) -> End {
        match self.events().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn events(&mut self) -> Result<std::convert::Infallible, End> {
        let mut timer = pin!(sleep_until(Instant::now() + self.pace.ping));
        loop {
            let due = self.window.sent() < self.newest && self.window.takes(self.waiting);
            tokio::select! {
                // What the device says comes before what it is sent: acknowledgements open the window.
                biased;
                told = self.seat.told() => self.told(told).await?,
                heard = self.socket.heard() => self.take(heard).await?,
                () = &mut timer => {
                    self.tick().await?;
                    let next = Instant::now() + self.pace.ping;
                    timer.as_mut().reset(next.min(self.heard + self.pace.dead));
                }
                changed = self.arrivals.changed() => {
                    changed.map_err(|_| End::Fault)?;
                    let newest = *self.arrivals.borrow_and_update();
                    // A storage that does not know the newest offset says 0: then it is asked until it has nothing more.
                    self.newest = if newest > self.window.sent() { newest } else { u64::MAX };
                }
                () = std::future::ready(()), if due => self.deliver().await?,
            }
        }
    }

    async fn told(&mut self, told: Told) -> Result<(), End> {
        if let Some(reason) = told.close {
            return Err(reason.into());
        }
        let accounts = self.app.streams.answering(&self.device);
        if accounts.is_empty() && !self.app.streams.has_accounts(&self.device) {
            // The notice that goes with it may be on its way.
            let soon = Instant::now() + self.pace.ping;
            self.unbound.get_or_insert(soon);
        } else {
            self.unbound = None;
        }
        Ok(self
            .socket
            .say(&RelayMessage::Answering { accounts })
            .await?)
    }

    async fn take(&mut self, heard: Heard) -> Result<(), End> {
        self.heard = Instant::now();
        let text = match heard {
            Heard::Text(text) => text,
            Heard::Life => return Ok(()),
            Heard::Odd => return Err(CloseReason::Protocol.into()),
            Heard::Gone => return Err(End::Left),
        };
        match serde_json::from_str(&text) {
            Ok(DeviceMessage::Ack { offset }) => self.acknowledge(offset).await,
            Ok(DeviceMessage::AnswerHere { account }) => {
                // Every change of hands is a durable write.
                if self.app.gate.device(&self.device).is_err() {
                    return Err(CloseReason::TooMany.into());
                }
                let done = answering::insist(self.app, &self.device, &account).await;
                stored(self.app, StorageWork::Bindings, done)
            }
            Ok(DeviceMessage::Hello(_)) | Err(_) => Err(CloseReason::Protocol.into()),
        }
    }

    async fn acknowledge(&mut self, offset: u64) -> Result<(), End> {
        let released = self
            .window
            .acknowledge(offset)
            .map_err(|_| CloseReason::Protocol)?;
        if released > 0 {
            crate::planted::pass("relay.before_acknowledged");
            let done = self.app.storage.acknowledge(&self.device, offset).await;
            stored(self.app, StorageWork::Acknowledge, done)?;
            crate::planted::pass("relay.after_acknowledged");
            self.app.metrics.acknowledged.inc_by(released);
        }
        if self.unbound.is_some() && self.window.is_empty() && self.window.sent() >= self.newest {
            return Err(CloseReason::Unauthorised.into());
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), End> {
        if self.heard.elapsed() >= self.pace.dead {
            return Err(End::Dead);
        }
        if self.unbound.is_some_and(|until| until <= Instant::now()) && self.window.is_empty() {
            return Err(CloseReason::Unauthorised.into());
        }
        let now_ms = self.app.now_ms();
        if now_ms.saturating_sub(self.seen_ms) >= SEEN_EVERY_MS {
            let seen = self.app.storage.seen(&self.device, now_ms).await;
            stored(self.app, StorageWork::Bindings, seen)?;
            self.seen_ms = now_ms;
        }
        Ok(self.socket.ping().await?)
    }

    /// Sends the next page, or as much of it as the window takes.
    async fn deliver(&mut self) -> Result<(), End> {
        let (events, bytes) = self.window.room();
        let page = self
            .app
            .storage
            .read(
                &self.device,
                self.window.sent(),
                events.min(PAGE_EVENTS),
                bytes.min(PAGE_BYTES),
            )
            .await;
        let page = stored(self.app, StorageWork::Read, page)?;
        let Some(first) = page.first() else {
            self.newest = self.window.sent();
            return Ok(());
        };
        if self.unbound.is_some() && !is_notice(first) {
            // Until more arrives, or the time it has left is over.
            self.newest = self.window.sent();
            return Ok(());
        }
        if !self.window.takes(first.event.len()) {
            self.waiting = first.event.len();
            return Ok(());
        }
        self.waiting = 0;
        if first.prev > self.window.sent() {
            let there = self.app.storage.extent(&self.device).await;
            let there = stored(self.app, StorageWork::Read, there)?;
            self.window.skip(first.prev);
            self.tell_gap(GapReason::Expired, first.prev, there).await?;
        }
        let (message, events) = self.pack(&page);
        if events == 0 {
            tracing::error!("a storage gave out what was not asked for");
            return Err(End::Fault);
        }
        crate::planted::pass("relay.before_delivery");
        let began = Instant::now();
        self.socket.deliver(message.into()).await?;
        crate::planted::pass("relay.after_delivery");
        // While a slow line takes a message, nobody listens: that time is not the device's silence.
        self.heard += began.elapsed();
        self.app.metrics.delivered.inc_by(events);
        Ok(())
    }

    /// The page as one message, up to the first record that does not follow or does not fit.
    fn pack(&mut self, page: &[Record]) -> (Vec<u8>, u64) {
        let bytes: usize = page.iter().map(|record| record.event.len() + 20).sum();
        let mut message = Vec::with_capacity(bytes);
        let mut events = 0;
        for record in page {
            if record.prev != self.window.sent()
                || record.offset <= record.prev
                || !self.window.takes(record.event.len())
                || (self.unbound.is_some() && !is_notice(record))
            {
                break;
            }
            Delivery::write(record.offset, record.prev, &record.event, &mut message);
            self.window.send(record.offset, record.event.len());
            events += 1;
        }
        (message, events)
    }

    async fn tell_gap(
        &mut self,
        reason: GapReason,
        resume_after: u64,
        there: Extent,
    ) -> Result<(), End> {
        self.app.metrics.gaps.one(reason.into());
        let state = self.state(there).await?;
        let message = RelayMessage::Gap {
            reason,
            resume_after,
            state,
        };
        Ok(self.socket.say(&message).await?)
    }

    async fn state(&mut self, there: Extent) -> Result<StreamState, End> {
        let outage = self.app.storage.outage().await;
        Ok(StreamState {
            epoch: self.app.storage.epoch().to_owned(),
            oldest: there.oldest,
            newest: there.newest,
            relay_time_ms: self.app.now_ms(),
            outage: stored(self.app, StorageWork::Extras, outage)?,
        })
    }
}

/// Whether a device to which nothing is bound may have it.
pub(super) fn is_notice(record: &Record) -> bool {
    EventKind::of(&record.event).is_some_and(EventKind::is_notice)
}
