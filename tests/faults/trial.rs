//! One trial: rounds of load with something that goes wrong in the middle, and the invariants after each.

use crate::{
    check::{Reader, judge, missing},
    load::{Author, Expected, Load, Tally},
    world::{Variables, World, has_ended},
};
use shopbell_core::{Clock, SystemClock};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// An app that has not everything after this has lost it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same where a bug was planted: there it has.
const LITTLE_PATIENCE: Duration = Duration::from_secs(9);
/// How long an app may seem to do nothing before its owner starts it again.
const WAITS: Duration = Duration::from_secs(3);
/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What goes wrong in a round.
#[derive(Clone, Debug)]
pub enum Blow {
    /// kill -9.
    Relay,
    /// kill -9 of an owner's app.
    App(usize),
    /// kill -9 of everything.
    All,
    /// The relay ends itself at a named place, at the n-th passing.
    RelayAt(&'static str, u64),
    /// The first owner's app does.
    AppAt(&'static str, u64),
    /// Every connection of the apps is cut; new ones are refused for a while.
    Line,
    /// Every connection of the apps is half open: nobody hears anything, nobody is told.
    Silence,
    /// Both apps are away during the load.
    Away,
    /// The relay comes back with an older copy of its database.
    Restored,
    /// The relay's disk is as bad as these words say (`SHOPBELL_DISK`), until it has done harm; then the power goes, and it is well again.
    Disk(String),
    /// The power of an owner's computer goes.
    AppPower(usize),
}

/// A trial.
pub struct Trial {
    pub world: World,
    author: Author,
    load: Arc<Load>,
    expected: Vec<Expected>,
    /// Beside the apps; none while the power of a computer goes, because it would go for them too.
    readers: [Option<Reader>; 2],
    /// A gap is no fault any more: the relay was restored.
    gap_told: bool,
    /// Processes that were ended.
    pub kills: usize,
    patience: Duration,
    may_start_again: bool,
    /// Fewest requests of a round.
    pub size: usize,
}

/// What was wrong; empty when nothing was.
pub type Wrong = Vec<String>;

impl Trial {
    /// Connected, running.
    pub async fn begin(seed: u64, always: Variables) -> Self {
        let patience = match always.is_empty() {
            true => PATIENCE,
            false => LITTLE_PATIENCE,
        };
        let mut world = World::new(always).await;
        let accounts = world
            .owners
            .iter()
            .map(|owner| (owner.account.clone(), owner.object))
            .collect();
        let hour_ago_ms = SystemClock::new().now_ms() - 3_600_000;
        let load = Load {
            url: format!("http://{}/webhooks/meta", world.setup.listen),
            secret: world.setup.apps[0].1.clone(),
            tally: Arc::new(Tally::default()),
        };
        for owner in 0..2 {
            world.start_app(owner, &[]);
        }
        Self {
            world,
            author: Author::new(seed, hour_ago_ms, accounts),
            load: Arc::new(load),
            expected: Vec::new(),
            readers: [None, None],
            gap_told: false,
            kills: 0,
            patience,
            may_start_again: true,
            size: 12,
        }
    }

    /// One round; what is wrong after it.
    pub async fn round(&mut self, blow: &Blow) -> Wrong {
        let copy = match blow {
            Blow::Restored => Some(self.copy_database().await),
            _ => None,
        };
        self.prepare(blow).await;
        let many = self.size + self.author.chance.up_to(self.size as u64) as usize;
        let (posts, expected) = self.author.write(many);
        self.expected.extend(expected);
        let at = self.load.tally.answered.load(Ordering::SeqCst)
            + self.author.chance.up_to(posts.len() as u64) as usize;
        let carrying = tokio::spawn(Arc::clone(&self.load).carry(posts));
        let mut struck = false;
        while !carrying.is_finished() {
            let due = match blow {
                // A disk that fails is waited for; the load does not end before it is well.
                Blow::Disk(words) if words != "hold" => self.load.tally.was_refused(),
                _ => self.load.tally.answered.load(Ordering::SeqCst) >= at,
            };
            if !struck && due {
                struck = true;
                self.strike(blow).await;
            }
            self.look_after(blow).await;
            tokio::time::sleep(LOOK).await;
        }
        if !struck {
            self.strike(blow).await;
        }
        let mut wrong = self.until_passed(blow).await;
        if let Some(copy) = copy {
            // What came so far is in the apps; the relay forgets it.
            wrong.extend(self.judge().await);
            self.restore(&copy).await;
            let (posts, expected) = self.author.write(many);
            self.expected.extend(expected);
            let carrying = tokio::spawn(Arc::clone(&self.load).carry(posts));
            carrying.await.unwrap();
        }
        self.world.line.cut(false);
        self.count_ended().await;
        // They have to notice it by themselves.
        self.may_start_again = !matches!(blow, Blow::Silence);
        if wrong.is_empty() {
            wrong.extend(self.judge().await);
        }
        wrong
    }

    async fn count_ended(&mut self) {
        self.kills += self.world.start_what_ended().await;
    }

    /// Before the load.
    async fn prepare(&mut self, blow: &Blow) {
        match blow {
            Blow::RelayAt(place, n) => {
                self.world.stop_relay().await;
                let stop = ("SHOPBELL_STOP_AT", format!("{place}:{n}"));
                self.world.start_relay(&[stop]).await;
            }
            Blow::AppAt(place, n) => {
                self.world.stop_app(0).await;
                let stop = ("SHOPBELL_STOP_AT", format!("{place}:{n}"));
                self.world.start_app(0, &[stop]);
            }
            Blow::Away => {
                for owner in 0..2 {
                    self.world.stop_app(owner).await;
                }
            }
            Blow::Disk(words) => {
                self.world.stop_relay().await;
                self.load.tally.watch_refusals(words.contains("fail"));
                let disk = ("SHOPBELL_DISK", words.clone());
                self.world.start_relay(&[disk]).await;
            }
            Blow::AppPower(owner) => {
                if let Some(reader) = self.readers[*owner].take() {
                    reader.close().await;
                }
                self.world.stop_app(*owner).await;
                let disk = ("SHOPBELL_DISK", "hold".to_owned());
                self.world.start_app(*owner, &[disk]);
            }
            _ => {}
        }
    }

    /// In the middle of it.
    async fn strike(&mut self, blow: &Blow) {
        match blow {
            Blow::Relay => {
                self.world.kill_relay().await;
                self.count_ended().await;
            }
            Blow::App(owner) | Blow::AppPower(owner) => {
                self.world.kill_app(*owner).await;
                self.count_ended().await;
            }
            Blow::All => {
                self.world.kill_relay().await;
                for owner in 0..2 {
                    self.world.kill_app(owner).await;
                }
                self.count_ended().await;
            }
            Blow::Line => self.world.line.cut(true),
            Blow::Silence => self.world.line.fall_silent(),
            // Long enough refused to be believed, then gone like after a power cut.
            Blow::Disk(_) => {
                tokio::time::sleep(Duration::from_millis(150)).await;
                self.world.kill_relay().await;
                self.load.tally.watch_refusals(false);
                self.count_ended().await;
            }
            _ => {}
        }
    }

    /// While it runs: what ended by itself is started again, unless it is to be away.
    async fn look_after(&mut self, blow: &Blow) {
        match blow {
            Blow::Away | Blow::AppAt(..) => {
                if has_ended(&mut self.world.relay) {
                    self.count_ended().await;
                }
            }
            _ if has_ended(&mut self.world.relay) => self.count_ended().await,
            _ => {}
        }
    }

    /// A process that was to end at a place has to have come there.
    async fn until_passed(&mut self, blow: &Blow) -> Wrong {
        let (Blow::AppAt(place, _) | Blow::RelayAt(place, _)) = blow else {
            return Wrong::new();
        };
        let is_app = matches!(blow, Blow::AppAt(..));
        let begun = Instant::now();
        let mut last_start = begun;
        loop {
            if !is_app {
                self.start_who_waits(0, &mut last_start).await;
            }
            let ended = if is_app {
                has_ended(&mut self.world.owners[0].app)
            } else {
                !self.world.relay_has_orders || has_ended(&mut self.world.relay)
            };
            if ended {
                self.count_ended().await;
                return Wrong::new();
            }
            if begun.elapsed() > self.patience {
                return vec![format!("{place} was never passed")];
            }
            // Whatever the place waits for comes with events.
            let (posts, expected) = self.author.write(2);
            self.expected.extend(expected);
            let carrying = tokio::spawn(Arc::clone(&self.load).carry(posts));
            while !carrying.is_finished() {
                self.look_after(blow).await;
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Waits until both apps have everything, then looks at everything.
    pub async fn judge(&mut self) -> Wrong {
        let mut wrong = self.load.tally.odd.lock().unwrap().clone();
        for owner in 0..2 {
            let reader = match self.readers[owner].take() {
                Some(reader) => reader,
                None => Reader::open(&self.world.owners[owner].profile).await,
            };
            let begun = Instant::now();
            let mut last_start = begun;
            let found = loop {
                let found = reader.read().await;
                let lost = missing(&found, &self.expected, owner);
                if lost == 0 || begun.elapsed() > self.patience || !wrong.is_empty() {
                    break found;
                }
                self.count_ended().await;
                self.start_who_waits(owner, &mut last_start).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            self.readers[owner] = Some(reader);
            wrong.extend(judge(&found, &self.expected, owner));
            wrong.extend(self.log_is_whole(&found, owner));
        }
        wrong.truncate(12);
        wrong
    }

    /// An app that lost its relay many times in a row waits longer and longer. Its owner starts it again.
    async fn start_who_waits(&mut self, owner: usize, last: &mut Instant) {
        if self.may_start_again && last.elapsed() > WAITS {
            *last = Instant::now();
            self.world.stop_app(owner).await;
            self.world.start_app(owner, &[]);
        }
    }

    fn log_is_whole(&self, found: &crate::check::Found, owner: usize) -> Wrong {
        let tally = &self.load.tally;
        let mut wrong = Wrong::new();
        let of = |counts: &[AtomicUsize; 2]| counts[owner].load(Ordering::SeqCst);
        // A relay that was restored tells again what its copy still had.
        let at_most = |sent: usize| if self.gap_told { usize::MAX } else { sent };
        let (accepted, sent) = (of(&tally.accepted), of(&tally.sent));
        if !(accepted..=at_most(sent)).contains(&found.logged.all) {
            wrong.push(format!(
                "{} events in the raw log; {accepted} got a 200, {sent} were sent",
                found.logged.all
            ));
        }
        let (accepted, sent) = (of(&tally.spoilt_accepted), of(&tally.spoilt_sent));
        if !(accepted..=at_most(sent)).contains(&found.logged.failed) {
            wrong.push(format!(
                "{} events failed; {accepted} to {sent} had to",
                found.logged.failed
            ));
        }
        if let Some(gap) = found.gap.as_deref().filter(|_| !self.gap_told) {
            wrong.push(format!("the app was told of a gap: {gap}"));
        }
        wrong
    }

    async fn copy_database(&mut self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        self.world.stop_relay().await;
        let copy = database_files(&self.world)
            .into_iter()
            .filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?)))
            .collect();
        self.world.start_relay(&[]).await;
        copy
    }

    async fn restore(&mut self, copy: &[(std::path::PathBuf, Vec<u8>)]) {
        self.world.stop_relay().await;
        for path in database_files(&self.world) {
            let _ = std::fs::remove_file(path);
        }
        for (path, bytes) in copy {
            std::fs::write(path, bytes).unwrap();
        }
        shopbell_relay::restored(&self.world.setup.config(), &shopbell_relay::SystemEntropy)
            .await
            .unwrap();
        self.gap_told = true;
        self.world.start_relay(&[]).await;
    }

    /// Ends everything in order.
    pub async fn end(mut self) {
        for reader in self.readers.iter_mut().filter_map(Option::take) {
            reader.close().await;
        }
        for owner in 0..2 {
            self.world.stop_app(owner).await;
        }
        self.world.stop_relay().await;
    }
}

fn database_files(world: &World) -> Vec<std::path::PathBuf> {
    ["relay.db", "relay.db-wal", "relay.db-shm"]
        .map(|name| world.folder.path().join(name))
        .to_vec()
}
