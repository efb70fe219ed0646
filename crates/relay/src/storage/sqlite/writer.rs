//! The one that writes and checkpoints: gathers the orders that come while one commit runs and makes them durable together.
//!
//! Invariant: exactly one connection writes, and it lives in this task. Nobody is told `Ok` before the commit that holds the order was
//! synced. After a failed write or sync nothing is written any more ([`StorageError::Broken`]): what the disk holds is not known then,
//! and a later sync that succeeds would prove nothing about it. What the orders mean does not belong here.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{Connection as _, SqliteConnection};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    fault::{self, Fault},
    insert::Inserts,
    later::{Batch, Later},
    lock,
    places::{Places, Plan},
};
use crate::{
    planted,
    storage::{NewRecord, StorageError, Stored},
};

/// Orders that wait, at most; whoever has more to say waits itself.
const WAITING: usize = 4096;
/// Orders of one group, at most.
const GROUP_ORDERS: usize = 1024;
/// Bytes of events of one group, roughly at most.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// While many append at the same time, a group waits so long for the others: the same fsync for more of them.
const GATHER: Duration = Duration::from_millis(1);
/// From so many appends in one group on, "many append at the same time".
const MANY: usize = 4;
/// What may be done later is done after this time.
const LATER: Duration = Duration::from_secs(1);
/// Bytes written to the log after which it is carried over into the database: little, because events wait meanwhile.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;
/// Where carrying over takes long, it is done more seldom, so that it takes this part of the time at most…
const CHECKPOINT_SHARE: u32 = 16;
/// …but no later than after these bytes.
const LOG_BYTES: usize = 64 * 1024 * 1024;
const PAGE: usize = 4096;

/// One order's work inside the group's transaction, and what follows once its fate is known.
pub(super) trait Write: Send {
    /// Does it.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Stored<()>>;
    /// It alone failed and was taken back.
    fn failed(&mut self, error: StorageError);
    /// The group is durable (`Ok`), or neither it nor this order is.
    fn settle(self: Box<Self>, fate: Stored<()>);
}

/// What the writer is asked for.
pub(super) enum Order {
    /// Records for streams.
    Append(Vec<NewRecord>, oneshot::Sender<Stored<()>>),
    /// Anything else.
    Write(Box<dyn Write>),
    /// There is something that may be done later.
    Later,
    /// Do that now.
    Flush(oneshot::Sender<Stored<()>>),
    /// End in order.
    Close(oneshot::Sender<Stored<()>>),
}

/// What others see of the writer.
#[derive(Default)]
pub(super) struct Gauge {
    /// A write or sync failed.
    pub(super) broken: AtomicBool,
    /// Transactions that were made durable.
    pub(super) commits: AtomicU64,
    /// Orders that were part of them.
    pub(super) orders: AtomicU64,
}

/// The task.
pub(super) struct Writer {
    pub(super) connection: SqliteConnection,
    /// Whether there is a log to carry over.
    pub(super) on_disk: bool,
    pub(super) places: Arc<Mutex<Places>>,
    pub(super) later: Arc<Mutex<Later>>,
    pub(super) gauge: Arc<Gauge>,
    inserts: Inserts,
    orders: mpsc::Receiver<Order>,
    due: Option<Instant>,
    last_group: usize,
    log_bytes: usize,
    next_checkpoint: Instant,
}

#[derive(Default)]
struct Group {
    appends: Vec<(Vec<NewRecord>, oneshot::Sender<Stored<()>>)>,
    writes: Vec<Box<dyn Write>>,
    flushes: Vec<oneshot::Sender<Stored<()>>>,
    later: bool,
    close: Option<oneshot::Sender<Stored<()>>>,
    bytes: usize,
}

impl Group {
    fn add(&mut self, order: Order) {
        match order {
            Order::Append(records, done) => {
                self.bytes += records.iter().map(|r| r.event.len()).sum::<usize>();
                self.appends.push((records, done));
            }
            Order::Write(write) => self.writes.push(write),
            Order::Later => self.later = true,
            Order::Flush(done) => self.flushes.push(done),
            Order::Close(done) => self.close = Some(done),
        }
    }

    fn is_full(&self) -> bool {
        self.close.is_some()
            || self.appends.len() + self.writes.len() >= GROUP_ORDERS
            || self.bytes >= GROUP_BYTES
    }
}

