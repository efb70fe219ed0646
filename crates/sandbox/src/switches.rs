//! Every behaviour that the platform's documents leave open, contradict, or that differs between
//! apps, as one named switch with both behaviours. Tests run with both; nothing else in the crate
//! decides such a question by itself. Also the numbers of the platform's limits, so that a
//! benchmark can turn them off.

use serde::{Deserialize, Serialize};

/// What the sandbox does where the real platform is not certain. All fields can be changed while it
/// runs with `POST /_sandbox/switches`; fields left out keep their value.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// `api.instagram.com` answers the code exchange as `{"data":[{…}]}` (documented) instead of flat (observed).
    pub ig_token_wrapped: bool,
    /// The permissions in that answer are an array (observed) instead of a comma-separated string (documented).
    pub ig_permissions_array: bool,
    /// `user_id` in that answer is a JSON number beyond 2^53 (observed) instead of a string.
    pub ig_user_id_numeric: bool,
    /// `/me` on graph.instagram.com is wrapped in `{"data":[{…}]}` (some doc pages) instead of flat (live).
    pub ig_me_wrapped: bool,
    /// The code of the error for a token younger than 24 h: 100 or 190.
    pub ig_refresh_too_young_code: u32,
    /// Facebook's code exchange gives a long-lived user token at once instead of one for 90 minutes.
    pub fb_code_gives_long_lived: bool,
    /// Facebook's code exchange gives a business-integration system-user token without an end.
    pub fb_code_gives_system_user: bool,
    /// `fb_exchange_token` of a live long-lived token gives a later end; off, it gives the same end back.
    pub fb_exchange_renews: bool,
    /// Facebook tokens end with their 90 days of data access, which no exchange renews.
    pub data_access_ends: bool,
    /// The cancel redirect of Facebook carries `error_code=200` too.
    pub fb_cancel_error_code: bool,
    /// A dialog asked with `config_id` grants everything or nothing; off, single permissions can be unticked.
    pub fb_login_all_or_nothing: bool,
    /// Redirects end in `#_` and `#_=_`.
    pub redirect_fragments: bool,
    /// Calls without `appsecret_proof` are refused ("Require App Secret").
    pub require_appsecret_proof: bool,
    /// Loopback redirect URIs are accepted beside the registered ones ("development mode").
    pub development_mode: bool,
    /// `snippet`, `message_count`, `unread_count`, `can_reply` and `link` of an Instagram thread are refused
    /// with code 100; off, the keys are simply absent.
    pub ig_refuses_messenger_fields: bool,
    /// A nested `messages{…}` stops at the detailed messages; off, older ones follow with id and time only.
    pub nested_messages_stop: bool,
    /// How many of the newest messages of a conversation show details.
    pub detailed_messages: usize,
    /// Message ids in webhooks are another encoding than in the Conversations API (field reports).
    pub webhook_mids_differ: bool,
    /// `subscribed_apps` answers the string `"true"` (one doc sample) instead of the boolean.
    pub success_as_string: bool,
    /// The HTTP status of limit errors: 400 in most reports, 403 and 429 seen.
    pub limit_status: u16,
    /// The HTTP status of dead tokens: 400 or 401.
    pub dead_token_status: u16,
    /// Calls to the Conversations API per second and account; 0 = no limit.
    pub conversations_per_second: usize,
    /// Text sends per second and Page; 0 = no limit.
    pub sends_per_second_messenger: usize,
    /// Text sends per second and Instagram account (pages disagree: 300 or 100); 0 = no limit.
    pub sends_per_second_instagram: usize,
    /// Audio and video sends per second and account; 0 = no limit.
    pub media_sends_per_second: usize,
    /// Calls in 24 h before a Page or account is stopped; `null` follows the platform's formula.
    pub account_call_budget: Option<u64>,
    /// Calls in one hour before the app (code 4) is stopped; `null` = never.
    pub app_call_budget: Option<u64>,
    /// Calls in one hour before a user token (code 17, on Pages code 32) is stopped; `null` = never.
    pub user_call_budget: Option<u64>,
    /// Answer code 1 "reduce the amount of data" when conversations × nested messages exceed this; `null` = never.
    pub expansion_budget: Option<usize>,
    /// Whether the app may use the `HUMAN_AGENT` tag.
    pub human_agent_approved: bool,
    /// Brand-new Instagram messages are preceded by a bare `message_edit` with `num_edit` 0 (field reports).
    pub ig_bare_edit_first: bool,
    /// The envelope of Instagram's content events.
    pub ig_content_form: ContentForm,
    /// Comment events through a Page name the comment `comment_id` (one sample) instead of `id` (reference).
    pub ig_comment_id_long: bool,
    /// Comments on Instagram keep to 300 letters, 4 hashtags and 1 link (older reference); off, anything goes.
    pub ig_comment_limits: bool,
    /// How `feed` events name who did it.
    pub feed_from: FeedFrom,
    /// Stickers on Messenger come as `image` and `sticker` together (until 30 August 2026).
    pub sticker_twice: bool,
    /// Delivery receipts name the messages; off, only the watermark is there.
    pub delivery_mids: bool,
    /// `num_edit` is text (the samples) instead of a number (the tables).
    pub num_edit_as_text: bool,
    /// Of a hundred events, so many are delivered a second time, later.
    pub webhook_duplicate: usize,
    /// Of a hundred events, so many are held back and overtaken by others.
    pub webhook_reorder: usize,
    /// How late duplicated and held-back events come at most, milliseconds of sandbox clock.
    pub webhook_disorder_ms: i64,
    /// Every event is delivered this many times (1 = once).
    pub webhook_copies: usize,
    /// Up to this many waiting events share one POST (several `entry`).
    pub webhook_batch: usize,
    /// How many POSTs are on their way at once (1 = one after another).
    pub webhook_parallel: usize,
    /// Waiting events of one POST leave in reverse order.
    pub webhook_reversed: bool,
    /// Milliseconds of sandbox clock until a sent message is delivered (Messenger only); `null` = on command.
    pub delivered_after_ms: Option<i64>,
    /// Milliseconds of sandbox clock until customers read what was sent; `null` = on command.
    pub read_after_ms: Option<i64>,
    /// Milliseconds a signed photo or attachment URL lives.
    pub photo_url_life_ms: i64,
}

