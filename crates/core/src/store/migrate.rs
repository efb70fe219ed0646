//! Brings a database to the newest schema. The number lies in the file's header (`user_version`).
//!
//! Invariant: one migration is one transaction, its number included. A program killed at any statement leaves the old version or the
//! new one, nothing between.

use super::{OpenError, statements};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

/// "Shbl": marks the file as ours.
const APPLICATION_ID: i64 = 0x5368_626c;

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Schema number after it.
    pub version: i64,
    /// Oldest program schema that may still use a file of this schema.
    pub usable_from: i64,
    /// SQL text.
    pub sql: &'static str,
}

/// All of them, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        usable_from: 1,
        sql: include_str!("../../../../migrations/0001_base.sql"),
    },
    Migration {
        version: 2,
        usable_from: 2,
        sql: include_str!("../../../../migrations/0002_events.sql"),
    },
    Migration {
        version: 3,
        usable_from: 3,
        sql: include_str!("../../../../migrations/0003_comments.sql"),
    },
];

fn newest(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |migration| migration.version)
}

async fn version(connection: &mut SqliteConnection) -> Result<i64, OpenError> {
    Ok(sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(connection)
        .await?)
}

/// Is the file ours, and may this program use it?
async fn check_ours(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
) -> Result<i64, OpenError> {
    let application: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *connection)
        .await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await?;
    let found = version(connection).await?;
    let known = newest(migrations);
    if application != APPLICATION_ID && (application != 0 || tables != 0 || found != 0) {
        return Err(OpenError::Foreign);
    }
    if found > known {
        let usable_from: Option<String> =
            sqlx::query_scalar("SELECT value FROM profile_meta WHERE key = 'usable_from'")
                .fetch_optional(&mut *connection)
                .await?;
        let usable = usable_from
            .and_then(|number| number.parse::<i64>().ok())
            .is_some_and(|oldest| known >= oldest);
        if !usable {
            return Err(OpenError::Newer { found, known });
        }
    }
    Ok(found)
}

/// For a reader beside the holder: the schema must be one this program can read.
pub(super) async fn check_readable(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let found = check_ours(connection, migrations).await?;
    let known = newest(migrations);
    if found < known {
        Err(OpenError::Older { found, known })
    } else {
        Ok(())
    }
}

/// Runs what is missing. `after` is called behind every statement with its running number; tests look at the files there.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
    after: &mut (dyn FnMut(usize) + Send),
) -> Result<(), OpenError> {
    let found = check_ours(connection, migrations).await?;
    let mut done = 0;
    for migration in migrations
        .iter()
        .filter(|migration| migration.version > found)
    {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for statement in statements::split(migration.sql) {
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
                .execute(&mut *transaction)
                .await?;
            done += 1;
            after(done);
        }
        let mark = format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}; \
             INSERT INTO profile_meta (key, value) VALUES ('usable_from', '{}') ON CONFLICT DO UPDATE SET value = excluded.value",
            migration.version, migration.usable_from
        );
        sqlx::raw_sql(AssertSqlSafe(mark))
            .execute(&mut *transaction)
            .await?;
        done += 1;
        after(done);
        transaction.commit().await?;
        done += 1;
        after(done);
    }
    Ok(())
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
