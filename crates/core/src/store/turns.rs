//! Who may use the writer next: the owner before the background, each in the order of asking.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::oneshot;

/// Whose write it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A person waits for it.
    Owner,
    /// Backfill, polls, jobs.
    Background,
}

/// The queue before the writer.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    taken: bool,
    closed: bool,
    owner: VecDeque<oneshot::Sender<Turn>>,
    background: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to use the writer. Dropping it passes it on.
pub(super) struct Turn(Option<Turns>);

impl Turns {
    /// Waits for the turn; `None` when closed.
    pub(super) async fn wait(&self, priority: Priority) -> Option<Turn> {
        let receiver = {
            let mut queue = self.lock();
            if queue.closed {
                return None;
            }
            if !queue.taken {
                queue.taken = true;
                return Some(Turn(Some(self.clone())));
            }
            let (sender, receiver) = oneshot::channel();
            match priority {
                Priority::Owner => queue.owner.push_back(sender),
                Priority::Background => queue.background.push_back(sender),
            }
            receiver
        };
        receiver.await.ok()
    }

    /// Nobody gets a turn any more; who waits is told.
    pub(super) fn close(&self) {
        let (owner, background) = {
            let mut queue = self.lock();
            queue.closed = true;
            (
                std::mem::take(&mut queue.owner),
                std::mem::take(&mut queue.background),
            )
        };
        drop((owner, background));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass_on(&self) {
        loop {
            let next = {
                let mut queue = self.lock();
                match queue
                    .owner
                    .pop_front()
                    .or_else(|| queue.background.pop_front())
                {
                    Some(next) => next,
                    None => {
                        queue.taken = false;
                        return;
                    }
                }
            };
            match next.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                // Who waited has gone. Its turn must not pass itself on again: this loop does.
                Err(mut turn) => turn.0 = None,
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_owner_overtakes_the_background() {
        let turns = Turns::default();
        let first = turns.wait(Priority::Background).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waits = Vec::new();
        for (name, priority) in [
            ("backfill", Priority::Background),
            ("poll", Priority::Background),
            ("owner", Priority::Owner),
        ] {
            let mut wait = Box::pin({
                let (turns, order) = (turns.clone(), Arc::clone(&order));
                async move {
                    let turn = turns.wait(priority).await;
                    order.lock().unwrap().push(name);
                    drop(turn);
                }
            });
            assert!(
                futures_util::poll!(&mut wait).is_pending(),
                "{name} must wait"
            );
            waits.push(wait);
        }
        drop(first);
        futures_util::future::join_all(waits).await;
        assert_eq!(*order.lock().unwrap(), ["owner", "backfill", "poll"]);
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_no_turn() {
        let turns = Turns::default();
        let first = turns.wait(Priority::Owner).await;
        let mut gone = Box::pin(turns.wait(Priority::Owner));
        assert!(futures_util::poll!(&mut gone).is_pending());
        drop(gone);
        let mut handed_over = Box::pin(turns.wait(Priority::Owner));
        assert!(futures_util::poll!(&mut handed_over).is_pending());
        drop(first);
        // It holds the turn without knowing it, and goes.
        drop(handed_over);
        assert!(turns.wait(Priority::Background).await.is_some());
    }

    #[tokio::test]
    async fn closing_tells_those_who_wait() {
        let turns = Turns::default();
        let first = turns.wait(Priority::Owner).await;
        let mut wait = Box::pin(turns.wait(Priority::Background));
        assert!(futures_util::poll!(&mut wait).is_pending());
        turns.close();
        assert!(wait.await.is_none());
        drop(first);
        assert!(turns.wait(Priority::Owner).await.is_none());
    }
}