/// The envelope of Instagram's content events.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ContentForm {
    /// `changes[]` through a Page, `entry.field` and `entry.value` through Instagram Login (the documents).
    ByRoute,
    /// Always `entry.field` and `entry.value`.
    Flat,
    /// Always `changes[]` (many real deliveries).
    Changes,
}

/// How `feed` events name who did it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum FeedFrom {
    /// `from: {id, name}`.
    From,
    /// `sender_id` and `sender_name`, as older events.
    Sender,
    /// Not at all: privacy, or no rights.
    Missing,
}

impl Default for Switches {
    fn default() -> Self {
        Switches {
            ig_token_wrapped: true,
            ig_permissions_array: false,
            ig_user_id_numeric: true,
            ig_me_wrapped: false,
            ig_refresh_too_young_code: 100,
            fb_code_gives_long_lived: false,
            fb_code_gives_system_user: false,
            fb_exchange_renews: true,
            data_access_ends: true,
            fb_cancel_error_code: true,
            fb_login_all_or_nothing: true,
            redirect_fragments: true,
            require_appsecret_proof: false,
            development_mode: true,
            ig_refuses_messenger_fields: true,
            nested_messages_stop: true,
            detailed_messages: 20,
            webhook_mids_differ: false,
            success_as_string: false,
            limit_status: 400,
            dead_token_status: 400,
            conversations_per_second: 2,
            sends_per_second_messenger: 300,
            sends_per_second_instagram: 100,
            media_sends_per_second: 10,
            account_call_budget: None,
            app_call_budget: None,
            user_call_budget: None,
            expansion_budget: None,
            human_agent_approved: true,
            ig_bare_edit_first: false,
            ig_content_form: ContentForm::ByRoute,
            ig_comment_id_long: false,
            ig_comment_limits: true,
            feed_from: FeedFrom::From,
            sticker_twice: false,
            delivery_mids: true,
            num_edit_as_text: false,
            webhook_duplicate: 0,
            webhook_reorder: 0,
            webhook_disorder_ms: 5 * crate::clock::SECOND,
            webhook_copies: 1,
            webhook_batch: 1,
            webhook_parallel: 1,
            webhook_reversed: false,
            delivered_after_ms: Some(300),
            read_after_ms: None,
            photo_url_life_ms: 3 * crate::clock::DAY,
        }
    }
}
