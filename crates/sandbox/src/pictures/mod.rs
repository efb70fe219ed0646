//! Pictures and small files, drawn from nothing but their path: the same path is the same bytes for ever.
//! Flat shapes in few colours, so that a thousand of them cost nothing and none shows a real person.

mod avatars;
mod canvas;
mod files;
mod products;

use bytes::Bytes;

/// The size of a served profile photo in pixels.
const AVATAR_EDGE: u32 = 200;

/// The content type of a path.
pub(crate) fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("png") => "image/png",
        Some("wav") => "audio/wav",
        Some("mp4") => "video/mp4",
        Some("pdf") => "application/pdf",
        _ => "image/jpeg",
    }
}

/// The bytes of a path such as `avatar/7012….jpg`, `page/bread.jpg`, `product/cake-2.jpg`, `voice/1.wav`.
pub(crate) fn draw(path: &str) -> Option<Bytes> {
    let (kind, rest) = path.split_once('/')?;
    let (name, ending) = rest.rsplit_once('.')?;
    let picture = match kind {
        "avatar" => avatars::face(name, AVATAR_EDGE),
        "page" => products::logo(name, AVATAR_EDGE),
        "product" => products::picture(name),
        "voice" => return Some(files::voice(name)),
        "clip" => return Some(files::clip(name)),
        "paper" => return Some(files::paper(name)),
        _ => return None,
    };
    Some(if ending == "png" {
        picture.png()
    } else {
        picture.jpeg(82)
    })
}

/// A face small enough to lie in a fixture.
pub(crate) fn small_face(name: &str) -> Bytes {
    avatars::face(name, 96).jpeg(70)
}

/// A logo small enough to lie in a fixture.
pub(crate) fn small_logo(name: &str) -> Bytes {
    products::logo(name, 96).jpeg(72)
}

/// Width and height of a product picture.
pub(crate) const PRODUCT_SIZE: (u32, u32) = (products::WIDTH, products::HEIGHT);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_drawn_and_stays_the_same() {
        for path in [
            "avatar/7012.jpg",
            "page/bread.jpg",
            "product/cake-2.jpg",
            "product/thumb.png",
            "voice/1.wav",
            "clip/1.mp4",
            "paper/invoice.pdf",
        ] {
            let bytes = draw(path).expect("a picture");
            assert!(bytes.len() > 300, "{path}: {} bytes", bytes.len());
            assert_eq!(Some(bytes), draw(path), "{path}");
        }
        assert_eq!(draw("nothing"), None);
        assert_ne!(draw("avatar/1.jpg"), draw("avatar/2.jpg"));
    }

    #[test]
    fn fixture_faces_are_small() {
        for name in ["a", "7011", "9001"] {
            assert!(small_face(name).len() <= 3 * 1024);
        }
    }
}
