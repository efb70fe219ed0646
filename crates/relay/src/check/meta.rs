//! What Meta says: whether the apps' ids and secrets work, where it sends events, whether its login pages accept our addresses.

use reqwest::header;
use shopbell_wire::{Provider, paths};
use url::Url;

use super::{Check, Report, outside::text};
use crate::{
    MetaApp, authorize,
    upstream::{AppSubscription, SecretVerdict, UpstreamError},
};

/// Most of a login page that is read.
const PAGE_MAX: usize = 1024 * 1024;
/// Redirects within Meta's own host that are followed.
const HOPS: usize = 5;
/// "Callback verification failed."
const NOT_VERIFIED: i64 = 2200;
/// Meta does not know a field's name.
const BAD_PARAMETER: i64 = 100;

/// A webhook object with the fields the app reads.
struct Wanted {
    object: &'static str,
    /// Without one of these, messages or comments do not arrive.
    needed: &'static [&'static str],
    /// Not offered to every app.
    wished: &'static [&'static str],
}

const WANTED: [Wanted; 2] = [
    Wanted {
        object: "page",
        needed: &[
            "messages",
            "message_echoes",
            "message_deliveries",
            "message_reads",
            "message_reactions",
            "message_edits",
            "messaging_postbacks",
            "messaging_referrals",
            "messaging_handovers",
            "feed",
        ],
        wished: &["standby", "mention"],
    },
    Wanted {
        object: "instagram",
        needed: &[
            "messages",
            "message_reactions",
            "message_edit",
            "messaging_postbacks",
            "messaging_seen",
            "messaging_referral",
            "messaging_handover",
            "comments",
            "live_comments",
        ],
        wished: &["message_echoes", "standby", "mentions"],
    },
];

/// What a login page said against us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocked {
    Redirect,
    App,
    Configuration,
}

impl Check {
    /// Id and secret of the Meta app, and its subscriptions.
    pub(super) async fn facebook(&self, verified: bool, report: &mut Report) {
        let Some(app) = &self.config.facebook else {
            report.skipped("facebook_app", "Not configured: no Facebook Login.");
            return;
        };
        let subscriptions = match self.upstream.app_subscriptions(app).await {
            Ok(list) => list,
            Err(UpstreamError::Refused { .. }) => {
                report.failed(
                    "facebook_app",
                    "Meta refuses facebook.app_id with facebook.app_secret.",
                    "Copy both anew from App settings > Basic. The Instagram app's pair is another one.",
                );
                report.skipped("subscriptions", "The app's id and secret do not work.");
                return;
            }
            Err(error) => {
                report.failed(
                    "facebook_app",
                    format!("Meta did not answer ({error})."),
                    "Look at the way out to the internet and check again.",
                );
                return;
            }
        };
        report.ok("facebook_app", "Meta accepts the Meta app's id and secret.");
        for wanted in &WANTED {
            let there = subscriptions.iter().find(|s| s.object == wanted.object);
            self.subscription(app, wanted, there, verified, report)
                .await;
        }
    }