impl Gauge {
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }
}

impl Writer {
    /// Starts the task; it ends when it is told to or when nobody can ask any more.
    pub(super) fn spawn(
        connection: SqliteConnection,
        on_disk: bool,
        places: Arc<Mutex<Places>>,
        later: Arc<Mutex<Later>>,
        gauge: Arc<Gauge>,
    ) -> mpsc::Sender<Order> {
        let (sender, orders) = mpsc::channel(WAITING);
        let writer = Self {
            connection,
            on_disk,
            places,
            later,
            gauge,
            inserts: Inserts::new(),
            orders,
            due: None,
            last_group: 0,
            log_bytes: 0,
            next_checkpoint: Instant::now(),
        };
        tokio::spawn(writer.work());
        sender
    }

    async fn work(mut self) {
        loop {
            let first = tokio::select! {
                biased;
                () = at(self.due) => Some(Order::Later),
                order = self.orders.recv() => order,
            };
            let Some(first) = first else { return };
            let group = self.gather(first).await;
            if let Some(closed) = self.carry_out(group).await {
                self.close(closed).await;
                return;
            }
            let is_time = Instant::now() >= self.next_checkpoint;
            if self.log_bytes >= if is_time { CHECKPOINT_BYTES } else { LOG_BYTES } {
                self.checkpoint("PASSIVE").await;
            }
        }
    }

