//! The few words around a hit, and where in them the hit is, counted as JavaScript counts.

/// Characters shown before the first mark.
const BEFORE: usize = 40;
/// Characters shown in all.
const LENGTH: usize = 160;

/// Cuts `text` around the first of `marks` (byte ranges in order) and counts the marks inside as UTF-16 offsets.
pub fn excerpt(text: &str, marks: &[(usize, usize)]) -> (String, Vec<(u32, u32)>) {
    let first = marks.first().map_or(0, |mark| mark.0);
    let start = back(text, first, BEFORE);
    let end = forward(text, start, LENGTH);
    let mut shown = String::with_capacity(end - start + 8);
    if start > 0 {
        shown.push('…');
    }
    let mut marked = Vec::new();
    let mut at = start;
    for &(from, to) in marks {
        if from >= end || from < at {
            break;
        }
        let to = to.min(end);
        push_plain(&mut shown, &text[at..from]);
        let begin = utf16(&shown);
        push_plain(&mut shown, &text[from..to]);
        marked.push((begin, utf16(&shown)));
        at = to;
    }
    push_plain(&mut shown, &text[at..end]);
    if end < text.len() {
        shown.push('…');
    }
    (shown, marked)
}

/// Line breaks become spaces: an excerpt is one line. Length in UTF-16 stays.
fn push_plain(shown: &mut String, part: &str) {
    shown.extend(
        part.chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter }),
    );
}

fn utf16(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// `count` characters back from byte `at`, and on to the next word start when one is near.
fn back(text: &str, at: usize, count: usize) -> usize {
    let before = &text[..at];
    let Some((cut, _)) = before.char_indices().rev().nth(count) else {
        return 0;
    };
    before[cut..]
        .find(char::is_whitespace)
        .map_or(cut, |space| {
            let after = cut + space;
            after + before[after..].chars().next().map_or(0, char::len_utf8)
        })
}

fn forward(text: &str, from: usize, count: usize) -> usize {
    text[from..]
        .char_indices()
        .nth(count)
        .map_or(text.len(), |(at, _)| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_count_like_javascript() {
        let text = "Ana 👩‍🍳 asks: is the Brot fresh?";
        let at = text.find("Brot").unwrap();
        let (shown, marks) = excerpt(text, &[(at, at + 4)]);
        assert_eq!(shown, text);
        let units: Vec<u16> = shown.encode_utf16().collect();
        let (from, to) = marks[0];
        assert_eq!(
            String::from_utf16(&units[from as usize..to as usize]).unwrap(),
            "Brot"
        );
    }

    #[test]
    fn a_late_hit_in_a_long_text_is_cut_out_on_one_line() {
        let text = format!(
            "{}\nKiefernholz für Hanna {}",
            "vorher ".repeat(80),
            "nachher ".repeat(80)
        );
        let at = text.find("Kiefer").unwrap();
        let hanna = text.find("Hanna").unwrap();
        let (shown, marks) = excerpt(&text, &[(at, at + 6), (hanna, hanna + 5)]);
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(!shown.contains('\n'));
        assert!(shown.chars().count() <= LENGTH + 2);
        let units: Vec<u16> = shown.encode_utf16().collect();
        let marked: Vec<String> = marks
            .iter()
            .map(|(a, b)| String::from_utf16(&units[*a as usize..*b as usize]).unwrap())
            .collect();
        assert_eq!(marked, ["Kiefer", "Hanna"]);
    }

    #[test]
    fn a_mark_over_the_end_is_cut_with_it() {
        let text = "あ".repeat(500);
        let (shown, marks) = excerpt(&text, &[(0, text.len())]);
        assert_eq!(shown.chars().count(), LENGTH + 1);
        assert_eq!(marks, [(0, 160)]);
    }
}
