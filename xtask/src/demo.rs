//! `demo` and `dev`: the whole product against the simulated Meta, on a fresh profile in folders of its own.
//!
//! Without a display, or with `--headless`, the demo is the longest story of the window tests: it walks the main job by itself and
//! leaves pictures and `summary.json`.

use crate::{
    run::{cargo, command, root, run as go},
    setup, stages,
};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::{BufRead, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// `demo [--headless --out DIR]`.
///
/// # Errors
/// When something cannot be installed, built or started.
pub fn run(words: &[&str]) -> Result<()> {
    let (headless, out) = match words {
        [] => (!has_display(), None),
        ["--headless"] => (true, None),
        ["--headless", "--out", out] | ["--out", out, "--headless"] => (true, Some(*out)),
        _ => bail!("usage: cargo xtask demo [--headless --out DIR]"),
    };
    if headless {
        walk(out.unwrap_or("target/demo"))
    } else {
        show()
    }
}

fn has_display() -> bool {
    cfg!(not(target_os = "linux"))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some())
}

/// The main job without a person.
fn walk(out: &str) -> Result<()> {
    setup::everything()?;
    build_ui()?;
    stages::build()?;
    let out = std::path::absolute(out)?;
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out)?;
    let mut story = cargo(&[
        "test",
        "--workspace",
        "--features",
        "shopbell/embed-ui",
        "--test",
        "desktop",
        "--",
    ]);
    story
        .args(["--exact", "demo::the_main_job", "--nocapture"])
        .env("SHOPBELL_DEMO_OUT", &out);
    go(story)?;
    println!("Pictures and summary.json are in {}", out.display());
    Ok(())
}

fn build_ui() -> Result<()> {
    println!("Building the interface");
    let mut build = command("npm", &["run", "--silent", "build"]);
    build.current_dir(root().join("ui"));
    go(build)
}

/// In a window, for a person.
fn show() -> Result<()> {
    setup::for_window()?;
    build_ui()?;
    println!("Building Shopbell, its relay and the sandbox (about five minutes the first time)");
    go(cargo(&[
        "build",
        "--workspace",
        "--features",
        "shopbell/embed-ui",
    ]))?;
    let world = World::start()?;
    println!(
        "\nA fresh Shopbell opens now. \"Connect Instagram\" and \"Connect Facebook Page\" lead to a simulated Meta in your browser;"
    );
    println!(
        "any password is right there. Close the window to end the demo; nothing stays behind.\n"
    );
    let status = world
        .app(root().join("target/debug/shopbell"))
        .status()
        .context("start Shopbell")?;
    if !status.success() {
        bail!("Shopbell ended with {status}");
    }
    Ok(())
}

/// The app with a reloading interface.
///
/// # Errors
/// When something cannot be installed, built or started.
pub fn dev() -> Result<()> {
    setup::for_window()?;
    go(cargo(&["build", "--workspace"]))?;
    let world = World::start()?;
    let mut vite = Killed(
        command("npm", &["run", "dev"])
            .current_dir(root().join("ui"))
            .spawn()?,
    );
    let status = world.app(root().join("target/debug/shopbell")).status()?;
    vite.0.kill()?;
    if !status.success() {
        bail!("Shopbell ended with {status}");
    }
    Ok(())
}

/// Ends its program when dropped.
pub struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sandbox and relay on free ports, and a folder that goes away with them.
struct World {
    _sandbox: Killed,
    _relay: Killed,
    folder: PathBuf,
}

