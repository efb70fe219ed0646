//! A shop with very many messages: Latin, Arabic, Japanese and emoji, believable lengths, 10,000 threads.

use shopbell_core::{
    Core, CoreConfig, Endpoints, Entropy, OpenAs, OsEntropy, Profile, SeededEntropy, SystemClock,
    api::types::VaultStatus,
    domain::{AccountId, Author, Incoming, IncomingItem, IncomingMessage, IncomingPerson, Source},
    ingest,
    store::Priority,
    vault::Keychain,
};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

/// 2026-11-01 00:00 UTC: the newest message of the shop.
pub const NEWEST_MS: i64 = 1_793_491_200_000;
/// Conversations of the shop.
pub const THREADS: u64 = 10_000;

const WORDS: &[&str] = &[
    "the",
    "and",
    "ist",
    "das",
    "brot",
    "danke",
    "please",
    "mañana",
    "Kuchen",
    "order",
    "für",
    "with",
    "cake",
    "Sauerteig",
    "gluten",
    "abholen",
    "tomorrow",
    "price",
    "Größe",
    "small",
    "blue",
    "dress",
    "Fahrrad",
    "repair",
    "chain",
    "wheel",
    "spring",
    "croissant",
    "Brezel",
    "vielen",
    "lovely",
    "señora",
    "entrega",
    "cumpleaños",
    "wedding",
    "Hochzeitstorte",
    "allergy",
    "almond",
    "open",
    "Sunday",
    "خبز",
    "والخبز",
    "شكرا",
    "كعكة",
    "غدا",
    "السعر",
    "للعائلة",
    "パン",
    "土曜日",
    "予約",
    "サワードウ",
    "ありがとう",
    "ケーキ",
    "🎂",
    "😊",
];

/// A rare word: one of 40,000, so that most are in few messages.
fn rare(entropy: &dyn Entropy) -> String {
    let n = entropy.below(40_000);
    let mut word = String::from("q");
    let mut rest = n;
    for _ in 0..4 {
        word.push(char::from(b'a' + u8::try_from(rest % 14).unwrap_or(0)));
        rest /= 14;
    }
    word
}

/// One text of 3 to 18 words; every third has a rare one.
pub fn text(entropy: &dyn Entropy) -> String {
    let count = 3 + entropy.below(16);
    let mut words: Vec<String> = (0..count)
        .map(|_| {
            // Squaring makes the first words frequent, as in any language.
            let x = entropy.below(1000);
            let at = (x * x * WORDS.len() as u64 / 1_000_000) as usize;
            WORDS[at.min(WORDS.len() - 1)].to_owned()
        })
        .collect();
    if entropy.below(3) == 0 {
        words.push(rare(entropy));
    }
    words.join(" ")
}

/// A believable event: text, sometimes a picture, a reply or a reaction.
pub fn message(entropy: &dyn Entropy, n: u64, thread: u64, sent_at_ms: i64) -> IncomingMessage {
    let customer = entropy.below(5) < 3;
    IncomingMessage {
        mid: format!("m_{n:09}_{thread:06}"),
        person: IncomingPerson {
            platform_id: format!("90{thread:07}"),
            name: Some(format!("Customer {thread}")),
            username: Some(format!("customer.{thread}")),
        },
        thread: Some(format!("t_{thread}")),
        author: if customer {
            Author::Customer
        } else {
            Author::Phone
        },
        metadata: None,
        app_id: None,
        sent_at_ms,
        text: Some(text(entropy)),
        attachments: Vec::new(),
        reply_to_mid: None,
        story: None,
        reactions: Vec::new(),
        unsupported: false,
        deleted: false,
        referral: None,
        opens_window: customer,
        tap: None,
        standby: false,
    }
}

/// `count` events, newest first as the first sync brings them, in portions of `size`.
pub fn portions(
    account: AccountId,
    count: u64,
    size: u64,
    seed: u64,
) -> impl Iterator<Item = Incoming> {
    let entropy = SeededEntropy::new(seed);
    let mut n = 0;
    std::iter::from_fn(move || {
        if n >= count {
            return None;
        }
        let items = (n..(n + size).min(count))
            .map(|n| {
                // Threads in bursts of 20, as a list with nested messages brings them.
                let thread = (n / 20).wrapping_mul(7919) % THREADS.min(count.div_ceil(20));
                let sent_at_ms = NEWEST_MS - i64::try_from(n).unwrap_or(0) * 9_000;
                IncomingItem::Message(message(&entropy, n, thread, sent_at_ms))
            })
            .collect();
        n += size;
        Some(Incoming {
            account,
            source: Source::Backfill,
            observed_at_ms: NEWEST_MS,
            items,
        })
    })
}

fn endpoints() -> Endpoints {
    let nowhere = url::Url::parse("http://127.0.0.1:9").unwrap();
    Endpoints::sandbox(&nowhere, nowhere.clone()).unwrap()
}

/// A folder on the same disk as the build, not in a memory file system.
pub fn folder() -> TempDir {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    tempfile::Builder::new()
        .prefix("shopbell-bench-")
        .tempdir_in(folder)
        .unwrap()
}

/// The core on a folder. As a tool: nothing runs by itself beside what is measured.
async fn open(folder: &Path, keychain: Keychain) -> Core {
    let core = Core::new(CoreConfig {
        dir: folder.into(),
        endpoints: endpoints(),
        clock: Arc::new(SystemClock::new()),
        entropy: Arc::new(OsEntropy),
        keychain,
    });
    let status = core.open_as(OpenAs::Tool).await;
    assert!(matches!(status, VaultStatus::Open { .. }), "{status:?}");
    core
}

/// An empty shop with one account.
pub async fn empty() -> (TempDir, Core, AccountId) {
    let folder = folder();
    let core = open(
        folder.path(),
        Keychain::Given(keyring_core::mock::Store::new().unwrap()),
    )
    .await;
    let account = account(&core.profile().unwrap()).await;
    (folder, core, account)
}

async fn account(profile: &Profile) -> AccountId {
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO accounts (uuid, channel, provider, platform_id, name, username, state, state_since_ms, auto_sync, created_at_ms)
         VALUES ('0197', 'instagram', 'instagram', '17841400000000001', 'Bäckerei Kornblume', 'kornblume.brot', 'live', ?1, 0, ?1) RETURNING id",
    )
    .bind(NEWEST_MS)
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    AccountId(id)
}

/// Lets the real ingest take in `messages`.
pub async fn fill(profile: &Profile, account: AccountId, messages: u64) {
    for portion in portions(account, messages, 2_000, 7) {
        ingest::take_in(profile, portion, Priority::Background)
            .await
            .unwrap();
    }
}

/// A shop with `messages`.
pub async fn shop(messages: u64) -> (TempDir, Core) {
    let (folder, core, account) = empty().await;
    fill(&core.profile().unwrap(), account, messages).await;
    (folder, core)
}

/// A profile that the program itself can open: its key is in this session's keychain.
pub async fn keep_profile(folder: &Path, messages: u64) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(
        folder.join("endpoints.json"),
        r#"{"relay":"http://127.0.0.1:9","sandbox":"http://127.0.0.1:9"}"#,
    )
    .unwrap();
    let core = open(folder, Keychain::os()).await;
    let profile = core.profile().unwrap();
    let account = account(&profile).await;
    fill(&profile, account, messages).await;
    core.shutdown().await;
}
