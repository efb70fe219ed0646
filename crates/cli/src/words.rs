//! English for codes. A code without a sentence is shown as it is.

use shopbell_core::api::types::Reason;

/// The sentence, or the code.
pub fn sentence(reason: &Reason) -> String {
    known(reason).unwrap_or_else(|| reason.code.replace('_', " "))
}

/// The sentence, when there is one.
pub fn known(reason: &Reason) -> Option<String> {
    let text = match reason.code.as_str() {
        // The profile
        "locked" => "The profile is not open.",
        "keychain_missing" => {
            "There is no keychain on this computer. Set SHOPBELL_PASSPHRASE to protect a new profile by a passphrase."
        }
        "keychain_locked" => "The keychain is locked. Unlock it and try again.",
        "keychain_denied" => "The keychain refused. Allow Shopbell to use it and try again.",
        "keychain_slow" => "The keychain did not answer within ten seconds.",
        "key_missing" => {
            "The keychain has no key for this profile. Use the recovery key in the app."
        }
        "key_wrong" => {
            "The key in the keychain belongs to another profile. Use the recovery key in the app."
        }
        "key_ambiguous" => {
            "The keychain has several keys and none fits. Use the recovery key in the app."
        }
        "key_corrupted" => "The key in the keychain is damaged. Use the recovery key in the app.",
        "passphrase_needed" => "The profile is protected by a passphrase. Set SHOPBELL_PASSPHRASE.",
        "passphrase_wrong" => "The passphrase is wrong.",
        "passphrase_short" => "The passphrase is too short: at least eight characters.",
        "profile_in_use" => {
            "Another program holds this profile (process {pid}). Close it first; reading works beside it."
        }
        "file_not_ours" => {
            "The file in place of the database is not Shopbell's. It was left as it is."
        }
        "file_plaintext" => {
            "The file in place of the database is not encrypted. It was left as it is."
        }
        "file_newer" => {
            "The profile was made by a newer Shopbell (schema {found}, this one knows {known})."
        }
        "file_older" => {
            "The profile needs to be opened by this version once before it can be read beside another program."
        }
        "file_missing" => "There is no profile here yet.",
        "file_damaged" => "The database file is damaged.",
        "vault_damaged" => "vault.json and its copy are damaged.",
        "vault_newer" => "vault.json was written by a newer Shopbell.",
        "disk_full" => "The disk is full.",
        "folder_read_only" => "The profile's folder cannot be written.",
        "read_only" => "Another program holds this profile; it can only be read.",
        // Sending and fetching
        "window_closed" => "The reply window is closed.",
        "too_long" => "The text is too long for this platform.",
        "offline" => "There is no network; it goes out when there is one.",
        "needs_reconnect" | "signed_out" | "reconnect_now" => {
            "The account is signed out. Connect it again."
        }
        "rate_limited" => "The platform asks to slow down.",
        "paused" => "The account is paused.",
        "disconnected" => "The account is disconnected.",
        "blocked_for_policy" => "Meta has stopped sending for breaking its rules.",
        "policy_warning" => "Meta warns that something broke its rules.",
        "not_found" => "There is no such thing.",
        "sample" => "The sample shop does not do that.",
        // Connecting
        "not_a_code" => "This is neither the link nor the code of the page.",
        "expired" => "The sign-in took too long. Start again.",
        "denied" => "The permission was not given.",
        "relay_unreachable" => "The relay does not answer.",
        "no_page" => "No Page was found with this Facebook login.",
        "signed_out_by_meta" => "The owner removed the app at Meta. Connect the account again.",
        // Events through the relay
        "relay_closed" => "The connection to the relay broke.",
        "relay_silent" => "The relay fell silent.",
        "relay_restarts" => "The relay restarts.",
        "relay_busy" => "The relay asks to come back later.",
        "relay_confused" => "The relay said what it may not say.",
        "events_missing" => "The relay left out events.",
        "unauthorised" => "The relay does not know this computer. Connect an account again.",
        "replaced" => "Another program uses this computer's keys. It was not connected again.",
        "upgrade" => "The relay needs another version of Shopbell.",
        "no_certificates" => "This computer has no certificates to check the relay by.",
        "unknown_account" => "It is about an account that is none of ours.",
        "unknown_user" => "It is about somebody else.",
        "not_used_yet" => "Nothing here uses it yet.",
        "unknown_kind" => "It is of a kind that a newer Shopbell may know.",
        "nothing_in_it" => "There was nothing in it.",
        "parts_left_out" => "Some of it means nothing here ({parts}).",
        "not_opened" => "It is sealed to another computer, or was changed on its way.",
        "not_an_event" | "no_account" => "It is no event.",
        "not_json" | "not_an_entry" | "not_understood" | "other_product" => "It cannot be read.",
        "not_stored" => "It could not be stored ({why}).",
        "panic" => "A fault in Shopbell: it could not be read.",
        "signed_in_since" => "The account was connected again after it.",
        "signed_out_already" => "The account was signed out already.",
        "left" => "It was left by the owner.",
        "erased" => "What it spoke of was erased.",
        // Doctor
        "folder_ok" => "The profile's folder is for you only.",
        "folder_missing" => "There is no profile yet.",
        "folder_open_to_others" => {
            "Other people on this computer can look into the profile's folder."
        }
        "disk_ok" => "There is room on the disk ({free_bytes} bytes).",
        "disk_low" => "Little room is left on the disk ({free_bytes} bytes).",
        "vault_ok" => "vault.json is well ({kind}).",
        "vault_missing" => "There is no vault yet.",
        "vault_copy_missing" => "One of the two copies of vault.json is missing or different.",
        "recovery_key_confirmed" => "The recovery key was written down.",
        "recovery_key_unconfirmed" => {
            "The recovery key was not confirmed yet. Write it down in the app."
        }
        "keychain_ok" => "The keychain answers ({keychain}).",
        "keychain_not_used" => "A passphrase protects the profile; no keychain is needed.",
        "database_ok" => "The database is whole ({bytes} bytes).",
        "relay_ok" => "The relay answers ({url}).",
        "clock_ok" => "This computer's clock is right.",
        "clock_off" => "This computer's clock is off by {ms} ms.",
        "clock_unknown" => "The clock was not compared yet.",
        "scheme_ours" => "shopbell: links open Shopbell.",
        "scheme_other" => "shopbell: links open another program ({handler}).",
        "scheme_none" => "shopbell: links open nothing; the browser comes back another way.",
        _ => return None,
    };
    Some(
        reason
            .params
            .iter()
            .fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            }),
    )
}
