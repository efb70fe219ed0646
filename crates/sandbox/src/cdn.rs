//! Photos and files behind signed links that serve until they expire and answer 403 afterwards.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::http::Shared;
use crate::http::answer::{Answer, Content};
use crate::http::call::Call;
use crate::http::fetch::Fetched;
use crate::pictures;
use crate::world::World;

impl World {
    /// A link to a picture or file that lives as long as the switch says. A path that already is a link
    /// stays as it is.
    pub(crate) fn signed(&self, path: &str) -> String {
        if path.starts_with("http") {
            return path.to_owned();
        }
        let end = (self.now_ms() + self.switches.photo_url_life_ms) / 1_000;
        let word = self.link_word(path, end);
        format!("{}/cdn/{path}?oe={end:X}&oh={word}", self.origin)
    }

    fn link_word(&self, path: &str, end: i64) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.config.seed.as_bytes()) else {
            return String::new();
        };
        mac.update(format!("{path}:{end}").as_bytes());
        hex::encode(mac.finalize().into_bytes())[..32].to_owned()
    }

    fn open_link(
        &mut self,
        path: &str,
        end: Option<&str>,
        word: Option<&str>,
    ) -> Result<(bytes::Bytes, String), Answer> {
        let refuse = |text: &str| Answer {
            status: 403,
            headers: Vec::new(),
            content: Content::Text(text.to_owned(), "text/plain"),
        };
        let end = end
            .and_then(|end| i64::from_str_radix(end, 16).ok())
            .unwrap_or(0);
        if word != Some(self.link_word(path, end).as_str()) {
            return Err(refuse("Bad URL hash"));
        }
        if end * 1_000 <= self.now_ms() {
            return Err(refuse("URL signature expired"));
        }
        if let Some(upload) = path
            .strip_prefix("upload/")
            .and_then(|id| self.uploads.get(id))
        {
            return Ok((upload.bytes.clone(), upload.mime.clone()));
        }
        let mime = pictures::mime(path);
        if let Some(bytes) = self.drawn.get(path) {
            return Ok((bytes.clone(), mime.to_owned()));
        }
        match pictures::draw(path) {
            Some(bytes) => {
                self.drawn.insert(path.to_owned(), bytes.clone());
                Ok((bytes, mime.to_owned()))
            }
            None => Err(Answer {
                status: 404,
                ..refuse("Not found")
            }),
        }
    }
}

/// `GET /cdn/{path}?oe=…&oh=…`
pub(crate) fn answer(world: &mut World, call: &Call) -> Answer {
    let path = call.segments.join("/");
    match world.open_link(&path, call.param("oe"), call.param("oh")) {
        Ok((bytes, mime)) => Answer {
            status: 200,
            headers: Vec::new(),
            content: Content::Bytes(bytes, mime),
        }
        .header("cache-control", "max-age=1209600, no-transform"),
        Err(refusal) => refusal,
    }
}

/// A link of this sandbox, read without a request; `None` for anybody else's.
pub(crate) fn own(shared: &Shared, address: &str) -> Option<Fetched> {
    let mut world = shared.world();
    let rest = address.strip_prefix(&format!("{}/cdn/", world.origin))?;
    let url = url::Url::parse(&format!("http://cdn/{rest}")).ok()?;
    let find = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let path = url.path().trim_start_matches('/').to_owned();
    match world.open_link(&path, find("oe").as_deref(), find("oh").as_deref()) {
        Ok((bytes, mime)) => Some(Fetched::File { mime, bytes }),
        Err(_) => Some(Fetched::Failed),
    }
}
