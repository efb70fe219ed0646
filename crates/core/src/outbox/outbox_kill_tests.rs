//! The program ends in the middle: what was under way is looked for, and never repeated by itself.

use super::*;

#[tokio::test]
async fn a_crash_in_the_middle_of_a_send_is_looked_for_and_never_repeated() {
    for fate in [Fate::Hangs, Fate::Lost] {
        let arrives = matches!(fate, Fate::Hangs);
        let mut shop = shop().await;
        shop.start();
        shop.remote.with(|world| world.fates.push_back(fate));
        let id = shop.send_now("Einmal").await;
        if arrives {
            shop.until(id, MessageState::Sending).await;
            while shop.arrived().is_empty() {
                tokio::task::yield_now().await;
            }
        } else {
            shop.until(id, MessageState::Unknown).await;
            shop.set("UPDATE outbox SET state = 'sending'").await;
        }
        shop.crash().await;
        shop.advance(3_000);
        shop.start();
        if arrives {
            shop.until(id, MessageState::Sent).await;
            assert_eq!(shop.arrived(), ["Einmal"]);
        } else {
            shop.until_reason(id, "program_ended").await;
            shop.opened.clock.until_waiting(1).await;
            shop.advance(60_000);
            assert_eq!(shop.view(id).await.state, MessageState::Unknown);
            assert!(shop.arrived().is_empty());
        }
    }
}

/// Drops the future after so many polls: the program ends in the middle of anything.
async fn killed(polls: u32, future: impl Future<Output = ()>) {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        future.as_mut().poll(context)
    })
    .await;
}

#[tokio::test]
async fn killed_at_every_step_each_answer_arrives_exactly_once() {
    for polls in 1..25 {
        let mut shop = shop().await;
        shop.set(r#"INSERT INTO settings (key, value) VALUES ('hold_back_s', '0')"#)
            .await;
        let ids = [shop.send("eins").await, shop.send("zwei").await];
        let remote: Arc<dyn Remote> = Arc::new(shop.remote.clone());
        tokio::select! {
            () = killed(polls, run_with(Arc::clone(shop.profile()), remote, CancellationToken::new())) => {}
            // Nothing is left to be killed in.
            _ = shop.until(ids[1], MessageState::Sent) => {}
        }
        shop.advance(1_000);
        shop.start();
        for id in ids {
            shop.until_decided(id).await;
        }
        assert_eq!(
            shop.arrived(),
            ["eins", "zwei"],
            "killed after {polls} polls"
        );
        shop.poll("ana").await;
        assert_eq!(shop.ours().await, yours(&["eins", "zwei"]));
    }
}
