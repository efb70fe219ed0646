//! Cuts a migration into its statements.

/// The statements of `sql`, without the empty ones. Knows quotes, comments and the bodies of triggers.
pub(super) fn split(sql: &str) -> Vec<&str> {
    let bytes = sql.as_bytes();
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'-' if bytes.get(at + 1) == Some(&b'-') => at = end_of(bytes, at, b"\n"),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = end_of(bytes, at + 2, b"*/"),
            quote @ (b'\'' | b'"' | b'`') => at = end_of(bytes, at + 1, &[quote]),
            b';' => {
                at += 1;
                if is_whole(&sql[start..at]) {
                    found.push(&sql[start..at]);
                    start = at;
                }
            }
            _ => at += 1,
        }
    }
    found.push(&sql[start..]);
    found.retain(|statement| !words(statement).is_empty());
    found
}

/// Index after the next `mark`, or the end.
fn end_of(bytes: &[u8], from: usize, mark: &[u8]) -> usize {
    bytes[from..]
        .windows(mark.len())
        .position(|window| window == mark)
        .map_or(bytes.len(), |found| from + found + mark.len())
}

/// A trigger holds semicolons; it ends at `END;`.
fn is_whole(statement: &str) -> bool {
    let words = words(statement);
    let trigger = words.first().is_some_and(|word| word == "CREATE")
        && words.iter().take(3).any(|word| word == "TRIGGER");
    !trigger || words.last().is_some_and(|word| word == "END")
}

/// Words in upper case, comments left out.
fn words(statement: &str) -> Vec<String> {
    statement
        .lines()
        .map(|line| line.split("--").next().unwrap_or(""))
        .flat_map(|line| line.split(|c: char| c.is_whitespace() || c == ';'))
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_comments_and_triggers_keep_their_semicolons() {
        let sql = "-- first; not a cut\nCREATE TABLE a (x TEXT DEFAULT 'b;c'); /* d; */ INSERT INTO a VALUES (\"e;\");\n\
                   CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; UPDATE a SET x = 1; END;\n-- the end\n";
        let found = split(sql);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[2].trim().ends_with("END;"));
    }

    #[test]
    fn the_real_migrations_are_cut_where_sqlite_cuts() {
        for migration in super::super::MIGRATIONS {
            for statement in split(migration.sql) {
                let first = words(statement).first().cloned().unwrap_or_default();
                assert!(
                    matches!(
                        first.as_str(),
                        "CREATE" | "INSERT" | "ALTER" | "DROP" | "UPDATE" | "DELETE"
                    ),
                    "{statement}"
                );
            }
        }
    }
}
