//! The events of facts sheet §3.6 and §3.8, each as Meta writes it.

use super::*;

fn told(event: Value) -> String {
    lines(&of_page("messaging", event)).join(" | ")
}

fn told_on_instagram(event: Value) -> String {
    lines(&of_instagram("messaging", event)).join(" | ")
}

#[test]
fn a_customer_writes() {
    assert_eq!(
        told(from_ana(
            "message",
            json!({"mid": "m_1", "text": "Hi", "quick_reply": {"payload": "SIZE_M"}, "reply_to": {"mid": "m_0", "is_self_reply": false}})
        )),
        "customer m_1 7011 1764000000001 text=\"Hi\" reply=m_0 tap=\"SIZE_M\" window"
    );
    assert_eq!(
        told_on_instagram(from_bea(
            "message",
            json!({"mid": "aWdfA", "text": "love it", "reply_to": {"story": {"id": "1790", "url": "https://cdn.example/s"}}})
        )),
        "customer aWdfA 9001 1764000000001 text=\"love it\" story=reply Some(\"1790\") Some(\"https://cdn.example/s\") window"
    );
    assert_eq!(
        told_on_instagram(from_bea(
            "message",
            json!({"mid": "aWdfC", "is_unsupported": true})
        )),
        "customer aWdfC 9001 1764000000001 unsupported window"
    );
}

#[test]
fn times_in_seconds_and_ids_as_numbers_are_the_same_message() {
    let event = json!({"sender": {"id": 7011}, "recipient": {"id": 1001}, "timestamp": 1_764_000_000, "message": {"mid": "m_1", "text": "x"}});
    assert_eq!(
        told(event),
        "customer m_1 7011 1764000000000 text=\"x\" window"
    );
    let without = json!({"sender": {"id": "7011"}, "recipient": {"id": PAGE}, "message": {"mid": "m_1", "text": "x"}});
    assert_eq!(
        told(without),
        format!("customer m_1 7011 {SENT_MS} text=\"x\" window"),
        "the time of sending is the next best"
    );
}