    async fn subscription(
        &self,
        app: &MetaApp,
        wanted: &Wanted,
        there: Option<&AppSubscription>,
        verified: bool,
        report: &mut Report,
    ) {
        let callback = self.url(paths::WEBHOOKS_META);
        let object = wanted.object;
        let wrong = wrong(wanted, there, &callback);
        let Some(wrong) = wrong else {
            let wished = missing(wanted.wished, there);
            if wished.is_empty() {
                report.ok("subscriptions", format!("{object}: all fields come here."));
            } else {
                report.warning(
                    "subscriptions",
                    format!(
                        "{object}: the fields {} are not subscribed.",
                        wished.join(", ")
                    ),
                    "Subscribe to them in the dashboard if your app is offered them.",
                );
            }
            return;
        };
        if !self.fix {
            report.failed("subscriptions", wrong, "Run the check with --fix.");
            return;
        }
        let Some(token) = self.config.verify_token.as_ref().filter(|_| verified) else {
            report.failed(
                "subscriptions",
                wrong,
                "First make the webhook address answer: Meta asks it before it saves.",
            );
            return;
        };
        let own = there
            .map(|there| there.fields.as_slice())
            .unwrap_or_default();
        let with = |wished: &[&str]| {
            let ours = wanted.needed.iter().chain(wished).map(|f| (*f).to_owned());
            let mut fields: Vec<String> = ours.chain(own.iter().cloned()).collect();
            fields.sort_unstable();
            fields.dedup();
            fields
        };
        let save = async |fields: Vec<String>| {
            let call = self
                .upstream
                .app_subscribe(app, object, &callback, &fields, token);
            call.await
        };
        let mut saved = save(with(wanted.wished)).await;
        if let Err(UpstreamError::Refused {
            code: BAD_PARAMETER,
            ..
        }) = saved
        {
            saved = save(with(&[])).await;
        }
        match saved {
            Ok(()) => report.fixed("subscriptions", format!("{object}: subscribed.")),
            Err(UpstreamError::Refused {
                code: NOT_VERIFIED, ..
            }) => report.failed(
                "subscriptions",
                format!("{object}: Meta could not verify the webhook address."),
                "It must be reachable from the internet, with a certificate of a public authority.",
            ),
            Err(error) => report.failed(
                "subscriptions",
                format!("{object}: Meta did not save it ({error})."),
                "Try again, or enter callback URL and fields in the dashboard.",
            ),
        }
    }

    /// Id and secret of the Instagram app. There is no call for it, so a code that cannot exist is redeemed.
    pub(super) async fn instagram(&self, report: &mut Report) {
        let Some(app) = &self.config.instagram else {
            report.skipped("instagram_app", "Not configured: no Instagram Login.");
            return;
        };
        let redirect = authorize::redirect(&self.public_url, Provider::Instagram);
        match self.upstream.instagram_secret(app, &redirect).await {
            SecretVerdict::Works => {
                report.ok("instagram_app", "Meta accepts the Instagram app's id and secret.");
            }
            SecretVerdict::Refused => report.failed(
                "instagram_app",
                "Meta refuses instagram.app_id with instagram.app_secret.",
                "Copy both from Instagram > API setup with Instagram login; the Meta app's pair is another one.",
            ),
            SecretVerdict::Unclear => report.warning(
                "instagram_app",
                "Meta's answer does not tell whether the Instagram app's id and secret work.",
                "A sign-in with Instagram will.",
            ),
        }
        report.skipped(
            "instagram_events",
            "Meta does not tell where the Instagram app's events go: Configure webhooks in the dashboard does.",
        );
    }

    /// Opens the login page as a visitor and looks for its error page.
    pub(super) async fn dialog(&self, provider: Provider, report: &mut Report) {
        let (name, app) = match provider {
            Provider::Facebook => ("facebook_login", &self.config.facebook),
            Provider::Instagram => ("instagram_login", &self.config.instagram),
        };
        let Some(app) = app else {
            return;
        };
        let redirect = authorize::redirect(&self.public_url, provider);
        let url = authorize::dialog(&self.config, &redirect, app, provider, "check", false);
        match self.page(url, &redirect).await {
            Err(()) => report.warning(
                name,
                "The login page did not answer.",
                "Look at the way out to the internet, or open a sign-in in a browser.",
            ),
            Ok(Some(Blocked::Redirect)) => report.failed(
                name,
                "URL blocked: Meta does not know this relay's redirect URI.",
                "Enter it exactly as printed below.",
            ),
            Ok(Some(Blocked::App)) => report.failed(
                name,
                "The login page does not know the app id.",
                "Look at app_id; Instagram Login has its own.",
            ),
            Ok(Some(Blocked::Configuration)) => report.failed(
                name,
                "The login page does not know the configuration.",
                "Look at facebook.config_id: Facebook Login for Business > Configurations.",
            ),
            Ok(None) => report.ok(
                name,
                "The login page shows no error to a visitor. Only a real sign-in proves all of it.",
            ),
        }
    }

