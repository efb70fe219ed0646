//! One answer before it goes out, and the platform's way of writing JSON: ASCII only, `\uXXXX` in lower
//! case (astral characters as surrogate pairs), every slash as `\/`. Webhook bodies use the same bytes.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;

/// The content of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Written in the platform's escaped form.
    Json(Value),
    /// Text with its content type.
    Text(String, &'static str),
    /// A picture or file with its content type.
    Bytes(Bytes, String),
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
}

impl Answer {
    pub(crate) fn json(value: Value) -> Self {
        Answer {
            status: 200,
            headers: Vec::new(),
            content: Content::Json(value),
        }
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            content: Content::Text(page, "text/html; charset=utf-8"),
        }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Answer::html(302, String::new()).header("location", to)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The text of the answer, for the journal; files are named by size only.
    pub(crate) fn text(&self) -> String {
        match &self.content {
            Content::Json(value) => value.to_string(),
            Content::Text(text, _) => text.clone(),
            Content::Bytes(bytes, mime) => format!("({} bytes of {mime})", bytes.len()),
        }
    }

    /// What goes over the wire.
    pub(crate) fn into_response(self) -> Response<Body> {
        let (body, mime) = match self.content {
            Content::Json(value) => (
                Body::from(escape(&value.to_string())),
                "application/json; charset=UTF-8".to_owned(),
            ),
            Content::Text(text, mime) => (Body::from(text), mime.to_owned()),
            Content::Bytes(bytes, mime) => (Body::from(bytes), mime),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&mime) {
            headers.insert(header::CONTENT_TYPE, value);
        }
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_str(&value))
            {
                headers.append(name, value);
            }
        }
        response
    }
}

/// Escapes a JSON text as the platform does. The text must already be valid JSON: outside of strings
/// neither slashes nor non-ASCII characters occur.
pub(crate) fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 8);
    let mut units = [0_u16; 2];
    for letter in json.chars() {
        match letter {
            '/' => out.push_str("\\/"),
            letter if letter.is_ascii() => out.push(letter),
            letter => {
                for unit in letter.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}
