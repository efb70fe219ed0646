#![allow(clippy::unwrap_used)]
use super::*;
use crate::{
    ManualClock, SeededEntropy,
    opening::main_folder,
    store::Priority,
    vault::testing::{Mood, Moody},
};
use std::{collections::BTreeMap, fs, time::Duration};
use tempfile::TempDir;

/// One computer: a folder, a keychain, a clock.
struct Computer {
    folder: TempDir,
    keys: Arc<Moody>,
    clock: ManualClock,
    seed: std::cell::Cell<u64>,
}

impl Computer {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            keys: Moody::new(),
            clock: ManualClock::at(1_767_603_600_000),
            seed: std::cell::Cell::new(100),
        }
    }

    fn core_with(&self, keychain: Keychain) -> Core {
        self.seed.set(self.seed.get() + 1);
        let nowhere = url::Url::parse("http://127.0.0.1:9/").unwrap();
        Core::new(CoreConfig {
            dir: self.folder.path().to_owned(),
            endpoints: Endpoints::sandbox(&nowhere, nowhere.clone()).unwrap(),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SeededEntropy::new(self.seed.get())),
            keychain,
        })
    }

    fn core(&self) -> Core {
        self.core_with(self.keys.keychain())
    }

    /// A first run with one saved word; the recovery key.
    async fn first_run(&self) -> Vec<String> {
        let core = self.core();
        assert_eq!(
            core.open_as(OpenAs::Tool).await,
            VaultStatus::Open {
                kind: VaultKind::Keychain
            }
        );
        save(&core, "mira").await;
        let recovery = core.profile().unwrap().vault.recovery_key().await.unwrap();
        core.shutdown().await;
        recovery
    }

    /// Every file of the profile, as bytes.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let Ok(entries) = fs::read_dir(main_folder(self.folder.path())) else {
            return BTreeMap::new();
        };
        let read = |entry: fs::DirEntry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                fs::read(entry.path()).unwrap(),
            )
        };
        entries.map(|entry| read(entry.unwrap())).collect()
    }
}

