#![allow(clippy::unwrap_used)]
use super::*;
use crate::{
    CoreConfig, Endpoints, ManualClock, OpenAs, SeededEntropy,
    vault::testing::{Mood, Moody},
};
use std::{collections::BTreeMap, sync::Arc};

fn core(folder: &std::path::Path, keys: &Arc<Moody>) -> Core {
    let nowhere = url::Url::parse("http://127.0.0.1:9/").unwrap();
    Core::new(CoreConfig {
        dir: folder.to_owned(),
        endpoints: Endpoints::sandbox(&nowhere, nowhere.clone()).unwrap(),
        clock: Arc::new(ManualClock::at(1_767_603_600_000)),
        entropy: Arc::new(SeededEntropy::new(5)),
        keychain: keys.keychain(),
    })
}

async fn codes(core: &Core) -> BTreeMap<&'static str, (Level, String)> {
    examine(core)
        .await
        .into_iter()
        .map(|found| (found.subject, (found.level, found.reason.code)))
        .collect()
}

#[tokio::test]
async fn a_new_profile_is_well_but_for_the_relay_and_the_recovery_key() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), Moody::new());
    let core = core(folder.path(), &keys);
    core.open_as(OpenAs::Tool).await;
    let found = codes(&core).await;
    let code = |subject| found[subject].1.as_str();
    assert_eq!(
        [
            code("folder"),
            code("vault"),
            code("keychain"),
            code("database"),
            code("relay"),
            code("recovery_key"),
            code("clock")
        ],
        [
            "folder_ok",
            "vault_ok",
            "keychain_ok",
            "database_ok",
            "relay_unreachable",
            "recovery_key_unconfirmed",
            "clock_unknown"
        ]
    );
    let vault = core.profile().unwrap().vault.clone();
    let groups = vault.recovery_key().await.unwrap();
    vault
        .confirm_recovery(&[(0, groups[0].clone()), (1, groups[1].clone())])
        .await
        .unwrap();
    assert_eq!(
        codes(&core).await["recovery_key"],
        (Level::Ok, "recovery_key_confirmed".into())
    );
}

#[tokio::test]
async fn a_profile_that_does_not_open_is_examined_all_the_same() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), Moody::new());
    let first = core(folder.path(), &keys);
    first.open_as(OpenAs::Tool).await;
    first.shutdown().await;
    keys.set(Mood::Locked);
    std::fs::remove_file(folder.path().join("main/vault.backup.json")).unwrap();
    let core = core(folder.path(), &keys);
    core.open_as(OpenAs::Tool).await;
    let found = codes(&core).await;
    assert_eq!(
        found["keychain"],
        (Level::Trouble, "keychain_locked".into())
    );
    assert_eq!(
        found["database"],
        (Level::Trouble, "keychain_locked".into())
    );
    assert_eq!(found["vault"], (Level::Advice, "vault_copy_missing".into()));
}
