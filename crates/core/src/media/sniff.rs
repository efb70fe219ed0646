//! What some bytes are, told by their beginning. Anything that can hold script (SVG, HTML, XML) is none of these. Pure.

/// The type of a picture, sound, film or document that may be shown; `None` for everything else.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let starts = |prefix: &[u8]| bytes.starts_with(prefix);
    let at = |from: usize, wanted: &[u8]| bytes.get(from..from + wanted.len()) == Some(wanted);
    if starts(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    if starts(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if starts(b"GIF87a") || starts(b"GIF89a") {
        return Some("image/gif");
    }
    if starts(b"RIFF") && at(8, b"WEBP") {
        return Some("image/webp");
    }
    if starts(b"RIFF") && at(8, b"WAVE") {
        return Some("audio/wav");
    }
    if at(4, b"ftyp") {
        return match bytes.get(8..12)? {
            b"M4A " | b"M4B " => Some("audio/mp4"),
            b"isom" | b"iso2" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1"
            | b"dash" | b"M4V " | b"qt  " | b"MSNV" => Some("video/mp4"),
            _ => None,
        };
    }
    if starts(b"\x1a\x45\xdf\xa3")
        && bytes
            .get(..64.min(bytes.len()))?
            .windows(4)
            .any(|part| part == b"webm")
    {
        return Some("video/webm");
    }
    if starts(b"OggS\0") {
        return Some("audio/ogg");
    }
    if starts(b"ID3") || matches!(bytes, [0xff, 0xfb | 0xf3 | 0xf2, ..]) {
        return Some("audio/mpeg");
    }
    if starts(b"%PDF-") {
        return Some("application/pdf");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::sniff;

    #[test]
    fn known_beginnings() {
        assert_eq!(sniff(b"\xff\xd8\xff\xe0rest"), Some("image/jpeg"));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(sniff(b"RIFF\x10\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(sniff(b"\0\0\0\x20ftypisom\0\0"), Some("video/mp4"));
        assert_eq!(sniff(b"\0\0\0\x20ftypM4A \0\0"), Some("audio/mp4"));
        assert_eq!(
            sniff(b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x86\x81\x01webm"),
            Some("video/webm")
        );
        assert_eq!(sniff(b"%PDF-1.7"), Some("application/pdf"));
    }

    #[test]
    fn what_can_hold_script_or_is_cut_short_is_nothing() {
        for bytes in [
            b"".as_slice(),
            b"<",
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"<?xml version='1.0'?><svg/>",
            b"\xef\xbb\xbf<svg/>",
            b"  <svg/>",
            b"<!DOCTYPE html><html></html>",
            b"<html>",
            b"{\"error\":{}}",
            b"GIF8",
            b"GIF88a",
            b"\xff\xd8",
            b"\x89PNG",
            b"RIFF\0\0\0\0",
            b"RIFF\0\0\0\0AVI ",
            b"\0\0\0\x20ftyp",
            b"\0\0\0\x20ftypheic",
            b"\x1a\x45\xdf\xa3matroska",
            b"PK\x03\x04",
            b"MZ\x90\0",
            b"\x7fELF",
            b"#!/bin/sh",
            b"BM\0\0",
            b"II*\0",
            b"\0\0\x01\0",
            b"%!PS",
            b"\x1f\x8b\x08",
            b"javascript:",
        ] {
            assert_eq!(sniff(bytes), None, "{bytes:?}");
        }
    }
}
