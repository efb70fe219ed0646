//! Many rows with one statement: a statement costs more than the rows in it.

use std::sync::Arc;

use shopbell_wire::Thumbprint;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::block::Block;
use crate::storage::{StorageError, Stored};

/// Numbers of rows there is a statement for. A group takes the next larger one; rows that are not given are nothing.
const SIZES: [usize; 5] = [1, 4, 16, 64, 256];

/// The statements, each prepared once by the connection that runs them.
pub(super) struct Inserts {
    blocks: [(usize, Arc<str>); SIZES.len()],
}

impl Inserts {
    pub(super) fn new() -> Self {
        Self {
            blocks: SIZES.map(|size| {
                let rows = vec!["(?,?,?,?,?)"; size].join(",");
                let sql = format!(
                    "INSERT INTO blocks (stream, first, last, received_ms, records) \
                     SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL"
                );
                (size, sql.into())
            }),
        }
    }

    /// Whether these are one statement.
    pub(super) fn is_one(blocks: usize) -> bool {
        SIZES.last().is_some_and(|most| blocks <= *most)
    }

    /// Puts blocks in.
    pub(super) async fn blocks(
        &self,
        connection: &mut SqliteConnection,
        blocks: &mut Vec<Block>,
    ) -> Stored<()> {
        let Some((most, _)) = self.blocks.last() else {
            return Ok(());
        };
        while !blocks.is_empty() {
            let part: Vec<Block> = blocks.drain(..blocks.len().min(*most)).collect();
            let Some((_, sql)) = self.blocks.iter().find(|(size, _)| part.len() <= *size) else {
                return Ok(());
            };
            let mut query = sqlx::query(AssertSqlSafe(Arc::clone(sql)));
            for block in part {
                query = query
                    .bind(block.stream)
                    .bind(number(block.first)?)
                    .bind(number(block.last)?)
                    .bind(block.received_ms)
                    .bind(block.bytes);
            }
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// Puts streams in that get their first event.
    pub(super) async fn streams(
        &self,
        connection: &mut SqliteConnection,
        made: &[(i64, Thumbprint)],
    ) -> Stored<()> {
        if made.is_empty() {
            return Ok(());
        }
        let made: Vec<(i64, &str)> = made
            .iter()
            .map(|(id, device)| (*id, device.as_str()))
            .collect();
        sqlx::query(
            "INSERT INTO streams (id, device, deleted_to, expired_to) \
             SELECT value ->> 0, value ->> 1, 0, 0 FROM json_each(?1)",
        )
        .bind(json(&made)?)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// An offset as SQLite keeps it.
pub(super) fn number(offset: u64) -> Stored<i64> {
    i64::try_from(offset).map_err(|_| StorageError::Unreadable("offset"))
}

/// A list for `json_each`: one statement over many rows.
pub(super) fn json<T: serde::Serialize>(list: &[T]) -> Stored<String> {
    serde_json::to_string(list).map_err(|_| StorageError::Unreadable("list"))
}