async fn save(core: &Core, word: &str) {
    let profile = core.profile().unwrap();
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    sqlx::query("INSERT INTO settings (key, value) VALUES (?, '1')")
        .bind(word)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn saved(core: &Core) -> Vec<String> {
    let profile = core.profile().unwrap();
    let mut reader = profile.store.read().await.unwrap();
    sqlx::query_scalar("SELECT key FROM settings ORDER BY key")
        .fetch_all(&mut *reader)
        .await
        .unwrap()
}

/// Reason code and ways out.
fn locked(status: &VaultStatus) -> (String, Vec<&str>) {
    match status {
        VaultStatus::Locked { reason, ways } => (
            reason.code.clone(),
            ways.iter().map(String::as_str).collect(),
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_run_makes_a_key_and_the_second_finds_it() {
    let computer = Computer::new();
    computer.first_run().await;
    assert_eq!(computer.keys.filled(), 1);
    let core = computer.core();
    assert!(matches!(
        core.open_as(OpenAs::Tool).await,
        VaultStatus::Open { .. }
    ));
    assert_eq!(saved(&core).await, ["mira"]);
}

#[tokio::test]
async fn every_trouble_of_the_keychain_has_its_reason_and_passes() {
    for (mood, code) in [
        (Mood::Missing, "keychain_missing"),
        (Mood::Locked, "keychain_locked"),
        (Mood::Denied, "keychain_denied"),
    ] {
        let computer = Computer::new();
        computer.keys.set(mood);
        // First run: nothing is made, the owner may choose a passphrase.
        let core = computer.core();
        assert_eq!(
            locked(&core.open_as(OpenAs::Tool).await),
            (code.into(), vec!["retry", "create_passphrase"])
        );
        assert!(
            !computer
                .files()
                .keys()
                .any(|name| name.starts_with("vault") || name.starts_with("shopbell"))
        );
        assert!(core.profile().is_err());
        // The trouble is over.
        computer.keys.set(Mood::Well);
        core.retry().await.unwrap();
        save(&core, "mira").await;
        core.shutdown().await;

        let before = computer.files();
        computer.keys.set(mood);
        let core = computer.core();
        assert_eq!(
            locked(&core.open_as(OpenAs::Tool).await),
            (code.into(), vec!["retry", "recovery_key"])
        );
        assert_eq!(computer.files(), before, "{code} touched a file");
        assert_eq!(core.retry().await.unwrap_err().code, code);
        computer.keys.set(Mood::Well);
        core.retry().await.unwrap();
        assert_eq!(saved(&core).await, ["mira"]);
    }
}

#[tokio::test]
async fn a_computer_without_keychain_gets_a_passphrase_only_when_the_owner_chooses_it() {
    let computer = Computer::new();
    let core = computer.core_with(Keychain::Missing);
    assert_eq!(
        locked(&core.open_as(OpenAs::Tool).await).0,
        "keychain_missing"
    );
    assert_eq!(
        core.create_passphrase("short".into())
            .await
            .unwrap_err()
            .code,
        "passphrase_short"
    );
    assert_eq!(
        locked(&core.vault_status()).0,
        "keychain_missing",
        "the reason stays what it was"
    );
    core.create_passphrase("sourdough at dawn".into())
        .await
        .unwrap();
    assert_eq!(
        core.vault_status(),
        VaultStatus::Open {
            kind: VaultKind::Passphrase
        }
    );
    save(&core, "mira").await;
    let vault = core.profile().unwrap().vault.clone();
    vault.put_secret("device", b"sealed 42").await.unwrap();
    core.shutdown().await;
    for (name, bytes) in computer.files() {
        assert!(
            !bytes.windows(9).any(|window| window == b"sealed 42"),
            "{name} holds a secret in the clear"
        );
    }

    let core = computer.core_with(Keychain::Missing);
    assert_eq!(
        locked(&core.open_as(OpenAs::Tool).await),
        (
            "passphrase_needed".into(),
            vec!["passphrase", "recovery_key"]
        )
    );
    assert_eq!(
        core.unlock("sourdough at dusk".into())
            .await
            .unwrap_err()
            .code,
        "passphrase_wrong"
    );
    assert_eq!(locked(&core.vault_status()).0, "passphrase_needed");
    assert_eq!(
        core.create_passphrase("another passphrase".into())
            .await
            .unwrap_err()
            .code,
        "vault_exists"
    );
    core.unlock("sourdough at dawn".into()).await.unwrap();
    assert_eq!(saved(&core).await, ["mira"]);
    let vault = core.profile().unwrap().vault.clone();
    assert_eq!(
        vault
            .get_secret("device")
            .await
            .unwrap()
            .unwrap()
            .as_slice(),
        b"sealed 42"
    );
    vault.delete_secret("device").await.unwrap();
    assert!(vault.get_secret("device").await.unwrap().is_none());
}

#[tokio::test]
async fn a_swapped_keychain_has_no_key_and_the_recovery_key_puts_it_there() {
    let computer = Computer::new();
    let recovery = computer.first_run().await;
    let before = computer.files();
    let other = Moody::new();
    let core = computer.core_with(other.keychain());
    assert_eq!(
        locked(&core.open_as(OpenAs::Tool).await),
        ("key_missing".into(), vec!["retry", "recovery_key"])
    );
    assert_eq!(computer.files(), before);
    assert_eq!(
        other.filled(),
        0,
        "no new key is made for an existing profile"
    );

    let mut wrong = recovery.clone();
    wrong[3] = wrong[3].chars().rev().collect();
    assert_eq!(
        core.recover(wrong).await.unwrap_err().code,
        "recovery_key_wrong"
    );
    let stranger = crate::vault::RecoverySecret::random(&SeededEntropy::new(1)).groups();
    assert_eq!(
        core.recover(stranger).await.unwrap_err().code,
        "recovery_key_wrong"
    );
    core.recover(recovery).await.unwrap();
    assert_eq!(saved(&core).await, ["mira"]);
    core.shutdown().await;

    // The new keychain has it now.
    let core = computer.core_with(other.keychain());
    assert!(matches!(
        core.open_as(OpenAs::Tool).await,
        VaultStatus::Open { .. }
    ));
}

#[tokio::test]
async fn a_wrong_a_damaged_and_a_doubled_key_are_told_apart_before_the_database_is_touched() {
    let computer = Computer::new();
    computer.first_run().await;
    let (entry, right) = computer.keys.master();
    let before = computer.files();
    let stranger = {
        let other = Computer::new();
        other.seed.set(900);
        other.first_run().await;
        other.keys.master().1
    };
    for (value, code) in [
        (stranger.clone(), "key_wrong"),
        (b"not base64!".to_vec(), "key_corrupted"),
        (b"c2hvcnQ=".to_vec(), "key_corrupted"),
    ] {
        entry.set_secret(&value).unwrap();
        let core = computer.core();
        assert_eq!(
            locked(&core.open_as(OpenAs::Tool).await),
            (code.into(), vec!["retry", "recovery_key"])
        );
        assert_eq!(computer.files(), before, "{code} touched a file");
    }

    // Two entries, none of them ours.
    computer
        .keys
        .double(vec![b"not base64!".to_vec(), stranger.clone()]);
    entry.set_secret(&stranger).unwrap();
    assert_eq!(
        locked(&computer.core().open_as(OpenAs::Tool).await).0,
        "key_ambiguous"
    );
    assert_eq!(computer.files(), before);
    // Two entries, one of them ours.
    computer.keys.double(vec![right]);
    let core = computer.core();
    assert!(matches!(
        core.open_as(OpenAs::Tool).await,
        VaultStatus::Open { .. }
    ));
}

#[tokio::test]
async fn a_keychain_that_hangs_is_shown_after_a_second_and_given_up_after_ten() {
    let computer = Computer::new();
    computer.first_run().await;
    computer.keys.set(Mood::Hanging);
    let core = computer.core();
    let opening = tokio::spawn({
        let core = core.clone();
        async move { core.open_as(OpenAs::Tool).await }
    });
    computer.clock.until_waiting(2).await;
    assert_eq!(core.vault_status(), VaultStatus::Opening);
    let mut news = core.changes().listen();
    computer.clock.advance(Duration::from_secs(1));
    news.recv().await.unwrap();
    assert_eq!(core.vault_status(), VaultStatus::WaitingForKeychain);
    computer.clock.advance(Duration::from_secs(9));
    assert_eq!(
        locked(&opening.await.unwrap()),
        ("keychain_slow".into(), vec!["retry", "recovery_key"])
    );

    // Somebody unlocks it: the next try uses a new thread and works at once.
    computer.keys.set(Mood::Well);
    core.retry().await.unwrap();
    assert_eq!(saved(&core).await, ["mira"]);
}

#[tokio::test]
async fn a_keychain_that_hangs_for_ever_does_not_pile_up_threads() {
    let computer = Computer::new();
    computer.first_run().await;
    computer.keys.set(Mood::Hanging);
    let core = computer.core();
    let asked = computer.keys.asked();
    for round in 1..=4 {
        let opening = tokio::spawn({
            let core = core.clone();
            async move { core.open_as(OpenAs::Tool).await }
        });
        computer.clock.until_waiting(2).await;
        // Now its thread is inside the keychain.
        computer.keys.until_asked(asked + round).await;
        computer.clock.advance(Duration::from_secs(10));
        assert_eq!(locked(&opening.await.unwrap()).0, "keychain_slow");
    }
    // The fifth does not start another one: no time has to pass.
    assert_eq!(locked(&core.open_as(OpenAs::Tool).await).0, "keychain_slow");
    computer.keys.set(Mood::Well);
}

#[tokio::test]
async fn a_database_without_vault_file_is_never_overwritten() {
    let computer = Computer::new();
    computer.first_run().await;
    let main = main_folder(computer.folder.path());
    // One copy is enough.
    fs::remove_file(main.join("vault.json")).unwrap();
    let core = computer.core();
    assert!(matches!(
        core.open_as(OpenAs::Tool).await,
        VaultStatus::Open { .. }
    ));
    core.shutdown().await;
    // A damaged one with a good copy, too.
    fs::write(main.join("vault.json"), "{\"format\": 1").unwrap();
    let core = computer.core();
    assert!(matches!(
        core.open_as(OpenAs::Tool).await,
        VaultStatus::Open { .. }
    ));
    core.shutdown().await;

    fs::remove_file(main.join("vault.json")).unwrap();
    fs::remove_file(main.join("vault.backup.json")).unwrap();
    let before = computer.files();
    let core = computer.core();
    assert_eq!(
        locked(&core.open_as(OpenAs::Tool).await),
        ("key_missing".into(), vec!["retry"])
    );
    assert_eq!(
        core.create_passphrase("sourdough at dawn".into())
            .await
            .unwrap_err()
            .code,
        "vault_exists"
    );
    assert_eq!(computer.files(), before);
    assert_eq!(computer.keys.filled(), 1);

    fs::write(main.join("vault.json"), "not json").unwrap();
    assert_eq!(
        locked(&computer.core().open_as(OpenAs::Tool).await).0,
        "vault_damaged"
    );
    fs::write(
        main.join("vault.json"),
        r#"{"format":9,"profile_id":"p","key_id":"k","kind":"keychain"}"#,
    )
    .unwrap();
    assert_eq!(
        locked(&computer.core().open_as(OpenAs::Tool).await).0,
        "vault_newer"
    );
}

#[tokio::test]
async fn another_file_in_place_of_the_database_is_said_to_be_not_ours() {
    let computer = Computer::new();
    computer.first_run().await;
    let path = main_folder(computer.folder.path()).join("shopbell.db");
    for (bytes, code) in [
        (vec![7_u8; 8192], "file_not_ours"),
        (b"a letter to the landlord".to_vec(), "file_not_ours"),
        (
            [b"SQLite format 3\0".as_slice(), &[0; 8176]].concat(),
            "file_plaintext",
        ),
    ] {
        fs::write(&path, &bytes).unwrap();
        assert_eq!(
            locked(&computer.core().open_as(OpenAs::Tool).await),
            (code.into(), vec!["retry"])
        );
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[tokio::test]
async fn the_second_program_is_told_who_holds_the_profile_and_may_read() {
    let computer = Computer::new();
    computer.first_run().await;
    let holder = computer.core();
    holder.open_as(OpenAs::Tool).await;
    let second = computer.core();
    let status = second.open().await;
    let VaultStatus::Locked { reason, ways } = &status else {
        panic!("{status:?}")
    };
    assert_eq!((reason.code.as_str(), ways.len()), ("profile_in_use", 1));
    assert_eq!(reason.params["pid"], std::process::id().to_string());

    save(&holder, "noor").await;
    let reader = computer.core();
    assert!(matches!(
        reader.open_as(OpenAs::Reader).await,
        VaultStatus::Open { .. }
    ));
    assert_eq!(saved(&reader).await, ["mira", "noor"]);
    let refused = reader
        .profile()
        .unwrap()
        .store
        .write(Priority::Owner)
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(ApiError::from(refused).code, "read_only");
    reader.shutdown().await;

    holder.shutdown().await;
    second.retry().await.unwrap();
    second.shutdown().await;
}

#[tokio::test]
async fn the_recovery_key_is_confirmed_by_two_groups_and_a_new_one_replaces_it_only_then() {
    let computer = Computer::new();
    let first = computer.first_run().await;
    let core = computer.core();
    core.open_as(OpenAs::Tool).await;
    let vault = core.profile().unwrap().vault.clone();
    assert!(vault.recovery_pending());
    assert_eq!(
        vault.recovery_key().await.unwrap(),
        first,
        "the same one until it is confirmed"
    );
    assert!(
        vault
            .confirm_recovery(&[(2, first[2].clone())])
            .await
            .is_err(),
        "one group is not enough"
    );
    assert!(
        vault
            .confirm_recovery(&[(2, first[2].clone()), (2, first[2].clone())])
            .await
            .is_err()
    );
    assert!(
        vault
            .confirm_recovery(&[(2, first[2].clone()), (5, first[4].clone())])
            .await
            .is_err()
    );
    vault
        .confirm_recovery(&[(2, first[2].to_lowercase()), (5, first[5].clone())])
        .await
        .unwrap();
    assert!(!vault.recovery_pending());

    let second = vault.recovery_key().await.unwrap();
    assert_ne!(second, first);
    core.shutdown().await;
    for key in [&first, &second] {
        let core = computer.core_with(Keychain::Missing);
        core.open_as(OpenAs::Tool).await;
        core.recover(key.clone()).await.unwrap();
        core.shutdown().await;
    }
    let core = computer.core();
    core.open_as(OpenAs::Tool).await;
    core.profile()
        .unwrap()
        .vault
        .confirm_recovery(&[(0, second[0].clone()), (7, second[7].clone())])
        .await
        .unwrap();
    core.shutdown().await;
    let core = computer.core_with(Keychain::Missing);
    core.open_as(OpenAs::Tool).await;
    assert_eq!(
        core.recover(first).await.unwrap_err().code,
        "recovery_key_wrong"
    );
    core.recover(second).await.unwrap();
}

#[tokio::test]
async fn a_hundred_lost_keychains_are_recovered_without_touching_the_database() {
    let computer = Computer::new();
    let recovery = computer.first_run().await;
    let database = |files: BTreeMap<String, Vec<u8>>| {
        files.into_iter().find(|(name, _)| name == "shopbell.db")
    };
    let before = database(computer.files());
    for _ in 0..100 {
        let lost = Moody::new();
        let core = computer.core_with(lost.keychain());
        assert_eq!(locked(&core.open_as(OpenAs::Tool).await).0, "key_missing");
        core.recover(recovery.clone()).await.unwrap();
        core.shutdown().await;
        assert_eq!(lost.filled(), 1);
    }
    assert_eq!(database(computer.files()), before);
}

#[tokio::test]
async fn secrets_are_too_long_for_windows_before_they_are_kept() {
    let computer = Computer::new();
    computer.first_run().await;
    let core = computer.core();
    core.open_as(OpenAs::Tool).await;
    let vault = core.profile().unwrap().vault.clone();
    vault.put_secret("token:7:1", &[9; 1_900]).await.unwrap();
    assert!(matches!(
        vault.put_secret("token:7:2", &[9; 2_000]).await,
        Err(crate::vault::VaultError::TooLong)
    ));
    assert_eq!(
        vault.get_secret("token:7:1").await.unwrap().unwrap().len(),
        1_900
    );
}

#[tokio::test]
async fn the_sample_shop_is_looked_at_and_left_without_a_trace() {
    use crate::api::{dispatch, types::AppStatus};
    use serde_json::json;
    let computer = Computer::new();
    computer.first_run().await;
    let core = computer.core();
    core.open_as(OpenAs::Tool).await;
    let before = saved(&core).await;
    let status: AppStatus =
        serde_json::from_value(dispatch(&core, "sample_open", json!(null)).await.unwrap()).unwrap();
    assert!(!status.first_run && !status.recovery_key_pending);
    assert!(matches!(
        status.profile,
        crate::api::types::ProfileKind::Sample
    ));
    assert_eq!(
        dispatch(&core, "recovery_key_show", json!(null))
            .await
            .unwrap_err()
            .code,
        "sample"
    );

    let profile = core.profile().unwrap();
    let mut reader = profile.store.read().await.unwrap();
    let conversations: i64 = sqlx::query_scalar("SELECT count(*) FROM conversations")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    let faces: i64 = sqlx::query_scalar("SELECT count(*) FROM avatars")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    let open_windows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM conversations WHERE customer_at_ms > ? - 86400000",
    )
    .bind(profile.now_ms())
    .fetch_one(&mut *reader)
    .await
    .unwrap();
    let pictures: i64 = sqlx::query_scalar("SELECT count(*) FROM attachments a LEFT JOIN media_blobs b USING (media_id) WHERE a.kind = 'image' AND b.bytes IS NULL")
        .fetch_one(&mut *reader).await.unwrap();
    let blobs: i64 = sqlx::query_scalar("SELECT count(*) FROM media_blobs")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    let future: i64 = sqlx::query_scalar("SELECT count(*) FROM messages WHERE sent_at_ms > ?")
        .bind(profile.now_ms())
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    drop(reader);
    assert_eq!((conversations, faces, pictures, future), (40, 40, 0, 0));
    assert!(
        open_windows > 3 && open_windows < 40 && blobs > 5,
        "{open_windows} windows, {blobs} pictures"
    );
    drop(profile);

    let status: AppStatus =
        serde_json::from_value(dispatch(&core, "sample_leave", json!(null)).await.unwrap())
            .unwrap();
    assert!(status.first_run);
    assert_eq!(saved(&core).await, before);
    assert!(!computer.folder.path().join("sample").exists());
}

#[tokio::test]
async fn the_sample_shop_needs_no_keychain() {
    let computer = Computer::new();
    let core = computer.core_with(Keychain::Missing);
    core.open_as(OpenAs::Tool).await;
    core.open_sample().await.unwrap();
    assert!(core.profile().is_ok());
    assert!(matches!(core.vault_status(), VaultStatus::Open { .. }));
    core.leave_sample().await.unwrap();
    assert_eq!(locked(&core.vault_status()).0, "keychain_missing");
}