#[test]
fn every_type_of_attachment_has_its_kind() {
    let cases = [
        (
            json!({"type": "image", "payload": {"url": "https://cdn.example/i"}}),
            "image[url:https://cdn.example/i]",
        ),
        (
            json!({"type": "video", "payload": {"url": "https://cdn.example/v"}}),
            "video[url:https://cdn.example/v]",
        ),
        (
            json!({"type": "audio", "payload": {"url": "https://cdn.example/a"}}),
            "audio[url:https://cdn.example/a]",
        ),
        (
            json!({"type": "file", "payload": {"url": "https://cdn.example/f"}}),
            "file[url:https://cdn.example/f]",
        ),
        (
            json!({"type": "sticker", "payload": {"url": "https://cdn.example/l", "sticker_id": 369_239_263_222_822_u64}}),
            "sticker[url:https://cdn.example/l]",
        ),
        (
            json!({"type": "image", "payload": {"url": "https://cdn.example/l", "sticker_id": 1}}),
            "sticker[url:https://cdn.example/l]",
        ),
        (
            json!({"type": "fallback", "payload": {"url": "https://shop.example/", "title": "Mantel"}}),
            "share[name:Mantel link:https://shop.example/]",
        ),
        (
            json!({"type": "fallback", "title": "Mantel", "url": "https://shop.example/"}),
            "share[name:Mantel link:https://shop.example/]",
        ),
        (json!({"type": "fallback", "payload": null}), "fallback[]"),
        (
            json!({"type": "reel", "payload": {"url": "https://fb.example/r", "title": "Kleid", "reel_video_id": 5}}),
            "reel[name:Kleid link:https://fb.example/r]",
        ),
        (
            json!({"type": "post", "payload": {"url": "https://fb.example/p", "id": 5}}),
            "share[link:https://fb.example/p]",
        ),
        (
            json!({"type": "template", "payload": {"product": {"elements": [{"id": "9", "title": "Mantel", "image_url": "https://cdn.example/m"}]}}}),
            "template[url:https://cdn.example/m name:Mantel]",
        ),
        (
            json!({"type": "appointment_booking", "payload": {"booking_id": "b", "status": "requested"}}),
            "template[]",
        ),
        (
            json!({"type": "location", "payload": {"coordinates": {"lat": 52.5, "long": 13.4}}}),
            "location[name:52.50000, 13.40000]",
        ),
        (json!({"type": "ephemeral"}), "unsupported[]"),
        (
            json!({"type": "hologram", "payload": {"url": "https://cdn.example/h"}}),
            "unsupported[]",
        ),
        (
            json!({"type": "image", "payload": {"url": "javascript:alert(1)"}}),
            "image[]",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(
            told(from_ana(
                "message",
                json!({"mid": "m_1", "attachments": [file]})
            )),
            format!("customer m_1 7011 1764000000001 file={expected} window")
        );
    }
    let on_instagram = [
        (
            json!({"type": "share", "payload": {"url": "https://cdn.example/p"}}),
            "share[url:https://cdn.example/p link:https://cdn.example/p]",
        ),
        (
            json!({"type": "ig_post", "payload": {"url": "https://cdn.example/p", "title": "Neu"}}),
            "share[url:https://cdn.example/p name:Neu link:https://cdn.example/p]",
        ),
        (
            json!({"type": "ig_reel", "payload": {"url": "https://cdn.example/r"}}),
            "reel[url:https://cdn.example/r link:https://cdn.example/r]",
        ),
        (
            json!({"type": "ig_story", "payload": {"url": "https://cdn.example/s"}}),
            "story[url:https://cdn.example/s]",
        ),
        (json!({"type": "like_heart"}), "sticker[]"),
        (
            json!({"type": "media", "payload": {"url": "https://cdn.example/m"}}),
            "share[url:https://cdn.example/m link:https://cdn.example/m]",
        ),
    ];
    for (file, expected) in on_instagram {
        // One alone instead of a list occurs too.
        assert_eq!(
            told_on_instagram(from_bea(
                "message",
                json!({"mid": "aWdf", "attachments": file})
            )),
            format!("customer aWdf 9001 1764000000001 file={expected} window")
        );
    }
}

#[test]
fn a_sticker_told_twice_is_one_and_a_mention_in_a_story_is_a_story() {
    let both = json!({"mid": "m_1", "attachments": [
        {"type": "image", "payload": {"url": "https://cdn.example/a", "sticker_id": 7}},
        {"type": "sticker", "payload": {"url": "https://cdn.example/b", "sticker_id": 7}}]});
    assert_eq!(
        told(from_ana("message", both)),
        "customer m_1 7011 1764000000001 file=sticker[url:https://cdn.example/b] window"
    );
    let mention = json!({"mid": "aWdfB", "attachments": [{"type": "story_mention", "payload": {"url": "https://cdn.example/s"}}]});
    assert_eq!(
        told_on_instagram(from_bea("message", mention)),
        "customer aWdfB 9001 1764000000001 story=mention None Some(\"https://cdn.example/s\") window"
    );
}

#[test]
fn an_echo_is_from_our_side_and_says_which_program_sent_it() {
    let echo = |message: Value| json!({"sender": {"id": PAGE}, "recipient": {"id": "7011"}, "timestamp": 1_764_000_000_001_i64, "message": message});
    assert_eq!(
        told(echo(
            json!({"mid": "m_2", "text": "gern", "is_echo": true, "app_id": 26_390_203_743_090_u64, "metadata": "sb:1"})
        )),
        "phone m_2 7011 1764000000001 text=\"gern\" app=26390203743090 meta=sb:1"
    );
    assert_eq!(
        told(echo(json!({"mid": "m_2", "text": "gern"}))),
        "phone m_2 7011 1764000000001 text=\"gern\"",
        "the sender says so too"
    );
    // An Instagram account may be named by another of its ids; then only the mark tells.
    let other_id = json!({"sender": {"id": "24"}, "recipient": {"id": "9001"}, "timestamp": 1_764_000_000_001_i64,
        "message": {"mid": "aWdf", "text": "si", "is_echo": true}});
    assert_eq!(
        told_on_instagram(other_id),
        "phone aWdf 9001 1764000000001 text=\"si\""
    );
    let own_tap = json!({"sender": {"id": PAGE}, "recipient": {"id": "7011"}, "timestamp": 1, "postback": {"mid": "m", "title": "x"}});
    assert_eq!(told(own_tap), "ignored nobody");
}

#[test]
fn messages_to_oneself_are_recognised_and_left_alone() {
    let event = json!({"sender": {"id": BOUTIQUE}, "recipient": {"id": BOUTIQUE}, "timestamp": 1_764_000_000_001_i64,
        "message": {"mid": "aWdf", "text": "test", "is_echo": true, "is_self": true}});
    assert_eq!(told_on_instagram(event), "ignored self_message");
    let mut tap = from_bea("postback", json!({"title": "x", "payload": "y"}));
    tap["is_self"] = true.into();
    assert_eq!(told_on_instagram(tap), "ignored self_message");
}

#[test]
fn taps_are_what_the_customer_tapped() {
    let tap = json!({"mid": "m_3", "title": "Größen ansehen", "payload": "SIZES", "referral": {"ref": "sommer", "source": "SHORTLINK", "type": "OPEN_THREAD"}});
    assert_eq!(
        told(from_ana("postback", tap)),
        "customer m_3 7011 1764000000001 text=\"Größen ansehen\" tap=\"SIZES\" from=link \"sommer\" window"
    );
    // An ice breaker comes without an id; told twice, also to a bystander who does not get the payload, it is one.
    let breaker = from_bea(
        "postback",
        json!({"title": "¿Abren hoy?", "payload": "HOURS"}),
    );
    let bystander = from_bea("postback", json!({"title": "¿Abren hoy?"}));
    let first = told_on_instagram(breaker.clone());
    assert_eq!(first, told_on_instagram(breaker));
    let heard = lines(&of_instagram("standby", bystander)).join(" | ");
    assert_eq!(first.replace("tap=\"HOURS\"", "tap=\"\" standby"), heard);
    assert!(first.starts_with("customer tap:"));
}

#[test]
fn reactions_come_with_a_character_a_word_or_neither() {
    let react = |payload: Value| told_on_instagram(from_bea("reaction", payload));
    for (payload, emoji) in [
        (
            json!({"mid": "m", "action": "react", "reaction": "love", "emoji": "❤️"}),
            "Some(\"❤\u{fe0f}\")",
        ),
        (
            json!({"mid": "m", "action": "react", "reaction": "wow"}),
            "Some(\"😮\")",
        ),
        (
            json!({"mid": "m", "action": "react", "reaction": "other"}),
            "Some(\"❔\")",
        ),
        (json!({"mid": "m", "action": "react"}), "Some(\"❔\")"),
        (json!({"mid": "m", "action": "unreact"}), "None"),
    ] {
        let emoji = emoji.replace('\u{fe0f}', "\\u{fe0f}");
        assert_eq!(
            react(payload),
            format!("reaction m customer 9001 {emoji} 1764000000001")
        );
    }
    assert_eq!(
        react(json!({"mid": "m", "action": "dance"})),
        "ignored unknown_reaction"
    );
    let ours = json!({"sender": {"id": PAGE}, "recipient": {"id": "7011"}, "timestamp": 1_764_000_000_001_i64,
        "reaction": {"mid": "m", "action": "react", "emoji": "👍"}});
    assert_eq!(told(ours), "reaction m us 7011 Some(\"👍\") 1764000000001");
}

#[test]
fn edits_and_what_is_only_announced() {
    for number in [json!(2), json!("2")] {
        assert_eq!(
            told(from_ana(
                "message_edit",
                json!({"mid": "m", "text": "acht", "num_edit": number})
            )),
            "edit m \"acht\" 2 1764000000001"
        );
    }
    let bare =
        json!({"timestamp": 1_764_000_000_001_i64, "message_edit": {"mid": "aWdf", "num_edit": 0}});
    let news = of_instagram("messaging", bare);
    assert_eq!(lines(&news), ["announced aWdf"]);
    assert_eq!(news.refs, ["aWdf"]);
    assert_eq!(
        told(from_ana("message_edit", json!({"mid": "m", "num_edit": 1}))),
        "ignored edit_without_text"
    );
}

#[test]
fn unsent_by_either_side() {
    assert_eq!(
        told_on_instagram(from_bea(
            "message",
            json!({"mid": "aWdf", "is_deleted": true})
        )),
        "unsend aWdf 1764000000001"
    );
    let ours = json!({"sender": {"id": BOUTIQUE}, "recipient": {"id": "9001"}, "timestamp": 5,
        "message": {"mid": "aWdf", "is_deleted": true, "is_echo": true}});
    assert_eq!(told_on_instagram(ours), "unsend aWdf 5000");
}

#[test]
fn receipts_by_watermark_and_by_id() {
    assert_eq!(
        told(from_ana(
            "delivery",
            json!({"mids": ["m_1"], "watermark": 1_764_000_000_253_i64})
        )),
        "delivered 7011 1764000000253"
    );
    assert_eq!(
        told(from_ana("delivery", json!({"watermark": 1_764_000_000}))),
        "delivered 7011 1764000000000"
    );
    assert_eq!(
        told(from_ana(
            "read",
            json!({"watermark": 1_764_000_000_253_i64})
        )),
        "read 7011 Some(1764000000253) None"
    );
    assert_eq!(
        told_on_instagram(from_bea("read", json!({"mid": "aWdf"}))),
        "read 9001 None Some(\"aWdf\")"
    );
    assert_eq!(
        told(from_ana("read", json!({}))),
        "ignored receipt_without_mark"
    );
    let ours = json!({"sender": {"id": PAGE}, "recipient": {"id": "7011"}, "timestamp": 5, "read": {"watermark": 5}});
    assert_eq!(told(ours), "ignored read_by_us");
}

#[test]
fn where_customers_come_from() {
    let referral = |payload: Value| told(from_ana("referral", payload));
    assert_eq!(
        referral(json!({"ref": "sommer", "source": "SHORTLINK", "type": "OPEN_THREAD"})),
        "referral 7011 link \"sommer\" window=true 1764000000001"
    );
    assert_eq!(
        referral(
            json!({"ref": "r", "source": "ADS", "ad_id": "6", "ads_context_data": {"ad_title": "Sommerkleider"}})
        ),
        "referral 7011 ad \"Sommerkleider\" window=false 1764000000001",
        "an ad counts with the message that follows"
    );
    assert_eq!(
        told_on_instagram(from_bea(
            "referral",
            json!({"ref": "bio", "source": "https://ig.me/m/azul"})
        )),
        "referral 9001 link \"bio\" window=true 1764000000001"
    );
    let with_words =
        json!({"mid": "m", "text": "Hallo", "referral": {"ad_id": "6", "source": "ADS"}});
    assert_eq!(
        told(from_ana("message", with_words)),
        "customer m 7011 1764000000001 text=\"Hallo\" from=ad \"6\" window"
    );
    let product = json!({"mid": "m", "text": "Noch da?", "referral": {"product": {"id": "88"}}});
    assert_eq!(
        told(from_ana("message", product)),
        "customer m 7011 1764000000001 text=\"Noch da?\" from=link \"88\" window"
    );
}

#[test]
fn threads_change_hands() {
    let pass = |owner: Value| json!({"previous_owner_app_id": null, "new_owner_app_id": owner, "metadata": "x"});
    assert_eq!(
        told(from_ana("pass_thread_control", pass(json!("4711")))),
        "control 7011 ours=true 1764000000001"
    );
    assert_eq!(
        told(from_ana(
            "pass_thread_control",
            pass(json!(263_902_037_430_900_u64))
        )),
        "control 7011 ours=false 1764000000001",
        "Meta's inbox is a person"
    );
    assert_eq!(
        told(from_ana("take_thread_control", pass(json!("4712")))),
        "control 7011 ours=false 1764000000001"
    );
    assert_eq!(
        told(from_ana(
            "request_thread_control",
            json!({"requested_owner_app_id": "1"})
        )),
        "ignored thread_control_requested"
    );
    assert_eq!(
        told(
            json!({"recipient": {"id": PAGE}, "timestamp": 5, "app_roles": {"1": ["primary_receiver"]}})
        ),
        "ignored app_roles"
    );
}

#[test]
fn bystanders_see_everything_and_hold_nothing() {
    let heard = lines(&of_page(
        "standby",
        from_ana("message", json!({"mid": "m", "text": "Hi"})),
    ));
    assert_eq!(
        heard,
        ["customer m 7011 1764000000001 text=\"Hi\" standby window"]
    );
    let other = json!({"sender": {"id": PAGE}, "recipient": {"id": "7011"}, "timestamp": 1_764_000_000_001_i64,
        "message": {"mid": "m2", "text": "Bot", "is_echo": true, "app_id": 99}});
    assert_eq!(
        lines(&of_page("standby", other)),
        ["phone m2 7011 1764000000001 text=\"Bot\" app=99 standby"]
    );
    let read = lines(&of_page(
        "standby",
        from_ana("read", json!({"watermark": 1_764_000_000_253_i64})),
    ));
    assert_eq!(read, ["read 7011 Some(1764000000253) None"]);
}

#[test]
fn the_platform_speaks_of_the_account() {
    let policy = |key: &str, action: &str| {
        told(
            json!({"recipient": {"id": PAGE}, "timestamp": 1_764_000_000_001_i64, key: {"action": action, "reason": "Spam"}}),
        )
    };
    assert_eq!(
        policy("policy_enforcement", "block"),
        "policy Block Some(\"Spam\") 1764000000001"
    );
    assert_eq!(
        policy("policy-enforcement", "warning"),
        "policy Warning Some(\"Spam\") 1764000000001"
    );
    assert_eq!(
        policy("policy_enforcement", "unblock"),
        "policy Unblock Some(\"Spam\") 1764000000001"
    );
    assert_eq!(
        policy("policy_enforcement", "shrug"),
        "ignored unknown_policy"
    );
}

#[test]
fn what_is_of_no_use_says_so() {
    for (key, why) in [
        ("optin", "opt_in"),
        ("account_linking", "account_linking"),
        ("response_feedback", "feedback"),
        ("messaging_feedback", "feedback"),
        ("order", "cart"),
        ("telepathy", "unknown_event"),
    ] {
        assert_eq!(
            told(from_ana(key, json!({"x": 1}))),
            format!("ignored {why}")
        );
    }
}

#[test]
fn everything_it_speaks_of_can_be_found_again() {
    let event = from_ana(
        "message",
        json!({"mid": "m_1", "text": "Hi", "reply_to": {"mid": "m_0"}}),
    );
    assert_eq!(of_page("messaging", event).refs, ["7011", "m_1"]);
    let echo = json!({"sender": {"id": PAGE}, "recipient": {"id": "7011"}, "timestamp": 5, "message": {"mid": "m_2", "is_echo": true}});
    assert_eq!(
        of_page("messaging", echo).refs,
        ["7011", "m_2"],
        "we are no ref"
    );
}
