//! The commands of the README. `cargo xtask help` lists them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks to a person"
)]

mod bench;
mod demo;
mod house;
mod run;
mod setup;
mod soak;
mod sql;
mod stages;
mod untouched;

use anyhow::{Result, bail};

const HELP: &str = "cargo xtask <command>

  demo [--headless --out DIR]   set up, build, start sandbox, relay and Shopbell on a fresh profile
  test                          set up and run every test: Rust, interface, browser, real window
  dev                           the app with a reloading interface, against the sandbox
  bench [--json] [--issue N] [--quick] [NAME]
                                measure the figures this repository promises (release build)
  soak [kills] [--kills N] [--seed S]
  soak relay [--kills N] [--cuts N] [--planted] [--seed S]
  soak fuzz [--minutes N]       the long trials; that of the relay writes docs/faults.md
  ci                            what CI runs: test, with the time of every stage
  sql                           renew .sqlx (after changing a query or a migration)
  setup                         only install what is missing
";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["demo", rest @ ..] => demo::run(rest),
        ["dev"] => demo::dev(),
        ["test" | "ci", rest @ ..] => stages::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["setup"] => setup::everything(),
        ["sql"] => sql::renew(),
        #[cfg(feature = "sql")]
        ["sql-database", path] => sql::make_database(path.as_ref()),
        ["help" | "--help"] | [] => {
            print!("{HELP}");
            Ok(())
        }
        _ => bail!("unknown command: {}\n\n{HELP}", words.join(" ")),
    }
}
