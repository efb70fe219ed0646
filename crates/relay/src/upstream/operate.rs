//! Calls that an operator's check makes: whether an app's secret works, and where Meta sends the app's events.

use serde::Deserialize;
use serde_json::Value;
use shopbell_wire::Secret;
use url::Url;

use super::{Upstream, UpstreamError, below};
use crate::MetaApp;

/// Words of the Instagram OAuth host about the app. It has no codes for them, so this is the one place that reads a message.
const APP_WORDS: [&str; 3] = ["client_secret", "client secret", "platform app"];
/// Words of the same host about the code: it has looked at the app and found nothing wrong.
const CODE_WORDS: [&str; 3] = ["matching code", "authorization code", "verification code"];

/// A subscription of the app for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppSubscription {
    /// `page` or `instagram`.
    pub(crate) object: String,
    /// Where events go.
    pub(crate) callback_url: String,
    /// Not switched off.
    pub(crate) active: bool,
    /// Names of the fields.
    pub(crate) fields: Vec<String>,
}

/// Whether an app's pair works, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretVerdict {
    /// It does.
    Works,
    /// Meta says it does not.
    Refused,
    /// No answer, or one that does not tell.
    Unclear,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    object: String,
    #[serde(default)]
    callback_url: String,
    #[serde(default)]
    active: Value,
    #[serde(default)]
    fields: Vec<Value>,
}

#[derive(Deserialize)]
struct Saved {
    success: Value,
}

#[derive(Deserialize)]
struct OAuthHostWords {
    #[serde(default)]
    error_message: String,
}

fn is_yes(value: &Value) -> bool {
    *value == Value::Bool(true) || value.as_str() == Some("true")
}

impl From<Listed> for AppSubscription {
    fn from(listed: Listed) -> Self {
        // A name, or an object with the name and a version.
        let name = |field: Value| {
            let name = field.get("name").unwrap_or(&field).as_str();
            name.map(str::to_owned)
        };
        Self {
            object: listed.object,
            callback_url: listed.callback_url,
            active: listed.active.is_null() || is_yes(&listed.active),
            fields: listed.fields.into_iter().filter_map(name).collect(),
        }
    }
}

impl Upstream {
    fn subscriptions_url(&self, app: &MetaApp) -> Url {
        let path = [self.version.as_str(), &app.app_id, "subscriptions"];
        below(&self.bases.graph_facebook, &path)
    }

    /// Where the app's events go; refused when id and secret are not a pair.
    pub(crate) async fn app_subscriptions(
        &self,
        app: &MetaApp,
    ) -> Result<Vec<AppSubscription>, UpstreamError> {
        let request = self.http.get(self.subscriptions_url(app));
        let list: List = self
            .read(request.bearer_auth(app_token(app).expose()))
            .await?;
        Ok(list.data.into_iter().map(AppSubscription::from).collect())
    }

    /// Has an object's events sent to `callback`. Meta asks the address at once, with the verify token.
    pub(crate) async fn app_subscribe(
        &self,
        app: &MetaApp,
        object: &str,
        callback: &Url,
        fields: &[String],
        verify_token: &Secret,
    ) -> Result<(), UpstreamError> {
        let request = self
            .http
            .post(self.subscriptions_url(app))
            .bearer_auth(app_token(app).expose())
            .form(&[
                ("object", object),
                ("callback_url", callback.as_str()),
                ("fields", &fields.join(",")),
                ("verify_token", verify_token.expose()),
                ("include_values", "true"),
            ]);
        let saved: Saved = self.once(request).await?;
        if is_yes(&saved.success) {
            Ok(())
        } else {
            Err(UpstreamError::Malformed)
        }
    }

    /// Redeems a code that cannot exist: what Meta complains about first tells whether the app's pair is right.
    pub(crate) async fn instagram_secret(&self, app: &MetaApp, redirect: &Url) -> SecretVerdict {
        let request = self
            .http
            .post(below(&self.bases.api_instagram, &["oauth", "access_token"]))
            .form(&[
                ("client_id", app.app_id.as_str()),
                ("client_secret", app.app_secret.expose()),
                ("grant_type", "authorization_code"),
                ("redirect_uri", redirect.as_str()),
                ("code", "check"),
            ]);
        let Ok(answer) = request.send().await else {
            return SecretVerdict::Unclear;
        };
        let body = super::read(answer).await.unwrap_or_default();
        match serde_json::from_slice::<OAuthHostWords>(&body) {
            Ok(OAuthHostWords { error_message }) => verdict(&error_message),
            Err(_) => SecretVerdict::Unclear,
        }
    }
}

fn verdict(message: &str) -> SecretVerdict {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&APP_WORDS) {
        SecretVerdict::Refused
    } else if says(&CODE_WORDS) {
        SecretVerdict::Works
    } else {
        SecretVerdict::Unclear
    }
}

fn app_token(app: &MetaApp) -> Secret {
    Secret::new(format!("{}|{}", app.app_id, app.app_secret.expose()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn subscriptions_are_read_in_both_forms() {
        let list: List = serde_json::from_str(
            r#"{"data":[{"object":"page","callback_url":"https://relay.example/webhooks/meta","active":true,
                "fields":[{"name":"messages","version":"v25.0"},"feed"]},{"object":"user","active":"false"}]}"#,
        )
        .unwrap();
        let read: Vec<AppSubscription> = list.data.into_iter().map(Into::into).collect();
        assert_eq!(read[0].fields, ["messages", "feed"]);
        assert!(read[0].active && !read[1].active);
    }

    #[test]
    fn instagram_complains_about_the_app_before_the_code() {
        for (message, expected) in [
            (
                "Matching code was not found or was already used",
                SecretVerdict::Works,
            ),
            ("Invalid authorization code", SecretVerdict::Works),
            ("Error validating client secret.", SecretVerdict::Refused),
            ("Invalid platform app", SecretVerdict::Refused),
            ("Please try again later", SecretVerdict::Unclear),
        ] {
            assert_eq!(verdict(message), expected, "{message}");
        }
    }
}
