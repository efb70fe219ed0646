//! The sandbox as a program: `shopbell-sandbox --port N --seed WORD --size small` serves until it is ended,
//! `shopbell-sandbox sample --out FILE` writes the product's sample shop. Prints one JSON line with the
//! address it listens on.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use shopbell_sandbox::{Config, Sandbox, Size, Switches, sample};

/// A stand-in for Meta.
#[derive(Debug, Parser)]
#[command(name = "shopbell-sandbox", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// TCP port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The word that decides the generated world.
    #[arg(long, default_value = "kornblume")]
    seed: String,
    /// How much the generated shops hold.
    #[arg(long, value_enum, default_value = "small")]
    size: Size,
    /// Dialogs redirect at once, everything granted.
    #[arg(long)]
    auto_consent: bool,
    /// Where webhooks go.
    #[arg(long)]
    webhook_url: Option<String>,
    /// The token of the GET verification.
    #[arg(long)]
    verify_token: Option<String>,
    /// Facebook app id.
    #[arg(long)]
    app_id: Option<String>,
    /// Facebook app secret.
    #[arg(long)]
    app_secret: Option<String>,
    /// Instagram app id.
    #[arg(long)]
    instagram_app_id: Option<String>,
    /// Instagram app secret.
    #[arg(long)]
    instagram_app_secret: Option<String>,
    /// Facebook Login for Business configuration id.
    #[arg(long)]
    login_config_id: Option<String>,
    /// A registered redirect URI, matched exactly; may be repeated.
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
    /// Open behaviours that differ from the default, as a JSON object.
    #[arg(long)]
    switches: Option<String>,
    /// Customers read what was sent after this many milliseconds.
    #[arg(long)]
    read_after_ms: Option<i64>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes the product's sample shop.
    Sample {
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    if let Some(Command::Sample { out }) = &arguments.command {
        let text = sample::write(&arguments.seed).context("building the sample shop")?;
        return std::fs::write(out, text).with_context(|| format!("writing {}", out.display()));
    }
    let sandbox = Sandbox::start(config(arguments)?).await?;
    announce(&sandbox);
    tokio::select! {
        () = sandbox.serve_on() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

#[allow(
    clippy::print_stdout,
    reason = "the address is what scripts wait for on standard output"
)]
fn announce(sandbox: &Sandbox) {
    println!(
        "{}",
        serde_json::json!({"address": sandbox.address().to_string(), "base_url": sandbox.base_url()})
    );
}

fn config(arguments: Arguments) -> anyhow::Result<Config> {
    let mut config = Config {
        port: arguments.port,
        seed: arguments.seed,
        size: arguments.size,
        auto_consent: arguments.auto_consent,
        webhook_url: arguments.webhook_url,
        ..Config::default()
    };
    let set = |place: &mut String, value: Option<String>| {
        if let Some(value) = value {
            *place = value;
        }
    };
    set(&mut config.verify_token, arguments.verify_token);
    set(&mut config.facebook.id, arguments.app_id);
    set(&mut config.facebook.secret, arguments.app_secret);
    set(&mut config.instagram.id, arguments.instagram_app_id);
    set(&mut config.instagram.secret, arguments.instagram_app_secret);
    set(&mut config.login_config_id, arguments.login_config_id);
    config.redirect_uris.extend(arguments.redirect_uris);
    if let Some(text) = &arguments.switches {
        config.switches = serde_json::from_str::<Switches>(text).context("--switches")?;
    }
    if arguments.read_after_ms.is_some() {
        config.switches.read_after_ms = arguments.read_after_ms;
    }
    Ok(config)
}
