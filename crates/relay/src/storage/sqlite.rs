//! The storage of a single relay: one SQLite file. Durable before it answers (`synchronous=FULL`), deleted content is overwritten.
//!
//! Everything that is written goes through one task ([`writer`]), which makes what comes at the same time durable together. What is
//! asked for every event stands in memory ([`places`], [`memory`]) and is changed by that task alone, after its commit: this process
//! is the only one on the file.

mod answering;
mod bindings;
mod block;
mod connect;
pub(super) mod epoch;
mod extras;
mod fault;
mod insert;
mod later;
mod media;
mod memory;
mod places;
mod signins;
mod streams;
#[cfg(feature = "planted")]
mod trial_vfs;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, oneshot};

use self::{
    connect::Place,
    later::Later,
    memory::Memory,
    places::Places,
    writer::{Gauge, Order, Write, Writer},
};
use super::{Storage, StorageError, Stored};

/// Handle on the relay's database.
pub(crate) struct Sqlite {
    orders: mpsc::Sender<Order>,
    /// None for a database in memory, which has one connection.
    readers: Option<SqlitePool>,
    places: Arc<Mutex<Places>>,
    later: Arc<Mutex<Later>>,
    memory: Arc<Memory>,
    gauge: Arc<Gauge>,
    epoch: String,
}

impl Sqlite {
    /// Opens or makes the database and brings it to the newest version.
    pub(crate) async fn open(address: &str) -> Stored<Self> {
        #[cfg(feature = "planted")]
        let vfs = trial_vfs::chosen();
        #[cfg(not(feature = "planted"))]
        let vfs = None;
        Self::open_with(address, vfs).await
    }

    /// The same through another file layer of SQLite, registered under this name: for tests and trials that let disks fail.
    pub(crate) async fn open_with(address: &str, vfs: Option<&str>) -> Stored<Self> {
        let place = Place::new(address, vfs)?;
        let mut connection = place.writer().await?;
        let epoch = sqlx::query_scalar("SELECT value FROM facts WHERE name = 'epoch'")
            .fetch_one(&mut connection)
            .await?;
        let (places, later) = streams::load(&mut connection).await?;
        let memory = Memory::load(&mut connection).await?;
        let readers = place.readers().await?;
        let places = Arc::new(Mutex::new(places));
        let later = Arc::new(Mutex::new(later));
        let gauge = Arc::default();
        let orders = Writer::spawn(
            connection,
            place.on_disk,
            Arc::clone(&places),
            Arc::clone(&later),
            Arc::clone(&gauge),
        );
        Ok(Self {
            orders,
            readers,
            places,
            later,
            memory: Arc::new(memory),
            gauge,
            epoch,
        })
    }

    /// Writes, durable when it returns.
    async fn write<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Stored<T>> + Send + 'static,
    ) -> Stored<T> {
        self.write_then(work, |_, _| ()).await
    }

    /// Writes; what stands in memory follows once it is durable, whether or not anybody still waits for the answer.
    async fn write_then<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Stored<T>> + Send + 'static,
        then: impl FnOnce(&Memory, &T) + Send + 'static,
    ) -> Stored<T> {
        let (done, answer) = oneshot::channel();
        let one = One {
            work: Some(Box::new(work)),
            outcome: None,
            then: Box::new(then),
            memory: Arc::clone(&self.memory),
            done,
        };
        self.order(Order::Write(Box::new(one))).await?;
        answer.await.map_err(|_| ended())?
    }

    async fn order(&self, order: Order) -> Stored<()> {
        self.orders.send(order).await.map_err(|_| ended())
    }

    /// Reads.
    async fn read_with<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Stored<T>> + Send + 'static,
    ) -> Stored<T> {
        match &self.readers {
            Some(readers) => work(&mut *readers.acquire().await?).await,
            None => self.write(work).await,
        }
    }
}

#[async_trait]
impl Storage for Sqlite {
    async fn ready(&self) -> bool {
        let answers = self.read_with(|connection| {
            Box::pin(async move {
                sqlx::query("SELECT 1 FROM used LIMIT 1")
                    .fetch_optional(connection)
                    .await?;
                Ok(())
            })
        });
        !self.gauge.is_broken() && !self.orders.is_closed() && answers.await.is_ok()
    }

    async fn purge(&self, now_ms: i64) -> Stored<()> {
        self.flush().await?;
        self.write_then(
            move |connection| Box::pin(purge(connection, now_ms)),
            |memory, vacated| {
                if let Some(vacated) = vacated {
                    memory.vacated(vacated);
                    memory.all_bindings_changed();
                }
            },
        )
        .await?;
        self.delete_orphaned_parts().await
    }

    async fn flush(&self) -> Stored<()> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Flush(done)).await?;
        answer.await.map_err(|_| ended())?
    }

    async fn close(&self) {
        // The writer last: it may checkpoint.
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        let (done, answer) = oneshot::channel();
        if self.order(Order::Close(done)).await.is_ok()
            && let Ok(Err(error)) = answer.await
        {
            tracing::error!(%error, "the database was not closed in order");
        }
    }
}

/// Answers the accounts that lost their answering computer, when bindings went.
async fn purge(
    connection: &mut SqliteConnection,
    now_ms: i64,
) -> Stored<Option<Vec<shopbell_wire::AccountRef>>> {
    let leases = sqlx::query("DELETE FROM bindings WHERE lease_until_ms < ?1")
        .bind(now_ms)
        .execute(&mut *connection)
        .await?;
    let silent = now_ms.saturating_sub(shopbell_wire::LEASE_MS);
    for (statement, before) in [
        ("DELETE FROM used WHERE expires_at_ms < ?1", now_ms),
        (
            "DELETE FROM codes WHERE expires_at_ms < ?1 AND coalesce(answer_until_ms, 0) < ?1",
            now_ms,
        ),
        (
            "UPDATE codes SET answer = NULL, answer_until_ms = NULL WHERE answer_until_ms < ?1",
            now_ms,
        ),
        ("DELETE FROM media WHERE expires_at_ms < ?1", now_ms),
        // Without a binding a device still fetches what it was told, such as that the owner signed out.
        (
            "DELETE FROM devices WHERE last_seen_ms < ?1 AND thumbprint NOT IN (SELECT device FROM bindings)",
            silent,
        ),
    ] {
        sqlx::query(statement)
            .bind(before)
            .execute(&mut *connection)
            .await?;
    }
    if leases.rows_affected() == 0 {
        return Ok(None);
    }
    answering::vacate(connection).await.map(Some)
}

type Then<T> = Box<dyn FnOnce(&Memory, &T) + Send>;
type Work<T> = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Stored<T>> + Send>;

/// One order with the type of its answer.
struct One<T> {
    work: Option<Work<T>>,
    outcome: Option<Stored<T>>,
    then: Then<T>,
    memory: Arc<Memory>,
    done: oneshot::Sender<Stored<T>>,
}

impl<T: Send + 'static> Write for One<T> {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Stored<()>> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.outcome = Some(Ok(work(connection).await?));
            }
            Ok(())
        })
    }

    fn failed(&mut self, error: StorageError) {
        self.outcome = Some(Err(error));
    }

    fn settle(self: Box<Self>, fate: Stored<()>) {
        let outcome = match fate {
            Ok(()) => self.outcome.unwrap_or_else(|| Err(ended())),
            Err(error) => Err(error),
        };
        if let Ok(value) = &outcome {
            (self.then)(&self.memory, value);
        }
        let _ = self.done.send(outcome);
    }
}

fn ended() -> StorageError {
    StorageError::Other("the storage is closed".into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "sqlite_tests.rs"]
mod tests;
