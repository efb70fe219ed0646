//! A face as it is stored: at most 50 KB, small enough to keep for everybody.

use crate::media::{Fetched, sniff};
use image::{ImageReader, Limits, codecs::jpeg::JpegEncoder, imageops::FilterType};
use std::io::Cursor;

/// Largest stored face.
pub const MAX_BYTES: usize = 50 * 1024;
/// Edges tried, in pixels, and JPEG quality.
const SIZES: [(u32, u8); 4] = [(320, 85), (256, 80), (192, 75), (96, 60)];

/// As fetched when it is small enough, else made smaller. `None` when it is no picture.
pub fn shrink(fetched: &Fetched) -> Option<(&'static str, Vec<u8>)> {
    let mime = sniff(&fetched.bytes).filter(|mime| mime.starts_with("image/"))?;
    if fetched.bytes.len() <= MAX_BYTES {
        return Some((mime, fetched.bytes.to_vec()));
    }
    let mut reader = ImageReader::new(Cursor::new(&fetched.bytes))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(256 * 1024 * 1024);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    for (edge, quality) in SIZES {
        let small = picture.resize(edge, edge, FilterType::Triangle).to_rgb8();
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality)
            .encode_image(&small)
            .ok()?;
        if bytes.len() <= MAX_BYTES {
            return Some(("image/jpeg", bytes));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn png(edge: u32) -> Fetched {
        // Noise does not compress: the worst a face can be.
        let mut state = 7_u32;
        let picture = image::RgbImage::from_fn(edge, edge, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = state.to_be_bytes();
            image::Rgb([a, b, c])
        });
        let mut bytes = Vec::new();
        picture
            .write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png)
            .unwrap();
        Fetched {
            mime: "image/png",
            bytes: bytes.into(),
        }
    }

    #[test]
    fn a_small_face_stays_as_it_is_and_a_large_one_shrinks() {
        let small = png(64);
        assert_eq!(shrink(&small), Some(("image/png", small.bytes.to_vec())));
        let large = png(700);
        assert!(large.bytes.len() > MAX_BYTES);
        let (mime, bytes) = shrink(&large).unwrap();
        assert_eq!(mime, "image/jpeg");
        assert!(bytes.len() <= MAX_BYTES);
    }

    #[test]
    fn what_is_no_picture_is_no_face() {
        let film = Fetched {
            mime: "image/png",
            bytes: b"\0\0\0\x20ftypisom\0\0".to_vec().into(),
        };
        assert_eq!(shrink(&film), None);
        let broken = Fetched {
            mime: "image/png",
            bytes: [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; MAX_BYTES]]
                .concat()
                .into(),
        };
        assert_eq!(shrink(&broken), None);
    }
}