impl World {
    fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("shopbell-demo-{}", std::process::id()));
        fs::create_dir_all(folder.join("profile"))?;
        let relay_port = free_port()?;
        let relay = format!("http://127.0.0.1:{relay_port}");
        let mut sandbox = Command::new(root().join("target/debug/shopbell-sandbox"));
        sandbox.args(["--port", "0", "--seed", "kornblume", "--size", "small"]);
        let (sandbox, address) = listening(sandbox)?;
        let mut program = Command::new(root().join("target/debug/shopbell-relay"));
        program
            .args(["--port", &relay_port.to_string()])
            .current_dir(&folder)
            .envs(relay_environment(&address, &relay, &folder));
        let (program, _) = listening(program)?;
        events_on(&address, &relay)?;
        let endpoints = serde_json::json!({ "relay": relay, "sandbox": address });
        fs::write(folder.join("profile/endpoints.json"), endpoints.to_string())?;
        Ok(Self {
            _sandbox: sandbox,
            _relay: program,
            folder,
        })
    }

    fn app(&self, program: PathBuf) -> Command {
        let mut app = Command::new(program);
        // A trial: no key in the owner's keychain, no handler for shopbell: links, the web view's files in the demo's own folder.
        app.env("SHOPBELL_PROFILE_DIR", self.folder.join("profile"))
            .env("SHOPBELL_TRIAL", "1");
        for (name, folder) in [("DATA", "data"), ("CONFIG", "config"), ("CACHE", "cache")] {
            app.env(format!("XDG_{name}_HOME"), self.folder.join(folder));
        }
        app
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The sandbox's own app, as its README lists it.
fn relay_environment(
    sandbox: &str,
    relay: &str,
    folder: &std::path::Path,
) -> Vec<(String, String)> {
    let storage = format!("sqlite:{}", folder.join("relay.db").display());
    let key = folder.join("relay.key").display().to_string();
    let mut all: Vec<(String, String)> = [
        ("PUBLIC_URL", relay),
        ("STORAGE", &storage),
        ("KEY_FILE", &key),
        ("VERIFY_TOKEN", "shopbell-verify"),
        ("FACEBOOK_APP_ID", "138000000000001"),
        ("FACEBOOK_APP_SECRET", "0123456789abcdef0123456789abcdef"),
        ("INSTAGRAM_APP_ID", "990000000000002"),
        ("INSTAGRAM_APP_SECRET", "fedcba9876543210fedcba9876543210"),
    ]
    .iter()
    .map(|(name, value)| (format!("SHOPBELL_RELAY_{name}"), (*value).to_owned()))
    .collect();
    for (name, host) in [
        ("GRAPH_FACEBOOK", "graph.facebook.com"),
        ("GRAPH_INSTAGRAM", "graph.instagram.com"),
        ("API_INSTAGRAM", "api.instagram.com"),
        ("WWW_FACEBOOK", "www.facebook.com"),
        ("WWW_INSTAGRAM", "www.instagram.com"),
    ] {
        all.push((
            format!("SHOPBELL_RELAY_UPSTREAM_{name}"),
            format!("{sandbox}/{host}"),
        ));
    }
    all
}

/// Points the simulated Meta's webhooks at the relay, as the owner of a Meta app does it in the dashboard.
fn events_on(sandbox: &str, relay: &str) -> Result<()> {
    let body =
        serde_json::json!({ "webhook_url": format!("{relay}/webhooks/meta"), "verify": true })
            .to_string();
    let host = sandbox.trim_start_matches("http://");
    let mut line = std::net::TcpStream::connect(host)?;
    write!(
        line,
        "POST /_sandbox/callback HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    BufReader::new(line).read_line(&mut answer)?;
    if !answer.contains(" 200 ") {
        bail!("the sandbox does not reach the relay: {answer}");
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

/// Starts a server that prints its address as one JSON line.
pub fn listening(mut server: Command) -> Result<(Killed, String)> {
    let shown = format!("{:?}", server.get_program());
    let mut child = server
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| shown.clone())?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    let answer: serde_json::Value =
        serde_json::from_str(&line).with_context(|| format!("{shown} said {line:?}"))?;
    let address = answer["listening"]
        .as_str()
        .or(answer["base_url"].as_str())
        .with_context(|| format!("{shown} said {line:?}"))?;
    Ok((Killed(child), address.trim_end_matches('/').to_owned()))
}
