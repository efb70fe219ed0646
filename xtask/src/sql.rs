//! `sql`: a fresh database from the migrations, and from it the files that the query checks read without a database.

use crate::run::{cargo, root, run};
use anyhow::Result;
use std::fs;

/// Renews `.sqlx/`.
///
/// # Errors
/// When a query does not fit the migrations.
pub fn renew() -> Result<()> {
    let database = root().join("target/dev.db");
    fs::create_dir_all(root().join("target"))?;
    run(cargo(&[
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "sql",
        "--",
        "sql-database",
    ])
    .arg_path(&database))?;
    let fresh = root().join("target/sqlx-fresh");
    let _ = fs::remove_dir_all(&fresh);
    prepare(&database, &fresh)?;
    let kept = root().join(".sqlx");
    let _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept)?;
    for name in names(&fresh)? {
        fs::copy(fresh.join(&name), kept.join(&name))?;
    }
    Ok(())
}

/// Lets the query macros of the core write what they learn from `database` into `folder`.
fn prepare(database: &std::path::Path, folder: &std::path::Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    // The macros only run when the crate is compiled anew.
    let touched = root().join("crates/core/src/lib.rs");
    let text = fs::read(&touched)?;
    fs::write(&touched, text)?;
    let mut check = cargo(&["check", "--quiet", "--package", "shopbell-core", "--tests"]);
    check
        .env("SQLX_OFFLINE", "false")
        .env("DATABASE_URL", format!("sqlite://{}", database.display()))
        .env("SQLX_OFFLINE_DIR", folder);
    run(check)
}

trait ArgPath {
    fn arg_path(self, path: &std::path::Path) -> std::process::Command;
}

impl ArgPath for std::process::Command {
    fn arg_path(mut self, path: &std::path::Path) -> std::process::Command {
        self.arg(path);
        self
    }
}

/// Makes an unencrypted database with the newest schema, for the checks only.
///
/// # Errors
/// When a migration fails.
#[cfg(feature = "sql")]
pub fn make_database(path: &std::path::Path) -> Result<()> {
    use sqlx::{ConnectOptions, Executor};
    let _ = fs::remove_file(path);
    let mut files: Vec<_> =
        fs::read_dir(root().join("migrations"))?.collect::<std::result::Result<Vec<_>, _>>()?;
    files.retain(|entry| entry.path().extension().is_some_and(|ext| ext == "sql"));
    files.sort_by_key(std::fs::DirEntry::path);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true);
            let mut connection = options.connect().await?;
            for file in files {
                let text = fs::read_to_string(file.path())?;
                connection
                    .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text)))
                    .await?;
            }
            anyhow::Ok(())
        })
}

/// Are the committed query checks those of today's migrations and queries? Writes fresh ones beside and compares.
///
/// # Errors
/// When the fresh ones cannot be made.
pub fn drift() -> Result<Vec<String>> {
    let database = root().join("target/dev.db");
    let fresh = root().join("target/sqlx-fresh");
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir_all(root().join("target"))?;
    run(cargo(&[
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "sql",
        "--",
        "sql-database",
    ])
    .arg_path(&database))?;
    prepare(&database, &fresh)?;
    let (committed, fresh) = (names(&root().join(".sqlx"))?, names(&fresh)?);
    let missing = fresh
        .difference(&committed)
        .map(|name| format!(".sqlx/{name} is missing: run cargo xtask sql"));
    let stale = committed
        .difference(&fresh)
        .map(|name| format!(".sqlx/{name} belongs to no query: run cargo xtask sql"));
    Ok(missing.chain(stale).collect())
}

fn names(folder: &std::path::Path) -> Result<std::collections::BTreeSet<String>> {
    Ok(fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect())
}
