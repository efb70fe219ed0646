//! Half a character: an emoji cut in two by somebody's program arrives as a lone `\ud83d`. JSON readers refuse the whole text for it;
//! a customer's message must not be lost for half an emoji.

/// U+FFFD as JSON writes it.
const REPLACEMENT: &[u8; 6] = br"\ufffd";

/// The same JSON text with the replacement character in place of every lone surrogate. Bytes that are no JSON stay no JSON.
pub(super) fn mended(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let length = match unit(rest) {
            // An escaped backslash is two bytes, so that what follows it is not taken for an escape.
            None => rest.len().min(2),
            Some(high) if (0xd800..0xdc00).contains(&high) => {
                let pair = unit(&rest[6..]).is_some_and(|low| (0xdc00..0xe000).contains(&low));
                if pair { 12 } else { 0 }
            }
            Some(low) if (0xdc00..0xe000).contains(&low) => 0,
            Some(_) => 6,
        };
        if length == 0 {
            out.extend_from_slice(REPLACEMENT);
            rest = &rest[6..];
        } else {
            out.extend_from_slice(&rest[..length]);
            rest = &rest[length..];
        }
    }
    out.extend_from_slice(rest);
    out
}

/// The number of a `\uXXXX` at the very beginning.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
