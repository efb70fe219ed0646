//! One test's world: folders, display, bus, keychain, sandbox, relay, driver, and the browser that clicks for the owner.

use crate::processes::{
    Running, built, display, free_port, keychain, listening, root, session_bus,
};
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// Everything outside the window.
pub struct World {
    pub folder: tempfile::TempDir,
    pub sandbox_address: String,
    pub relay_address: String,
    environment: Vec<(String, String)>,
    driver_port: u16,
    native_port: u16,
    // Ended in this order.
    driver: Option<Running>,
    relay: Option<Running>,
    sandbox: Option<Running>,
    _others: Vec<Running>,
}

impl World {
    /// A display of this size, everything else fresh.
    pub fn start(width: u32, height: u32) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("shopbell-window-")
            .tempdir()
            .unwrap();
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        for name in [
            "data/applications",
            "config/gtk-3.0",
            "cache",
            "runtime",
            "home",
            "profile",
        ] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        #[cfg(unix)]
        fs::set_permissions(
            folder.path().join("runtime"),
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
        .unwrap();
        // As desktops have it; a bare display hints fully and every line gets wider.
        fs::write(
            folder.path().join("config/gtk-3.0/settings.ini"),
            "[Settings]\ngtk-xft-antialias=1\ngtk-xft-hinting=1\ngtk-xft-hintstyle=hintslight\n",
        )
        .unwrap();

        let (screen, number) = display(width, height);
        let mut environment: Vec<(String, String)> = [
            ("DISPLAY", number),
            ("HOME", at("home")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_CACHE_HOME", at("cache")),
            ("XDG_RUNTIME_DIR", at("runtime")),
            // With this, xdg-open leaves the reading of desktop files to gio, which knows quotes in `Exec`.
            ("XDG_CURRENT_DESKTOP", "GNOME".into()),
            ("SHOPBELL_PROFILE_DIR", at("profile")),
            ("SHOPBELL_TIMINGS", "1".into()),
            ("NO_AT_BRIDGE", "1".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        let (bus, address) = session_bus(&environment);
        environment.push(("DBUS_SESSION_BUS_ADDRESS".into(), address));
        keychain(&environment);
        let mut manager = Command::new("openbox");
        manager
            .arg("--config-file")
            .arg(root().join("tests/desktop/openbox.xml"))
            .envs(environment.iter().cloned());
        let manager = Running(manager.spawn().unwrap());

        let relay_port = free_port();
        let relay_address = format!("http://127.0.0.1:{relay_port}");
        let (sandbox, sandbox_address) = start_sandbox();
        let relay = start_relay(folder.path(), relay_port, &relay_address, &sandbox_address);
        fs::write(
            folder.path().join("profile/endpoints.json"),
            json!({ "relay": relay_address, "sandbox": sandbox_address }).to_string(),
        )
        .unwrap();
        let mut world = Self {
            folder,
            sandbox_address,
            relay_address,
            environment,
            driver_port: free_port(),
            native_port: free_port(),
            driver: None,
            relay: Some(relay),
            sandbox: Some(sandbox),
            _others: vec![manager, bus, screen],
        };
        world.register_browser();
        world.driver = Some(world.start_driver());
        world
    }

    /// `http:` addresses open the program that clicks for the owner.
    fn register_browser(&self) {
        let script = self.folder.path().join("browser.sh");
        let clicks = root().join("tests/desktop/browser.mjs");
        let log = self.browser_log();
        // A script of one word: xdg-open reads no quotes in `Exec`.
        fs::write(
            &script,
            format!(
                "#!/bin/sh\nexec node \"{}\" \"$1\" >>\"{}\" 2>&1\n",
                clicks.display(),
                log.display()
            ),
        )
        .unwrap();
        #[cfg(unix)]
        fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fs::write(
            self.folder.path().join("data/applications/test-browser.desktop"),
            format!(
                "[Desktop Entry]\nType=Application\nName=Test browser\nExec={} %u\nMimeType=x-scheme-handler/http;x-scheme-handler/https;\nNoDisplay=true\n",
                script.display()
            ),
        )
        .unwrap();
        for scheme in ["http", "https"] {
            let mut register = self.command("xdg-mime");
            register.args([
                "default",
                "test-browser.desktop",
                &format!("x-scheme-handler/{scheme}"),
            ]);
            assert!(register.status().unwrap().success());
        }
    }

    fn browser_log(&self) -> std::path::PathBuf {
        self.folder.path().join("browser.log")
    }

    fn start_driver(&self) -> Running {
        let mut driver = self.command(
            root()
                .join("target/tools/bin/tauri-driver")
                .to_str()
                .unwrap(),
        );
        driver.args([
            "--port",
            &self.driver_port.to_string(),
            "--native-port",
            &self.native_port.to_string(),
        ]);
        Running(driver.spawn().unwrap())
    }

    /// A command inside this world.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Starts the program and connects to its window.
    pub async fn open_window(&self) -> Client {
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("browserName".into(), json!("wry"));
        capabilities.insert(
            "tauri:options".into(),
            json!({ "application": built("shopbell") }),
        );
        let address = format!("http://127.0.0.1:{}", self.driver_port);
        // Neither driver tells when it listens; asking is the event.
        for port in [self.driver_port, self.native_port] {
            while tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_err()
            {
                tokio::task::yield_now().await;
            }
        }
        ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&address)
            .await
            .unwrap()
    }

    /// Tells the sandbox to do something.
    pub async fn sandbox(&self, path: &str, body: Value) -> Value {
        let answer = reqwest::Client::new()
            .post(format!("{}/_sandbox/{path}", self.sandbox_address))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// Meta's app is pointed at the relay: from now on events are sent.
    pub async fn events_on(&self) {
        let address = format!("{}/webhooks/meta", self.relay_address);
        self.sandbox(
            "callback",
            json!({ "webhook_url": address, "verify": true }),
        )
        .await;
    }

    /// The network goes away: nobody answers any more.
    pub fn unplug(&mut self) {
        self.relay = None;
        self.sandbox = None;
    }

    /// A picture of the display's upper left part, where the window is.
    pub fn photograph(&self, file: &Path, width: u64, height: u64) {
        let mut import = self.command("import");
        import
            .args([
                "-window",
                "root",
                "-crop",
                &format!("{width}x{height}+0+0"),
                "+repage",
            ])
            .arg(file);
        assert!(import.status().unwrap().success());
    }
}

impl Drop for World {
    /// What the browser said is part of a failure.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Ok(said) = fs::read_to_string(self.browser_log()) {
            println!("browser: {said}");
        }
        for log in fs::read_dir(self.folder.path().join("profile/logs"))
            .into_iter()
            .flatten()
            .flatten()
        {
            println!(
                "log: {}",
                fs::read_to_string(log.path()).unwrap_or_default()
            );
        }
    }
}

fn start_sandbox() -> (Running, String) {
    let mut sandbox = Command::new(built("shopbell-sandbox"));
    sandbox.args(["--port", "0", "--seed", "kornblume", "--size", "small"]);
    listening(sandbox)
}

fn start_relay(folder: &Path, port: u16, address: &str, sandbox: &str) -> Running {
    let mut relay = Command::new(built("shopbell-relay"));
    relay.args(["--port", &port.to_string()]);
    let own = [
        ("PUBLIC_URL", address.to_owned()),
        (
            "STORAGE",
            format!("sqlite:{}", folder.join("relay.db").display()),
        ),
        ("KEY_FILE", folder.join("relay.key").display().to_string()),
        ("VERIFY_TOKEN", "shopbell-verify".into()),
        ("FACEBOOK_APP_ID", "138000000000001".into()),
        (
            "FACEBOOK_APP_SECRET",
            "0123456789abcdef0123456789abcdef".into(),
        ),
        ("INSTAGRAM_APP_ID", "990000000000002".into()),
        (
            "INSTAGRAM_APP_SECRET",
            "fedcba9876543210fedcba9876543210".into(),
        ),
        (
            "UPSTREAM_GRAPH_FACEBOOK",
            format!("{sandbox}/graph.facebook.com"),
        ),
        (
            "UPSTREAM_GRAPH_INSTAGRAM",
            format!("{sandbox}/graph.instagram.com"),
        ),
        (
            "UPSTREAM_API_INSTAGRAM",
            format!("{sandbox}/api.instagram.com"),
        ),
        (
            "UPSTREAM_WWW_FACEBOOK",
            format!("{sandbox}/www.facebook.com"),
        ),
        (
            "UPSTREAM_WWW_INSTAGRAM",
            format!("{sandbox}/www.instagram.com"),
        ),
    ];
    relay.envs(own.map(|(name, value)| (format!("SHOPBELL_RELAY_{name}"), value)));
    listening(relay).0
}
