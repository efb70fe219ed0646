//! What happens around a conversation rather than in it: taps, referrals, opt-ins, handovers, feedback, policy,
//! the owner's messages to their own account. Each function hands one event to the mailbox.

use serde_json::{Value, json};

use super::events::envelope;
use super::{Between, shown_mid};
use crate::clock::DAY;
use crate::world::World;
use crate::world::people::{Account, Platform};
use crate::world::threads::{Referral, ReferralKind};

/// A referral as both products write it.
pub(crate) fn referral_value(world: &World, referral: &Referral, account: &Account) -> Value {
    let instagram = account.platform == Platform::Instagram;
    match referral.from {
        ReferralKind::Product => json!({"product": {"id": referral.product}}),
        ReferralKind::Link if instagram => {
            let (_, username) = world.account_names(account);
            json!({"ref": referral.word, "type": "OPEN_THREAD",
                   "source": format!("https://ig.me/m/{username}?ref={}", referral.word)})
        }
        ReferralKind::Link => {
            json!({"ref": referral.word, "source": "SHORTLINK", "type": "OPEN_THREAD"})
        }
        ReferralKind::Ad => {
            let mut context =
                json!({"ad_title": referral.ad_title, "photo_url": world.signed(&referral.path)});
            if !instagram {
                context["post_id"] = format!("{}_{}", account.id, referral.ad_id).into();
            }
            json!({"ref": referral.word, "ad_id": referral.ad_id, "source": "ADS",
                   "type": "OPEN_THREAD", "ads_context_data": context})
        }
    }
}

/// A link or an ad opened a thread that already existed.
pub(crate) fn referral(world: &mut World, between: &Between, referral: &Referral) {
    let value = referral_value(world, referral, &between.account);
    let event = envelope(between, true, world.now_ms(), "referral", value);
    let field = match between.account.platform {
        Platform::Messenger => "messaging_referrals",
        Platform::Instagram => "messaging_referral",
    };
    world.tell(between, field, event);
}

/// A tapped button, the Get Started button with what led there.
pub(crate) fn postback(
    world: &mut World,
    between: &Between,
    mid: Option<&str>,
    title: &str,
    payload: &str,
    came_from: Option<&Referral>,
) {
    let mut value = json!({"title": title, "payload": payload});
    if let Some(mid) = mid {
        value["mid"] = shown_mid(world, mid).into();
    }
    if let Some(referral) = came_from {
        value["referral"] = referral_value(world, referral, &between.account);
    }
    let event = envelope(between, true, world.now_ms(), "postback", value);
    world.tell(between, "messaging_postbacks", event);
}

/// Somebody wants notification messages.
pub(crate) fn optin(world: &mut World, between: &Between, payload: &str, title: &str, stop: bool) {
    let token = world.chance.digits("46", 16);
    let now = world.now_ms();
    let value = json!({
        "type": "notification_messages",
        "payload": payload,
        "notification_messages_token": token,
        "notification_messages_frequency": "WEEKLY",
        "notification_messages_timezone": "Europe/Berlin",
        "token_expiry_timestamp": now + 270 * DAY,
        "user_token_status": "NOT_REFRESHED",
        "notification_messages_status": if stop { "STOP_NOTIFICATIONS" } else { "RESUME_NOTIFICATIONS" },
        "title": title,
    });
    let event = envelope(between, true, now, "optin", value);
    world.tell(between, "messaging_optins", event);
}

/// The plugin's form of it: nobody is named yet.
pub(crate) fn plugin_optin(world: &mut World, account: &Account, word: &str, user_ref: &str) {
    let event = json!({"recipient": {"id": account.id}, "timestamp": world.now_ms(),
        "optin": {"ref": word, "user_ref": user_ref}});
    world.emit(account, "messaging_optins", event);
}

/// A change of who owns a thread. These go to the app whether it owns the thread or not.
pub(crate) fn handover(world: &mut World, between: &Between, key: &str, value: Value) {
    let event = envelope(between, true, world.now_ms(), key, value);
    let field = match between.account.platform {
        Platform::Messenger => "messaging_handovers",
        Platform::Instagram => "messaging_handover",
    };
    world.emit(&between.account, field, event);
}

/// The platform warns, blocks or releases a Page: there is no sender.
pub(crate) fn policy(world: &mut World, account: &Account, action: &str, reason: &str) {
    let event = json!({"recipient": {"id": account.id}, "timestamp": world.now_ms(),
        "policy_enforcement": {"action": action, "reason": reason}});
    world.emit(account, "messaging_policy_enforcement", event);
}

/// A customer rates an answer.
pub(crate) fn feedback(world: &mut World, between: &Between, mid: &str, good: bool) {
    let word = if good {
        "Good response"
    } else {
        "Bad response"
    };
    let value = json!({"feedback": word, "mid": mid});
    let event = envelope(between, true, world.now_ms(), "response_feedback", value);
    world.tell(between, "response_feedback", event);
}

/// The owner writes to the own account, or taps there. Sender and recipient are the account.
pub(crate) fn to_self(world: &mut World, account: &Account, mid: &str, text: &str, tapped: bool) {
    let shown = shown_mid(world, mid);
    let mut event = json!({"sender": {"id": account.id}, "recipient": {"id": account.id},
        "timestamp": world.now_ms()});
    if tapped {
        event["is_self"] = true.into();
        event["postback"] = json!({"mid": shown, "title": text, "payload": "SELF"});
        world.emit(account, "messaging_postbacks", event);
    } else {
        event["message"] = json!({"mid": shown, "text": text, "is_echo": true, "is_self": true});
        world.emit(account, "messages", event);
    }
}
