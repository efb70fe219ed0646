//! The outside world, the relay's process and the two owners' app processes: started, ended, started again.

use crate::{browser::browse, line::Line, profile::Profile, relay::Setup};
use shopbell_sandbox::{Config as SandboxConfig, Consent, Sandbox, Size};
use std::{process::Stdio, sync::Arc};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use url::Url;

/// Instagram account of the boutique.
const BOUTIQUE: &str = "17841400000000002";

/// The variables of one process: a planted bug, a place to stop at, a fault of the disk.
pub type Variables = Vec<(&'static str, String)>;

/// One owner with an app.
pub struct Owner {
    pub profile: Arc<Profile>,
    /// Id of the account on the platform.
    pub account: String,
    /// As webhooks name it: `page` or `instagram`.
    pub object: &'static str,
    pub app: Option<Child>,
}

/// Everything.
pub struct World {
    sandbox: Sandbox,
    pub line: Line,
    pub folder: TempDir,
    pub setup: Setup,
    pub relay: Option<Child>,
    /// The running relay was started with variables of its own.
    pub relay_has_orders: bool,
    pub owners: Vec<Owner>,
    /// For every process that is started.
    pub always: Variables,
}

impl World {
    /// A relay and two owners whose apps are connected; the apps are not started.
    pub async fn new(always: Variables) -> Self {
        let config = SandboxConfig {
            size: Size::Empty,
            auto_consent: true,
            ..SandboxConfig::default()
        };
        let apps = [&config.facebook, &config.instagram]
            .map(|keys| (keys.id.clone(), keys.secret.clone()));
        let sandbox = Sandbox::start(config).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = free.local_addr().unwrap();
        drop(free);
        let outside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = Url::parse(&format!("http://{}/", outside.local_addr().unwrap())).unwrap();
        let line = Line::default();
        line.serve(outside, listen);
        let setup = Setup {
            listen,
            public_url: public_url.clone(),
            storage: format!("sqlite:{}", folder.path().join("relay.db").display()),
            sandbox: Url::parse(&sandbox.base_url()).unwrap(),
            apps,
        };
        let mut world = Self {
            line,
            folder,
            setup,
            relay: None,
            relay_has_orders: false,
            owners: Vec::new(),
            always,
            sandbox,
        };
        world.start_relay(&[]).await;
        // The potter's Page, and the boutique that signs in with Instagram.
        world
            .connect("facebook", "120000000000003", "100000000000104", "page")
            .await;
        world
            .connect("instagram", BOUTIQUE, BOUTIQUE, "instagram")
            .await;
        world
    }

    async fn connect(&mut self, provider: &str, person: &str, account: &str, object: &'static str) {
        let profile = Arc::new(Profile::at(
            self.setup.public_url.as_str(),
            self.setup.sandbox.as_str(),
        ));
        self.sandbox.world().consent(Consent {
            person: Some(person.to_owned()),
            ..Consent::default()
        });
        let call = async |arguments: &[&str]| {
            let profile = Arc::clone(&profile);
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            tokio::task::spawn_blocking(move || {
                profile.json(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .await
            .unwrap()
        };
        let begun = call(&["connect", provider, "--no-browser"]).await;
        let link = browse(begun["authorize_url"].as_str().unwrap()).await;
        call(&["connect", "finish", &link]).await;
        let done = call(&["connect", "choose", account]).await;
        assert_eq!(done["step"], "done", "{done}");
        self.owners.push(Owner {
            profile,
            account: account.to_owned(),
            object,
            app: None,
        });
    }

    /// Starts the relay's process, with more variables than it always has; `false` when it ended before it listened.
    pub async fn start_relay(&mut self, variables: &[(&'static str, String)]) -> bool {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("relay.log"))
            .unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("relay-process")
            .arg(serde_json::to_string(&self.setup).unwrap())
            .envs(self.always.iter().cloned())
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.next_line().await.unwrap();
        let listens = said.as_deref() == Some("listening");
        if let Some(said) = said.filter(|_| !listens) {
            println!("the relay did not start: {said}");
        }
        self.relay = Some(child);
        self.relay_has_orders = !variables.is_empty();
        listens
    }

    /// Starts an owner's app, which takes events in until it is ended.
    pub fn start_app(&mut self, owner: usize, variables: &[(&'static str, String)]) {
        let owner = &mut self.owners[owner];
        let log = owner.profile.folder.path().join("app.log");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut command = owner.profile.command(&["listen", "--json"]);
        command
            .envs(self.always.iter().cloned())
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut command = Command::from(command);
        owner.app = Some(command.kill_on_drop(true).spawn().unwrap());
    }

    /// kill -9.
    pub async fn kill_relay(&mut self) {
        kill(&mut self.relay).await;
    }

    /// kill -9.
    pub async fn kill_app(&mut self, owner: usize) {
        kill(&mut self.owners[owner].app).await;
    }

    /// Asks the relay to stop, and waits for it.
    pub async fn stop_relay(&mut self) {
        stop(&mut self.relay, "-TERM").await;
    }

    /// Asks an app to stop, and waits for it.
    pub async fn stop_app(&mut self, owner: usize) {
        stop(&mut self.owners[owner].app, "-INT").await;
    }

    /// Starts again whatever has ended, as it always is; answers how many had.
    pub async fn start_what_ended(&mut self) -> usize {
        let mut ended = 0;
        if has_ended(&mut self.relay) {
            ended += 1;
            self.start_relay(&[]).await;
        }
        for owner in 0..self.owners.len() {
            if has_ended(&mut self.owners[owner].app) {
                ended += 1;
                self.start_app(owner, &[]);
            }
        }
        ended
    }
}

async fn kill(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        let _ = child.kill().await;
    }
}

async fn stop(child: &mut Option<Child>, signal: &str) {
    let Some(mut child) = child.take() else {
        return;
    };
    if let Some(id) = child.id() {
        let _ = Command::new("kill")
            .arg(signal)
            .arg(id.to_string())
            .status()
            .await;
    }
    let _ = child.wait().await;
}

/// Whether it is gone.
pub fn has_ended(child: &mut Option<Child>) -> bool {
    child
        .as_mut()
        .is_none_or(|child| child.try_wait().unwrap().is_some())
}
