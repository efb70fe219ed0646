//! What every storage has to keep to, as one suite: each rule of the traits is a function over `&dyn Storage`, run for each storage by
//! [`conformance!`] with a fresh one, and those about restarts by [`conformance_of_restarts!`].
//!
//! Invariant: no rule knows which storage it looks at, sleeps, or reads a clock. What a single storage promises beyond the traits is
//! tested beside it.

#![allow(clippy::unwrap_used)]

pub(super) mod answering;
pub(super) mod bindings;
pub(super) mod extras;
pub(super) mod restarts;
pub(super) mod signins;
pub(super) mod streams;

use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use shopbell_wire::{AccountKind, AccountRef, DeviceKeys, DevicePublic, Provider, Thumbprint};

use super::{NewRecord, Record, Storage};

/// Some day in 2026.
pub(super) const NOW: i64 = 1_790_000_000_000;
pub(super) const MINUTE: i64 = 60_000;
pub(super) const DAY: i64 = 24 * 60 * MINUTE;

/// A fresh storage and what has to live as long as it.
pub(super) struct Fresh {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) _keep: Box<dyn Any + Send>,
}

/// A storage that outlives its process. The one before is closed when the next one is opened.
#[async_trait]
pub(super) trait Lasting {
    async fn open(&self) -> Arc<dyn Storage>;
}

/// One test per rule: `conformance!(fresh)`, where `async fn fresh() -> Fresh`.
macro_rules! conformance {
    ($fresh:path) => {
        $crate::storage::conformance::rules! { ($fresh)
            signins: a_thing_is_used_once_and_only_within_its_kind
            signins: a_code_goes_through_its_states
            signins: of_many_at_once_one_gets_it
            bindings: leases_are_renewed_listed_removed_and_run_out
            bindings: receivers_are_right_after_every_change
            bindings: a_user_stands_for_all_accounts_bound_through_it
            bindings: forgetting_a_user_leaves_others_and_the_streams
            bindings: silent_devices_are_unbound
            bindings: a_sign_of_life_counts
            bindings: changes_are_told
            bindings: changes_are_told_by_name_where_names_are_told
            bindings: devices_without_a_binding_are_forgotten_in_the_end
            answering: the_holder_renews_and_keeps_its_term
            answering: a_living_lease_changes_hands_only_by_insisting
            answering: an_ended_lease_is_anybodys
            answering: the_lease_goes_with_its_holder_and_the_term_still_grows
            answering: of_many_at_once_one_answers
            answering: only_a_change_of_hands_is_told
            answering: many_are_renewed_at_once
            streams: offsets_are_dense_for_each_device
            streams: the_order_of_a_call_is_kept_for_each_device
            streams: many_at_once_leave_no_hole
            streams: devices_see_their_own_events_only
            streams: a_repeated_append_is_one
            streams: a_read_keeps_to_its_window
            streams: a_backlog_is_read_piece_by_piece
            streams: acknowledged_events_are_gone_and_offsets_go_on
            streams: an_acknowledgement_beyond_the_end_deletes_nothing_that_comes
            streams: old_events_expire_and_the_gap_shows
            streams: nothing_young_expires_behind_something_old
            streams: streams_of_devices_that_are_gone_expire
            streams: a_dropped_stream_goes_on_with_its_offsets
            streams: arrivals_are_told_once_they_can_be_read
            streams: arrivals_are_told_to_their_device
            streams: nothing_is_a_valid_append
            streams: the_epoch_is_a_random_name
            extras: hooks_are_kept_changed_and_listed
            extras: a_removed_hook_is_remembered_as_one
            extras: a_hook_notes_when_it_was_used
            extras: a_picture_is_given_out_once
            extras: pictures_have_limits_and_an_end
            extras: large_pictures_come_back_whole
            extras: of_many_at_once_one_gets_the_picture
            extras: deletions_know_who_was_told_and_what_became_of_it
            extras: a_deletion_is_settled_by_those_who_were_told
            extras: the_relay_knows_when_it_last_lived
        }
    };
}

/// The same for rules about restarts: `conformance_of_restarts!(lasting)`, where `async fn lasting() -> impl Lasting`.
macro_rules! conformance_of_restarts {
    ($lasting:path) => {
        $crate::storage::conformance::restart_rules! { ($lasting)
            offsets_and_events_outlive_a_restart
            deletions_of_events_outlive_a_restart
            acknowledgements_outlive_an_orderly_restart
            used_things_and_codes_outlive_a_restart
            bindings_and_answering_outlive_a_restart
            extras_outlive_a_restart
        }
    };
}

macro_rules! rules {
    (($fresh:path) $($room:ident: $rule:ident)*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let fresh = $fresh().await;
                $crate::storage::conformance::$room::$rule(&*fresh.storage).await;
                fresh.storage.close().await;
            }
        )*
    };
}

macro_rules! restart_rules {
    (($lasting:path) $($rule:ident)*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let lasting = $lasting().await;
                $crate::storage::conformance::restarts::$rule(&lasting).await;
            }
        )*
    };
}

pub(super) use {conformance, conformance_of_restarts, restart_rules, rules};

/// Keys of a computer, another one for each number.
pub(super) fn keys(n: u8) -> DevicePublic {
    DeviceKeys::from_random_bytes(&[n; 64]).public()
}

/// Name of the computer with [`keys`].
pub(super) fn device(n: u8) -> Thumbprint {
    keys(n).thumbprint()
}

pub(super) fn page(id: &str) -> AccountRef {
    AccountRef {
        kind: AccountKind::Page,
        platform_id: id.into(),
    }
}

pub(super) fn insta(id: &str) -> AccountRef {
    AccountRef {
        kind: AccountKind::Instagram,
        platform_id: id.into(),
    }
}

/// Binds a computer to an account through the user `owner`.
pub(super) async fn bind(storage: &dyn Storage, n: u8, account: &AccountRef, now_ms: i64) {
    let accounts = std::slice::from_ref(account);
    storage
        .bind(&keys(n), Provider::Facebook, "owner", accounts, now_ms)
        .await
        .unwrap();
}

/// A record with a content by which it is known; its event id is made of that content.
pub(super) fn record(device: &Thumbprint, content: &str, received_ms: i64) -> NewRecord {
    let mut event_id = [0; 16];
    for (at, byte) in content.bytes().enumerate() {
        event_id[at % 16] ^= byte.wrapping_add(u8::try_from(at % 251).unwrap());
    }
    NewRecord {
        device: device.clone(),
        event: Bytes::from(content.to_owned()),
        event_id,
        received_ms,
    }
}

/// Appends one record with this content.
pub(super) async fn append(storage: &dyn Storage, device: &Thumbprint, content: &str) {
    storage
        .append(vec![record(device, content, NOW)])
        .await
        .unwrap();
}

/// Everything after an offset.
pub(super) async fn all_after(
    storage: &dyn Storage,
    device: &Thumbprint,
    after: u64,
) -> Vec<Record> {
    storage
        .read(device, after, usize::MAX, usize::MAX)
        .await
        .unwrap()
}

/// Offsets and contents.
pub(super) fn told(records: &[Record]) -> Vec<(u64, &str)> {
    records
        .iter()
        .map(|record| (record.offset, std::str::from_utf8(&record.event).unwrap()))
        .collect()
}
