//! The two log-in dialogs as pages that a person can click, and what happens when they do. The page shows
//! what the real dialog asks; it does not imitate its looks. A scripted consent answers without a page.

pub(crate) mod facebook;
pub(crate) mod instagram;

use crate::http::call::Call;
use crate::world::World;
use crate::world::tokens::{Code, Holder};

/// Text for HTML, attributes included.
pub(crate) fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A whole page.
pub(crate) fn page(title: &str, colour: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>\
body{{font:16px/1.5 system-ui,sans-serif;background:#f0f2f5;color:#1c1e21;margin:0}}\
header{{background:{colour};color:#fff;padding:14px 24px;font-weight:600}}\
main{{max-width:34rem;margin:32px auto;background:#fff;border-radius:12px;padding:24px 32px;box-shadow:0 1px 4px #0002}}\
h1{{font-size:1.3rem}} h2{{font-size:1rem;margin:24px 0 8px}}\
label{{display:block;padding:6px 0}} small{{color:#65676b;display:block;margin-left:26px}}\
nav{{display:flex;gap:12px;justify-content:flex-end;margin-top:28px}}\
button{{font:inherit;border:0;border-radius:8px;padding:10px 22px;cursor:pointer;background:#e4e6eb}}\
button.go{{background:{colour};color:#fff;font-weight:600}}\
</style></head><body><header>{title}</header><main>{body}</main></body></html>"
    )
}

/// A page without a way on: nothing is redirected.
pub(crate) fn dead_end(title: &str, colour: &str, sentence: &str) -> String {
    page(
        title,
        colour,
        &format!("<h1>{}</h1><p>{}</p>", html(title), html(sentence)),
    )
}

/// What both dialogs were asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// `response_type` asks for the granted and denied scopes beside the code.
    pub(crate) tells_scopes: bool,
}

impl Asked {
    pub(crate) fn of(call: &Call) -> Self {
        Asked {
            redirect_uri: call.param("redirect_uri").unwrap_or_default().to_owned(),
            state: call.param("state").map(str::to_owned),
            tells_scopes: call
                .param("response_type")
                .is_some_and(|kind| kind.contains("granted_scopes")),
            scopes: call
                .param("scope")
                .unwrap_or_default()
                .split([',', ' '])
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// The redirect with these parameters, `state`, and the product's fragment.
    pub(crate) fn back(&self, params: &[(&str, &str)], fragment: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in params {
            query.append_pair(key, value);
        }
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        let joint = if self.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        format!("{}{joint}{}{fragment}", self.redirect_uri, query.finish())
    }

    /// Hidden form fields that carry the request through the page.
    pub(crate) fn hidden(&self, call: &Call) -> String {
        call.params
            .iter()
            .filter(|(key, _)| {
                matches!(
                    key.as_str(),
                    "client_id"
                        | "redirect_uri"
                        | "state"
                        | "scope"
                        | "config_id"
                        | "response_type"
                        | "auth_type"
                )
            })
            .map(|(key, value)| {
                format!(
                    "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                    html(key),
                    html(value)
                )
            })
            .collect()
    }
}

impl World {
    /// Whether a redirect URI is registered, exactly; in development mode loopback is too.
    pub(crate) fn redirect_known(&self, uri: &str) -> bool {
        if self.config.redirect_uris.iter().any(|known| known == uri) {
            return true;
        }
        let loopback = url::Url::parse(uri).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        });
        self.switches.development_mode && loopback
    }

    /// Makes the single-use code of a consent.
    pub(crate) fn new_code(&mut self, code: Code) -> String {
        let prefix = match code.holder {
            Holder::Instagram(_) => "AQBSB",
            _ => "AQDSB",
        };
        let word = format!("{prefix}{}", self.chance.word(60));
        self.codes.insert(word.clone(), code);
        word
    }
}

/// Checked boxes of one name in a posted form.
pub(crate) fn ticked(call: &Call, name: &str) -> Vec<String> {
    call.params
        .iter()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
        .collect()
}
