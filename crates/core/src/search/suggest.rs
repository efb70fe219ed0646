//! "Did you mean": words that exist and are one or two letters away from what was typed. Asked only when nothing was found.

use super::terms::{Term, Terms};
use crate::{ingest::rows::decode, store::StoreError};
use sqlx::SqliteConnection;

/// Words looked at per term.
const CANDIDATES: i64 = 20_000;
/// Suggestions in all.
const MOST: usize = 3;

/// Words near the typed ones, nearest first.
///
/// # Errors
/// What the database says.
pub async fn suggest(
    connection: &mut SqliteConnection,
    terms: &Terms,
) -> Result<Vec<String>, StoreError> {
    let mut near: Vec<(usize, String)> = Vec::new();
    for term in &terms.0 {
        let Term::Start(word) = term else { continue };
        let letters: Vec<char> = word.chars().collect();
        let (Some(first), true) = (letters.first(), (3..=24).contains(&letters.len())) else {
            continue;
        };
        let Some(after) = char::from_u32(u32::from(*first) + 1) else {
            continue;
        };
        let (from, to) = (first.to_string(), after.to_string());
        let words = sqlx::query_scalar!(
            r#"SELECT json_group_array(term) AS "words!: String"
               FROM (SELECT term FROM message_vocab WHERE term >= ? AND term < ? LIMIT ?)"#,
            from,
            to,
            CANDIDATES
        )
        .fetch_one(&mut *connection)
        .await?;
        let words: Vec<String> = decode(&words)?;
        let allowed = if letters.len() < 5 { 1 } else { 2 };
        for candidate in words {
            let other: Vec<char> = candidate.chars().collect();
            if other.len().abs_diff(letters.len()) > allowed {
                continue;
            }
            let distance = distance(&letters, &other);
            if distance > 0
                && distance <= allowed
                && !near.iter().any(|(_, known)| *known == candidate)
            {
                near.push((distance, candidate));
            }
        }
    }
    near.sort();
    Ok(near.into_iter().take(MOST).map(|(_, word)| word).collect())
}

/// Letters to add, drop, change or swap with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, right) in b.iter().enumerate() {
            let change = last[j] + usize::from(left != right);
            let mut best = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn swapped_letters_are_one_step() {
        let count = |a: &str, b: &str| {
            distance(
                &a.chars().collect::<Vec<_>>(),
                &b.chars().collect::<Vec<_>>(),
            )
        };
        assert_eq!(count("brot", "borte"), 2);
        assert_eq!(count("kuchen", "kcuhen"), 1);
        assert_eq!(count("kuchen", "kuche"), 1);
        assert_eq!(count("خبز", "خبر"), 1);
        assert_eq!(count("", "abc"), 3);
    }
}
