//! The core's figures: one JSON object per row on standard output, each with a baseline of the same run.
//!
//! `figures [NAME]` measures rows whose name starts with NAME. `figures make-profile FOLDER MESSAGES` makes a profile for the window's
//! figures. `SHOPBELL_BENCH_QUICK=1` uses a tenth of the data, which the rows then say.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

mod backfill;
mod fixture;
mod ingest;
mod pages;
mod rows;
mod search;

use rows::Rows;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // cargo passes `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if let [verb, folder, messages] = words.as_slice()
        && verb == "make-profile"
    {
        fixture::keep_profile(folder.as_ref(), messages.parse().unwrap()).await;
        return;
    }
    let quick = std::env::var("SHOPBELL_BENCH_QUICK").is_ok_and(|value| !value.is_empty());
    let rows = Rows::new(words.first().cloned(), quick);

    if rows.wants("ingest") {
        ingest::measure(&rows).await;
    }
    if rows.wants("page") || rows.wants("search") {
        let messages = if quick { 100_000 } else { 1_000_000 };
        eprintln!("making {messages} messages");
        let (_folder, core) = fixture::shop(messages).await;
        if rows.wants("search") {
            search::measure(&rows, &core).await;
        }
        if rows.wants("page") {
            pages::measure(&rows, &core).await;
        }
        core.shutdown().await;
    }
    if rows.wants("backfill") {
        backfill::measure(&rows).await;
    }
}
