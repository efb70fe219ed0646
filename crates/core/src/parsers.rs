//! Everything here that reads bytes from outside, one function for each, for tests that throw anything at them. None may panic; what
//! they answer is not told. Only with the feature `planted`.

use crate::{
    accounts,
    domain::Channel,
    platform::{self, RawMe, RawMention, RawMessage, RawPost, RawProfile, RawThread},
};

/// Name of the corpus, and what reads it.
pub const ALL: &[(&str, fn(&[u8]))] = &[
    ("app-webhook", webhook),
    ("app-pasted", pasted),
    ("app-thread-page", thread_page),
];

fn webhook(bytes: &[u8]) {
    for (channel, account) in [
        (Channel::Messenger, "100000000000101"),
        (Channel::Instagram, "17841400000000001"),
    ] {
        let _ = platform::webhook::entry(channel, account, bytes);
    }
}

fn pasted(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        accounts::sign_in::read_pasted(text);
    }
}

fn thread_page(bytes: &[u8]) {
    let _ = serde_json::from_slice::<RawThread>(bytes);
    let _ = serde_json::from_slice::<RawMessage>(bytes);
    let _ = serde_json::from_slice::<RawProfile>(bytes);
    let _ = serde_json::from_slice::<RawMe>(bytes);
    let _ = serde_json::from_slice::<RawPost>(bytes);
    let _ = serde_json::from_slice::<RawMention>(bytes);
}
