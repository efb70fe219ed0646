//! Search over everything, against `LIKE` on the same data: how fast, and is every hit found.

use crate::rows::{Bar, On, Rows, quantile_ms};
use serde_json::{Value, json};
use shopbell_core::{Core, Entropy, Profile, SeededEntropy, api::dispatch};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

async fn find(core: &Core, text: &str, cursor: &Value) -> Value {
    let ask = json!({ "text": text, "conversation_id": null, "account_id": null, "cursor": cursor, "limit": 50 });
    dispatch(core, "search", ask).await.unwrap()
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')
}

/// Terms as people type them: words, beginnings of words of at least two characters, pieces of Japanese words.
async fn terms(profile: &Profile, count: usize) -> Vec<String> {
    let entropy = SeededEntropy::new(21);
    let mut reader = profile.store.read().await.unwrap();
    let last: i64 = sqlx::query_scalar("SELECT max(id) FROM messages")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    let mut terms = Vec::new();
    while terms.len() < count {
        let id = 1 + i64::try_from(entropy.below(u64::try_from(last).unwrap())).unwrap();
        let text: Option<String> = sqlx::query_scalar("SELECT text FROM messages WHERE id = ?")
            .bind(id)
            .fetch_one(&mut *reader)
            .await
            .unwrap();
        let words: Vec<String> = text
            .unwrap_or_default()
            .split(' ')
            .map(str::to_lowercase)
            .collect();
        let word = &words[usize::try_from(entropy.below(words.len() as u64)).unwrap()];
        let letters: Vec<char> = word.chars().collect();
        if letters.len() < 2 || letters.iter().any(|c| !c.is_alphanumeric()) {
            continue;
        }
        let longest = letters.len() as u64 - 1;
        let length = 2 + usize::try_from(entropy.below(longest)).unwrap();
        let start = if letters.iter().all(|c| is_cjk(*c)) {
            usize::try_from(entropy.below((letters.len() - length + 1) as u64)).unwrap()
        } else {
            0
        };
        terms.push(letters[start..start + length].iter().collect());
    }
    terms
}

/// Measures time, ratio and completeness.
pub async fn measure(rows: &Rows, core: &Core) {
    let profile = &*core.profile().unwrap();
    let all = terms(profile, 1_000).await;
    for term in all.iter().take(50) {
        find(core, term, &Value::Null).await;
    }
    let mut times = Vec::new();
    for term in &all {
        let start = Instant::now();
        find(core, term, &Value::Null).await;
        times.push(start.elapsed());
    }
    rows.say(
        "search_p99",
        quantile_ms(&mut times, 0.99),
        "ms",
        None,
        Bar::AtMost(30.0, On::Value),
    );

    let (mut ours, mut likes, mut missed, mut compared) = (Vec::new(), Vec::new(), 0, 0);
    let mut seen = HashSet::new();
    for term in all.iter().filter(|term| seen.insert((*term).clone())) {
        if compared >= if rows.quick { 20 } else { 40 } {
            break;
        }
        let Some(found) = everything(core, term, 200).await else {
            continue;
        };
        compared += 1;
        let start = Instant::now();
        find(core, term, &Value::Null).await;
        ours.push(start.elapsed());
        let (like, time) = like(profile, term).await;
        likes.push(time);
        missed += like.iter().filter(|key| !found.contains(*key)).count();
    }
    let (ours, likes) = (quantile_ms(&mut ours, 0.5), quantile_ms(&mut likes, 0.5));
    rows.say(
        "search_times_faster_than_like",
        likes,
        "ms",
        Some(ours),
        Bar::AtLeast(20.0, On::Ratio),
    );
    rows.say(
        "search_hits_missed",
        missed as f64,
        "hits",
        None,
        Bar::AtMost(0.0, On::Value),
    );
}

/// All hits of a term, or nothing when there are `limit` or more.
async fn everything(core: &Core, term: &str, limit: usize) -> Option<HashSet<i64>> {
    let (mut found, mut cursor) = (HashSet::new(), Value::Null);
    loop {
        let page = find(core, term, &cursor).await;
        found.extend(
            page["hits"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hit| hit["sort_key"].as_str().unwrap().parse::<i64>().unwrap()),
        );
        if found.len() >= limit {
            return None;
        }
        if page["next"].is_null() {
            return Some(found);
        }
        cursor = page["next"].clone();
    }
}

/// What `LIKE` finds, newest 50 timed as a program without an index would ask; then all of them, kept by the rules: at the start of a
/// word for alphabets, anywhere for Japanese and Chinese.
async fn like(profile: &Profile, term: &str) -> (Vec<i64>, Duration) {
    let mut reader = profile.store.read().await.unwrap();
    let pattern = format!("%{term}%");
    let start = Instant::now();
    let newest: Vec<i64> = sqlx::query_scalar(
        "SELECT sort_key FROM messages WHERE text LIKE ? ORDER BY sort_key DESC LIMIT 50",
    )
    .bind(&pattern)
    .fetch_all(&mut *reader)
    .await
    .unwrap();
    let time = start.elapsed();
    drop(newest);
    let all: Vec<(i64, String)> =
        sqlx::query_as("SELECT sort_key, text FROM messages WHERE text LIKE ?")
            .bind(&pattern)
            .fetch_all(&mut *reader)
            .await
            .unwrap();
    let anywhere = term.chars().all(is_cjk);
    let kept = all
        .into_iter()
        .filter(|(_, text)| {
            let text = text.to_lowercase();
            anywhere
                || text
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|word| word.starts_with(term))
        })
        .map(|(key, _)| key)
        .collect();
    (kept, time)
}