    async fn gather(&mut self, first: Order) -> Group {
        let mut group = Group::default();
        group.add(first);
        while !group.is_full()
            && let Ok(order) = self.orders.try_recv()
        {
            group.add(order);
        }
        if self.last_group < MANY {
            return group;
        }
        let enough = tokio::time::sleep(GATHER);
        tokio::pin!(enough);
        while !group.is_full() && group.appends.len() < self.last_group {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(order) => group.add(order),
                    None => break,
                },
                () = &mut enough => break,
            }
        }
        group
    }

    /// Answers who waits for the end, when somebody does.
    async fn carry_out(&mut self, mut group: Group) -> Option<oneshot::Sender<Stored<()>>> {
        let now = Instant::now();
        if group.later && self.due.is_none() {
            self.due = Some(now + LATER);
        }
        let due = self.due.is_some_and(|due| due <= now)
            || !group.flushes.is_empty()
            || group.close.is_some();
        self.last_group = group.appends.len();
        if self.gauge.is_broken() {
            self.due = None;
            group.refuse(|| StorageError::Broken);
            return group.close.take();
        }
        let mut plan =
            lock(&self.places).plan(group.appends.iter().flat_map(|(records, _)| records.iter()));
        let batch = if due {
            self.due = None;
            lock(&self.later).take()
        } else {
            Batch::default()
        };
        match self
            .make_durable(&mut plan, &mut group.writes, &batch)
            .await
        {
            Ok(rest) => {
                let orders = group.appends.len() + group.writes.len();
                self.gauge
                    .orders
                    .fetch_add(orders as u64, Ordering::Relaxed);
                lock(&self.places).done(plan);
                if !rest.is_empty() {
                    lock(&self.later).put_back(rest);
                    self.due = Some(now);
                }
                group.settle();
            }
            Err(error) => {
                lock(&self.later).put_back(batch);
                let broken = fault::of(&error) == Fault::Broken
                    && !planted::on("relay.keeps_accepting_after_failed_sync");
                // A log that was carried over begins at its start again: room without a larger file.
                self.log_bytes = LOG_BYTES;
                if broken {
                    self.gauge.broken.store(true, Ordering::Release);
                    tracing::error!(%error, "the disk failed; nothing is accepted until a restart");
                } else {
                    tracing::error!(%error, "nothing of this group was kept");
                    self.due = Some(now + LATER);
                }
                if planted::on("relay.answers_group_that_failed") {
                    group.settle();
                }
                group.refuse(|| fault::again(&error));
            }
        }
        group.close.take()
    }

    /// One transaction, synced when it returns; answers what of the batch another one has to do. After an error there is none open.
    async fn make_durable(
        &mut self,
        plan: &mut Plan,
        writes: &mut [Box<dyn Write>],
        batch: &Batch,
    ) -> Stored<Batch> {
        let only_blocks = plan.made.is_empty() && writes.is_empty() && batch.is_empty();
        if only_blocks && plan.blocks.is_empty() {
            return Ok(Batch::default());
        }
        // A page at least for every row: each lies on some page, and there is an index.
        self.log_bytes += PAGE * (1 + plan.blocks.len() + writes.len() + batch.size())
            + plan.blocks.iter().map(|b| b.bytes.len()).sum::<usize>();
        planted::pass("relay.before_commit");
        let outcome = if only_blocks && Inserts::is_one(plan.blocks.len()) {
            // A statement by itself is a transaction.
            self.inserts
                .blocks(&mut self.connection, &mut plan.blocks)
                .await
                .map(|()| Batch::default())
        } else {
            self.transaction(plan, writes, batch).await
        };
        if outcome.is_ok() {
            planted::pass("relay.after_commit");
            if !batch.is_empty() {
                planted::pass("relay.rows_deleted");
            }
            self.gauge.commits.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    async fn transaction(
        &mut self,
        plan: &mut Plan,
        writes: &mut [Box<dyn Write>],
        batch: &Batch,
    ) -> Stored<Batch> {
        let connection = &mut self.connection;
        let inserts = &self.inserts;
        execute(connection, "BEGIN IMMEDIATE").await?;
        let inside = async {
            inserts.streams(connection, &plan.made).await?;
            inserts.blocks(connection, &mut plan.blocks).await?;
            let rest = batch.write(connection).await?;
            for write in writes {
                execute(connection, "SAVEPOINT one").await?;
                // An order that fails for itself is told so when the group is settled; the others go on without it.
                if let Err(error) = write.run(connection).await {
                    if fault::of(&error) != Fault::Own {
                        return Err(error);
                    }
                    execute(connection, "ROLLBACK TO one").await?;
                    write.failed(error);
                }
                execute(connection, "RELEASE one").await?;
            }
            execute(connection, "COMMIT").await?;
            Ok(rest)
        };
        let outcome = inside.await;
        if outcome.is_err() {
            // SQLite may have rolled back by itself; then there is nothing to roll back and that is an error too.
            let _ = execute(&mut self.connection, "ROLLBACK").await;
        }
        outcome
    }

    /// Carries the log over into the database. A write or sync that fails here counts like any other.
    async fn checkpoint(&mut self, how: &'static str) {
        self.log_bytes = 0;
        if !self.on_disk || self.gauge.is_broken() {
            return;
        }
        let begun = Instant::now();
        let outcome = checkpoint(&mut self.connection, how).await;
        self.next_checkpoint = Instant::now() + begun.elapsed() * CHECKPOINT_SHARE;
        if let Err(error) = outcome {
            tracing::error!(%error, "the log was not carried over");
            if fault::of(&error) == Fault::Broken {
                self.gauge.broken.store(true, Ordering::Release);
            }
        }
    }

    async fn close(mut self, closed: oneshot::Sender<Stored<()>>) {
        self.orders.close();
        while let Some(order) = self.orders.recv().await {
            let mut group = Group::default();
            group.add(order);
            group.refuse(super::ended);
        }
        self.checkpoint("TRUNCATE").await;
        let outcome = self.connection.close().await;
        let _ = closed.send(outcome.map_err(StorageError::from));
    }
}

impl Group {
    fn settle(&mut self) {
        for (_, done) in self.appends.drain(..) {
            let _ = done.send(Ok(()));
        }
        for write in self.writes.drain(..) {
            write.settle(Ok(()));
        }
        for done in self.flushes.drain(..) {
            let _ = done.send(Ok(()));
        }
    }

    fn refuse(&mut self, error: impl Fn() -> StorageError) {
        for (_, done) in self.appends.drain(..) {
            let _ = done.send(Err(error()));
        }
        for write in self.writes.drain(..) {
            write.settle(Err(error()));
        }
        for done in self.flushes.drain(..) {
            let _ = done.send(Err(error()));
        }
    }
}

/// Carries the log over into the database.
pub(super) async fn checkpoint(connection: &mut SqliteConnection, how: &str) -> Stored<()> {
    let sql = match how {
        "TRUNCATE" => "PRAGMA wal_checkpoint(TRUNCATE)",
        _ => "PRAGMA wal_checkpoint(PASSIVE)",
    };
    execute(connection, sql).await
}

pub(super) async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Stored<()> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
