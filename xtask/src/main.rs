//! The commands of the README. `cargo xtask help` lists them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks to a person")]

mod run;
mod sql;

use anyhow::{Result, bail};

const HELP: &str = "cargo xtask <command>

  sql     renew .sqlx and docs/schema.md from the migrations (after changing a query or a migration)
";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["sql"] => sql::renew(),
        #[cfg(feature = "sql")]
        ["sql-database", path] => sql::make_database(path.as_ref()),
        ["help"] | [] => {
            print!("{HELP}");
            Ok(())
        }
        _ => bail!("unknown command: {}\n\n{HELP}", words.join(" ")),
    }
}
