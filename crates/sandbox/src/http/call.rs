//! One request as the rest of the crate sees it: which simulated host, which path, which parameters,
//! wherever the caller put them (query, form, multipart or JSON body). Parsing never fails on
//! hostile input; what cannot be read is simply not there.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde_json::Value;

use super::fetch::Fetched;

/// The simulated hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// graph.facebook.com
    GraphFacebook,
    /// graph.instagram.com
    GraphInstagram,
    /// api.instagram.com
    ApiInstagram,
    /// www.facebook.com
    WwwFacebook,
    /// www.instagram.com
    WwwInstagram,
    /// Signed pictures and files.
    Cdn,
    /// The sandbox's own controls.
    Control,
}

impl Host {
    fn named(name: &str) -> Option<Self> {
        match name {
            "graph.facebook.com" | "graph-video.facebook.com" => Some(Host::GraphFacebook),
            "graph.instagram.com" => Some(Host::GraphInstagram),
            "api.instagram.com" => Some(Host::ApiInstagram),
            "www.facebook.com" => Some(Host::WwwFacebook),
            "www.instagram.com" => Some(Host::WwwInstagram),
            "cdn" => Some(Host::Cdn),
            "_sandbox" => Some(Host::Control),
            _ => None,
        }
    }

    /// The word in journals and fault matchers.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Host::GraphFacebook => "graph.facebook.com",
            Host::GraphInstagram => "graph.instagram.com",
            Host::ApiInstagram => "api.instagram.com",
            Host::WwwFacebook => "www.facebook.com",
            Host::WwwInstagram => "www.instagram.com",
            Host::Cdn => "cdn",
            Host::Control => "_sandbox",
        }
    }
}

/// A file of a multipart body.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: String,
    pub(crate) mime: String,
    pub(crate) bytes: Bytes,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) host: Host,
    /// What links in answers begin with, without a trailing slash.
    pub(crate) base: String,
    pub(crate) version: Option<String>,
    pub(crate) segments: Vec<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) parts: Vec<Part>,
    pub(crate) bearer: Option<String>,
    pub(crate) body: String,
    pub(crate) fetched: HashMap<String, Fetched>,
}

impl Call {
    /// The last parameter of this name; the body wins over the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that is an object or list: JSON in itself, as form posts carry it.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        self.param(name).map(|text| {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        })
    }

    /// The token, from parameter or header.
    pub(crate) fn token(&self) -> Option<&str> {
        self.param("access_token").or(self.bearer.as_deref())
    }

    /// The path below host and version.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// A call made inside this one (batch requests, nested links).
    pub(crate) fn inner(&self, method: &str, relative: &str, body: &str) -> Call {
        let (path, query) = relative.split_once('?').unwrap_or((relative, ""));
        let mut segments = split_path(path);
        let version = take_version(&mut segments).or_else(|| self.version.clone());
        let mut params = form_pairs(query);
        params.extend(form_pairs(body));
        if !params.iter().any(|(key, _)| key == "access_token")
            && let Some(token) = self.token()
        {
            params.push(("access_token".into(), token.to_owned()));
        }
        Call {
            method: method.to_owned(),
            segments,
            version,
            params,
            parts: Vec::new(),
            body: body.to_owned(),
            ..self.clone()
        }
    }
}

fn split_path(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| {
            // Decoding a lone segment as a form value would turn '+' into a space.
            let kept = format!("v={}", segment.replace('+', "%2B"));
            form_pairs(&kept)
                .pop()
                .map_or_else(|| segment.to_owned(), |(_, value)| value)
        })
        .collect()
}

fn take_version(segments: &mut Vec<String>) -> Option<String> {
    let first = segments.first()?;
    let numbers = first.strip_prefix('v')?;
    let is_version = numbers.split_once('.').is_some_and(|(a, b)| {
        !a.is_empty() && a.bytes().chain(b.bytes()).all(|c| c.is_ascii_digit())
    });
    is_version.then(|| segments.remove(0))
}

fn form_pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

fn json_pairs(body: &[u8]) -> Vec<(String, String)> {
    let Ok(Value::Object(map)) = serde_json::from_slice(body) else {
        return Vec::new();
    };
    map.into_iter()
        .map(|(key, value)| match value {
            Value::String(text) => (key, text),
            other => (key, other.to_string()),
        })
        .collect()
}

/// Reads a request whose body was already taken in.
pub(crate) async fn read(parts: Parts, body: Bytes) -> Call {
    let headers = parts.headers.clone();
    let uri = parts.uri.clone();
    let method = parts.method.as_str().to_owned();
    let host_header = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("127.0.0.1");
    let mut segments = split_path(uri.path());
    let by_header = Host::named(host_header.split(':').next().unwrap_or_default());
    let by_prefix = segments.first().and_then(|first| Host::named(first));
    let (host, base) = match (by_prefix, by_header) {
        (Some(host @ (Host::Control | Host::Cdn)), _) => {
            segments.remove(0);
            (host, format!("http://{host_header}"))
        }
        (None, Some(host)) => (host, format!("https://{host_header}")),
        (Some(host), _) => {
            let prefix = segments.remove(0);
            (host, format!("http://{host_header}/{prefix}"))
        }
        (None, None) => (Host::GraphFacebook, format!("http://{host_header}")),
    };
    let version = take_version(&mut segments);
    let mut params = form_pairs(uri.query().unwrap_or_default());
    let kind = content_type(&headers);
    let mut files = Vec::new();
    let mut text = String::new();
    if kind.starts_with("multipart/form-data") {
        let request = Request::from_parts(parts, Body::from(body));
        read_multipart(request, &mut params, &mut files).await;
    } else if kind.starts_with("application/json") || host == Host::Control {
        params.extend(json_pairs(&body));
        text = String::from_utf8_lossy(&body).into_owned();
    } else {
        text = String::from_utf8_lossy(&body).into_owned();
        params.extend(form_pairs(&text));
    }
    // Orders have fields of their own that may be called `method`; overrides are the platform's affair.
    let method = match host {
        Host::Control => method,
        _ => override_method(method, &params),
    };
    Call {
        method,
        host,
        base,
        version,
        segments,
        params,
        parts: files,
        bearer: bearer(&headers),
        body: text,
        fetched: HashMap::new(),
    }
}

/// `?method=DELETE`, a legacy way that Graph accepts.
fn override_method(method: String, params: &[(String, String)]) -> String {
    let asked = params
        .iter()
        .find(|(key, _)| key == "method" || key == "_method")
        .map(|(_, value)| value.to_ascii_uppercase());
    match asked.as_deref() {
        Some("DELETE" | "POST" | "GET") if method == "POST" || method == "GET" => {
            asked.unwrap_or(method)
        }
        _ => method,
    }
}

fn content_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"))
        .then(|| token.trim().to_owned())
}

async fn read_multipart(
    request: Request,
    params: &mut Vec<(String, String)>,
    files: &mut Vec<Part>,
) {
    let Ok(mut form) = Multipart::from_request(request, &()).await else {
        return;
    };
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let mime = field
            .content_type()
            .unwrap_or("application/octet-stream")
            .to_owned();
        let Ok(bytes) = field.bytes().await else {
            return;
        };
        match file_name {
            Some(file_name) => files.push(Part {
                name,
                file_name,
                mime,
                bytes,
            }),
            None => params.push((name, String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
}
