//! What the pages say, per language, and which language a browser asks for.
//!
//! `{p}` is the platform, `{n}` the number, `{h}` the relay's host, `{t}` a time, `{a}` of `{b}` a count.

mod ar;
mod de;
mod en;

use axum::http::{HeaderMap, header};
use shopbell_wire::{Provider, Refusal};

/// One language.
pub(super) struct Words {
    pub(super) lang: &'static str,
    pub(super) dir: &'static str,
    pub(super) yes: &'static str,
    pub(super) connect_title: &'static str,
    pub(super) connect_say: &'static str,
    pub(super) connect_button: &'static str,
    pub(super) other_button: &'static str,
    pub(super) may_ask: &'static str,
    pub(super) code_title: &'static str,
    pub(super) copy: &'static str,
    pub(super) copied: &'static str,
    pub(super) code_say: &'static str,
    pub(super) code_minutes: &'static str,
    pub(super) code_until: &'static str,
    pub(super) code_never: &'static str,
    pub(super) code_never_more: &'static str,
    pub(super) other_done: &'static str,
    pub(super) other_title: &'static str,
    pub(super) other_say: &'static str,
    pub(super) back: &'static str,
    pub(super) partial_done: &'static str,
    pub(super) partial_title_messages: &'static str,
    pub(super) partial_title: &'static str,
    pub(super) partial_say: &'static str,
    pub(super) partial_again: &'static str,
    pub(super) partial_go_on: &'static str,
    pub(super) may: [&'static str; 6],
    pub(super) nothing_connected: &'static str,
    pub(super) back_to_app: &'static str,
    pub(super) reason: &'static str,
    pub(super) denied: (&'static str, &'static str),
    pub(super) expired: (&'static str, &'static str),
    pub(super) replayed: (&'static str, &'static str),
    pub(super) other_browser: (&'static str, &'static str),
    pub(super) wrong: (&'static str, &'static str),
    pub(super) dialog_failed: (&'static str, &'static str),
    pub(super) not_set_up: (&'static str, &'static str),
    pub(super) fault: (&'static str, &'static str),
    pub(super) deletion: DeletionWords,
    pub(super) foot: &'static str,
    pub(super) foot_more: &'static str,
    pub(super) passes_title: &'static str,
    pub(super) passes: &'static [(&'static str, &'static [&'static str])],
}

/// What the status page of a data-deletion request says. `{d}` is a day, `{c}` the code, `{n}` a count.
pub(super) struct DeletionWords {
    pub(super) done: &'static str,
    pub(super) title: &'static str,
    /// What the relay did, and when.
    pub(super) erased: &'static str,
    /// Nobody was connected.
    pub(super) nobody: &'static str,
    /// Computers were told.
    pub(super) told: &'static str,
    pub(super) computer: &'static str,
    pub(super) waits: &'static str,
    pub(super) wiped: &'static str,
    pub(super) keeps: &'static str,
    pub(super) why: &'static str,
    pub(super) code: &'static str,
    pub(super) unknown: (&'static str, &'static str, &'static str),
}

impl Words {
    pub(super) fn platform(&self, provider: Provider) -> &'static str {
        match provider {
            Provider::Facebook => "Facebook",
            Provider::Instagram => "Instagram",
        }
    }

    /// What a permission lets us do, in the owner's words; nothing for those that only serve another one.
    pub(super) fn permission(&self, scope: &str) -> Option<&'static str> {
        let [account, messages, comments, numbers, publish, pages] = self.may;
        Some(match scope {
            "instagram_business_basic" | "instagram_basic" => account,
            "instagram_business_manage_messages"
            | "instagram_manage_messages"
            | "pages_messaging" => messages,
            "instagram_business_manage_comments"
            | "instagram_manage_comments"
            | "pages_manage_engagement"
            | "pages_read_user_content" => comments,
            "instagram_business_manage_insights"
            | "instagram_manage_insights"
            | "read_insights"
            | "pages_read_engagement" => numbers,
            "instagram_business_content_publish" | "instagram_content_publish" => publish,
            "pages_show_list" | "pages_manage_metadata" | "business_management" => pages,
            _ => return None,
        })
    }

    /// Title and sentence of a refusal in the browser.
    pub(super) fn refusal(&self, refusal: Refusal) -> (&'static str, &'static str) {
        match refusal {
            Refusal::ConsentDenied => self.denied,
            Refusal::StateExpired => self.expired,
            Refusal::StateReplayed => self.replayed,
            Refusal::BrowserMismatch => self.other_browser,
            Refusal::DialogFailed => self.dialog_failed,
            Refusal::ProviderNotConfigured => self.not_set_up,
            Refusal::Internal | Refusal::Unknown => self.fault,
            _ => self.wrong,
        }
    }
}

/// The best language of `Accept-Language`; English when none fits.
pub(super) fn words_for(headers: &HeaderMap) -> &'static Words {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut best: (&'static Words, f32) = (&en::WORDS, 0.0);
    for part in asked.split(',').take(32) {
        let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
        let quality = quality.trim().parse::<f32>().unwrap_or(0.0);
        let primary = tag
            .trim()
            .split('-')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let found = [&en::WORDS, &de::WORDS, &ar::WORDS]
            .into_iter()
            .find(|words| words.lang == primary);
        if let Some(words) = found
            && quality > best.1
        {
            best = (words, quality);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_browser_gets_the_language_it_likes_best() {
        let pick = |asked: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, asked.parse().unwrap());
            words_for(&headers).lang
        };
        assert_eq!(pick("de-CH,de;q=0.9,en;q=0.8"), "de");
        assert_eq!(pick("fr, ar-EG;q=0.5, en;q=0.4"), "ar");
        assert_eq!(pick("ja"), "en");
        assert_eq!(pick(""), "en");
        assert_eq!(pick("de;q=nonsense,en"), "en");
        assert_eq!(words_for(&HeaderMap::new()).lang, "en");
    }

    #[test]
    fn every_language_keeps_the_places_for_values() {
        for words in [&en::WORDS, &de::WORDS, &ar::WORDS] {
            for (text, place) in [
                (words.yes, "{p}"),
                (words.connect_say, "{n}"),
                (words.connect_button, "{n}"),
                (words.code_until, "{t}"),
                (words.partial_done, "{a}"),
                (words.partial_done, "{b}"),
                (words.foot, "{h}"),
                (words.deletion.erased, "{d}"),
                (words.deletion.told, "{n}"),
                (words.deletion.computer, "{n}"),
            ] {
                assert!(text.contains(place), "{}: {text} lacks {place}", words.lang);
            }
            for refusal in Refusal::ALL {
                let (title, say) = words.refusal(*refusal);
                assert!(!title.is_empty() && say.len() > 20);
            }
        }
    }
}
