#![allow(clippy::unwrap_used)]
//! Stopped at every step between two tokens: the newest is always found, an older or forgotten one never.

use super::*;
use crate::{
    accounts::{renewal::Kind, testing},
    profile::testing::offline_profile,
};

async fn newest(profile: &Profile, credential: CredentialId) -> Option<String> {
    // As after a restart: nothing in memory.
    profile.accounts.lock().tokens.clear();
    load(profile, credential)
        .await
        .unwrap()
        .map(|token| token.token.expose().to_owned())
}

async fn rotate(profile: &Profile, credential: CredentialId, token: &str) -> i64 {
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    let generation = store(
        &mut tx,
        &profile.vault,
        credential,
        &Secret::new(token),
        None,
        1,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    generation
}

async fn pending(profile: &Profile) -> i64 {
    let mut read = profile.store.read().await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM pending_secrets")
        .fetch_one(&mut *read)
        .await
        .unwrap()
}

async fn run_mirror(profile: &Profile, credential: CredentialId, generation: i64) {
    let payload = json!({ "credential": credential.0, "generation": generation }).to_string();
    assert_eq!(mirror(profile, &payload).await, JobOutcome::Done);
}

#[tokio::test]
async fn the_newest_token_survives_a_stop_at_every_step() {
    let open = offline_profile().await;
    let profile = &open.profile;
    let credential = testing::credential(profile, Kind::Page, "1001", None, "first").await;
    // Written, not mirrored.
    assert_eq!(newest(profile, credential).await.as_deref(), Some("first"));
    // A transaction that was not committed changes nothing.
    {
        let mut tx = profile.store.write(Priority::Owner).await.unwrap();
        store(
            &mut tx,
            &profile.vault,
            credential,
            &Secret::new("lost"),
            None,
            1,
        )
        .await
        .unwrap();
    }
    assert_eq!(newest(profile, credential).await.as_deref(), Some("first"));
    // Mirrored, and the copy in the database gone.
    run_mirror(profile, credential, 1).await;
    assert_eq!(pending(profile).await, 0);
    assert_eq!(newest(profile, credential).await.as_deref(), Some("first"));
    // Rotated: the keychain still has the first.
    assert_eq!(rotate(profile, credential, "second").await, 2);
    assert_eq!(newest(profile, credential).await.as_deref(), Some("second"));
    // The first one's job, late: it must not bring the first back nor take the second away.
    run_mirror(profile, credential, 1).await;
    assert_eq!(newest(profile, credential).await.as_deref(), Some("second"));
    assert_eq!(pending(profile).await, 1);
    // Put into the keychain, stopped before the database's copy went: once more changes nothing.
    let sealed: Vec<u8> = {
        let mut read = profile.store.read().await.unwrap();
        sqlx::query_scalar("SELECT sealed FROM pending_secrets")
            .fetch_one(&mut *read)
            .await
            .unwrap()
    };
    let mut value = 2_i64.to_be_bytes().to_vec();
    value.extend_from_slice(&sealed);
    profile
        .vault
        .put_secret(&entry(credential), &value)
        .await
        .unwrap();
    assert_eq!(newest(profile, credential).await.as_deref(), Some("second"));
    run_mirror(profile, credential, 2).await;
    run_mirror(profile, credential, 2).await;
    assert_eq!(
        (
            pending(profile).await,
            newest(profile, credential).await.as_deref()
        ),
        (0, Some("second"))
    );
}

#[tokio::test]
async fn a_forgotten_token_is_gone_at_once_and_everywhere() {
    let open = offline_profile().await;
    let profile = &open.profile;
    let credential = testing::credential(profile, Kind::Page, "1001", None, "first").await;
    run_mirror(profile, credential, 1).await;
    let mut tx = profile.store.write(Priority::Owner).await.unwrap();
    forget(&mut tx, credential, 2).await.unwrap();
    tx.commit().await.unwrap();
    // The keychain's copy is still there, and is not taken.
    assert!(
        profile
            .vault
            .get_secret(&entry(credential))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(newest(profile, credential).await, None);
    run_mirror(profile, credential, 2).await;
    assert!(
        profile
            .vault
            .get_secret(&entry(credential))
            .await
            .unwrap()
            .is_none()
    );
    // Connected again: a new generation, found although the old story is longer.
    assert_eq!(rotate(profile, credential, "again").await, 3);
    assert_eq!(newest(profile, credential).await.as_deref(), Some("again"));
}

#[tokio::test]
async fn swapped_old_or_broken_keychain_entries_are_no_token() {
    let open = offline_profile().await;
    let profile = &open.profile;
    let one = testing::credential(profile, Kind::Page, "1001", None, "one").await;
    let two = testing::credential(profile, Kind::Page, "1002", None, "two").await;
    run_mirror(profile, one, 1).await;
    run_mirror(profile, two, 1).await;
    let of_two = profile
        .vault
        .get_secret(&entry(two))
        .await
        .unwrap()
        .unwrap();
    for value in [
        of_two.to_vec(),
        b"short".to_vec(),
        [1_i64.to_be_bytes().as_slice(), b"garbage"].concat(),
    ] {
        profile.vault.put_secret(&entry(one), &value).await.unwrap();
        assert_eq!(newest(profile, one).await, None);
    }
    profile.vault.delete_secret(&entry(one)).await.unwrap();
    assert_eq!(newest(profile, one).await, None);
    assert_eq!(newest(profile, two).await.as_deref(), Some("two"));
}
