#![allow(clippy::unwrap_used)]
use super::*;
use crate::profile::testing::{Opened, offline_profile};
use serde_json::json;
use std::sync::Mutex;
use tokio::sync::mpsc;

type Seen = mpsc::UnboundedReceiver<Job>;

/// A scheduler whose handler tells what it got and answers what the test put in.
struct Bench {
    stop: CancellationToken,
    seen: Seen,
    task: tokio::task::JoinHandle<()>,
}

fn start(opened: &Opened, answers: Vec<JobOutcome>) -> Bench {
    let stop = CancellationToken::new();
    let (sender, seen) = mpsc::unbounded_channel();
    let answers = Arc::new(Mutex::new(answers));
    let task = tokio::spawn(run_with(
        Arc::clone(&opened.profile),
        stop.clone(),
        move |_, job| {
            let (sender, answers) = (sender.clone(), Arc::clone(&answers));
            Box::pin(async move {
                sender.send(job).unwrap();
                answers.lock().unwrap().pop().unwrap_or(JobOutcome::Done)
            })
        },
    ));
    Bench { stop, seen, task }
}

impl Bench {
    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn put(opened: &Opened, name: &str, in_ms: i64) {
    let mut tx = opened.profile.store.write(Priority::Owner).await.unwrap();
    schedule(
        &mut tx,
        name,
        opened.profile.now_ms() + in_ms,
        &json!({"who": "mira"}),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn rows(opened: &Opened) -> Vec<(String, i64, i64)> {
    let mut reader = opened.profile.store.read().await.unwrap();
    let rows = sqlx::query!("SELECT name, due_at_ms, attempts FROM jobs ORDER BY name")
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    rows.into_iter()
        .map(|row| {
            (
                row.name,
                row.due_at_ms - opened.profile.now_ms(),
                row.attempts,
            )
        })
        .collect()
}

#[tokio::test]
async fn a_job_runs_at_its_time_and_not_before() {
    let opened = offline_profile().await;
    let mut bench = start(&opened, vec![]);
    put(&opened, "erase:501", 20_000).await;
    opened.clock.until_waiting(1).await;
    opened.clock.advance(Duration::from_millis(19_999));
    opened.clock.until_waiting(1).await;
    assert!(bench.seen.try_recv().is_err());
    opened.clock.advance(Duration::from_millis(1));
    let job = bench.seen.recv().await.unwrap();
    assert_eq!(
        (job.name.as_str(), job.payload.as_str(), job.attempts),
        ("erase:501", r#"{"who":"mira"}"#, 1)
    );
    bench.end().await;
    assert_eq!(rows(&opened).await, []);
}

#[tokio::test]
async fn a_failed_job_is_tried_again_with_growing_waits_and_survives_a_restart() {
    let opened = offline_profile().await;
    put(&opened, "mirror-secret:7", 0).await;
    let mut bench = start(&opened, vec![JobOutcome::Failed]);
    assert_eq!(bench.seen.recv().await.unwrap().attempts, 1);
    bench.end().await;
    let (_, wait, attempts) = rows(&opened).await.remove(0);
    assert!((5_000..=5_500).contains(&wait), "{wait}");
    assert_eq!(attempts, 1);

    // The program was started again.
    let mut bench = start(&opened, vec![JobOutcome::Failed]);
    opened.clock.until_waiting(1).await;
    opened
        .clock
        .advance(Duration::from_millis(wait.unsigned_abs()));
    assert_eq!(bench.seen.recv().await.unwrap().attempts, 2);
    bench.end().await;
    let (_, wait, _) = rows(&opened).await.remove(0);
    assert!((10_000..=11_000).contains(&wait), "{wait}");
}

#[tokio::test]
async fn again_keeps_the_job_without_counting_a_failure() {
    let opened = offline_profile().await;
    put(&opened, "check-subscription:3", 0).await;
    let due_at_ms = opened.profile.now_ms() + 86_400_000;
    let mut bench = start(&opened, vec![JobOutcome::Again { due_at_ms }]);
    bench.seen.recv().await.unwrap();
    bench.end().await;
    assert_eq!(
        rows(&opened).await,
        [("check-subscription:3".into(), 86_400_000, 0)]
    );
}

#[tokio::test]
async fn one_name_is_one_job_and_the_last_word_counts() {
    let opened = offline_profile().await;
    put(&opened, "erase:501", 1_000).await;
    put(&opened, "erase:501", 9_000).await;
    put(&opened, "erase:502", 5_000).await;
    assert_eq!(
        rows(&opened).await,
        [
            ("erase:501".into(), 9_000, 0),
            ("erase:502".into(), 5_000, 0)
        ]
    );
    let mut tx = opened.profile.store.write(Priority::Owner).await.unwrap();
    cancel(&mut tx, "erase:502").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rows(&opened).await.len(), 1);
}

#[tokio::test]
async fn a_job_put_in_anew_while_it_works_is_not_lost() {
    let opened = offline_profile().await;
    put(&opened, "mirror-secret:7", 0).await;
    let stop = CancellationToken::new();
    let (sender, mut seen) = mpsc::unbounded_channel();
    let (go, gate) = tokio::sync::watch::channel(false);
    let task = tokio::spawn(run_with(
        Arc::clone(&opened.profile),
        stop.clone(),
        move |_, job| {
            let (sender, mut gate) = (sender.clone(), gate.clone());
            Box::pin(async move {
                sender.send(job).unwrap();
                gate.wait_for(|open| *open).await.unwrap();
                JobOutcome::Done
            })
        },
    ));
    seen.recv().await.unwrap();
    put(&opened, "mirror-secret:7", 60_000).await;
    go.send(true).unwrap();
    stop.cancel();
    task.await.unwrap();
    assert_eq!(rows(&opened).await, [("mirror-secret:7".into(), 60_000, 0)]);
}

#[tokio::test]
async fn a_handler_that_panics_counts_as_failed() {
    let opened = offline_profile().await;
    put(&opened, "erase:501", 0).await;
    let stop = CancellationToken::new();
    let begun = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&begun);
    let task = tokio::spawn(run_with(
        Arc::clone(&opened.profile),
        stop.clone(),
        move |_, _| {
            let told = Arc::clone(&told);
            Box::pin(async move {
                told.notify_one();
                panic!("a fault of ours");
            })
        },
    ));
    begun.notified().await;
    stop.cancel();
    task.await.unwrap();
    let (_, wait, attempts) = rows(&opened).await.remove(0);
    assert!(wait >= 5_000);
    assert_eq!(attempts, 1);
}

#[test]
fn waits_double_up_to_an_hour() {
    assert_eq!(back_off_ms(1, 0), 5_000);
    assert_eq!(back_off_ms(2, 999), 10_999);
    assert_eq!(back_off_ms(40, 0), 3_600_000);
}