    async fn page(&self, url: Url, redirect: &Url) -> Result<Option<Blocked>, ()> {
        let mut url = url;
        for _ in 0..HOPS {
            let answer = self.http.get(url.clone()).send().await.map_err(|_| ())?;
            let location = answer.headers().get(header::LOCATION);
            let next = location.and_then(|to| url.join(to.to_str().ok()?).ok());
            match next {
                Some(next) if next.as_str().starts_with(redirect.as_str()) => {
                    let faulty = next
                        .query_pairs()
                        .any(|(name, _)| name == "error_code" || name == "error_message");
                    return Ok(faulty.then_some(Blocked::Configuration));
                }
                Some(next) if next.host_str() == url.host_str() => url = next,
                Some(_) => return Ok(None),
                None => return Ok(blocked(&text(answer, PAGE_MAX).await.unwrap_or_default())),
            }
        }
        Ok(None)
    }
}

/// What is wrong with a subscription, in words.
fn wrong(wanted: &Wanted, there: Option<&AppSubscription>, callback: &Url) -> Option<String> {
    let object = wanted.object;
    let Some(there) = there else {
        return Some(format!("{object}: Meta sends no events anywhere."));
    };
    if there.callback_url != callback.as_str() {
        return Some(format!("{object}: Meta sends events to another address."));
    }
    if !there.active {
        return Some(format!("{object}: the subscription is switched off."));
    }
    let missing = missing(wanted.needed, Some(there));
    (!missing.is_empty())
        .then(|| format!("{object}: the fields {} are missing.", missing.join(", ")))
}

fn missing<'a>(fields: &[&'a str], there: Option<&AppSubscription>) -> Vec<&'a str> {
    let has = |field: &&str| there.is_some_and(|there| there.fields.iter().any(|f| f == field));
    fields.iter().copied().filter(|field| !has(field)).collect()
}

/// Meta's error pages by their English words, which is what a visitor without a language gets.
fn blocked(page: &str) -> Option<Blocked> {
    const SIGNS: [(&str, Blocked); 9] = [
        ("url blocked", Blocked::Redirect),
        ("can't load url", Blocked::Redirect),
        ("can&#039;t load url", Blocked::Redirect),
        ("can\\u2019t load url", Blocked::Redirect),
        ("invalid redirect_uri", Blocked::Redirect),
        ("white-listed in the app", Blocked::Redirect),
        ("invalid app id", Blocked::App),
        ("invalid platform app", Blocked::App),
        ("invalid configuration", Blocked::Configuration),
    ];
    let page = page.to_lowercase().replace('\u{2019}', "'");
    SIGNS
        .into_iter()
        .find_map(|(sign, blocked)| page.contains(sign).then_some(blocked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metas_error_pages_are_known_by_their_words() {
        for (page, expected) in [
            ("<h1>URL Blocked</h1>", Some(Blocked::Redirect)),
            (
                "Can\u{2019}t Load URL: The domain of this URL",
                Some(Blocked::Redirect),
            ),
            (
                r#"{"error_message":"Invalid redirect_uri"}"#,
                Some(Blocked::Redirect),
            ),
            (
                "Invalid Request: Request parameters are invalid: Invalid platform app",
                Some(Blocked::App),
            ),
            ("<title>Invalid App ID</title>", Some(Blocked::App)),
            ("<h1>Log in to continue</h1>", None),
        ] {
            assert_eq!(blocked(page), expected, "{page}");
        }
    }

    #[test]
    fn a_subscription_is_wrong_in_one_sentence() {
        let callback: Url = "https://relay.example/webhooks/meta"
            .parse()
            .expect("a URL");
        let good = AppSubscription {
            object: "page".into(),
            callback_url: callback.to_string(),
            active: true,
            fields: WANTED[0].needed.iter().map(|f| (*f).to_owned()).collect(),
        };
        assert_eq!(wrong(&WANTED[0], Some(&good), &callback), None);
        let say = |change: fn(&mut AppSubscription)| {
            let mut changed = good.clone();
            change(&mut changed);
            wrong(&WANTED[0], Some(&changed), &callback).unwrap_or_default()
        };
        assert!(say(|s| s.active = false).contains("switched off"));
        assert!(say(|s| s.callback_url.push('x')).contains("another address"));
        assert!(say(|s| s.fields.retain(|f| f != "feed")).contains("feed"));
        assert!(wrong(&WANTED[0], None, &callback).is_some());
    }
}
