//! The last words of a conversation as the list shows them. Pure.

/// Characters shown at most.
const LENGTH: usize = 160;

/// Last words, and what the entry is when they are not its whole story.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// One line, at most 160 characters.
    pub text: String,
    /// `image`, `video`, `audio`, `file`, `share`, `story_reply`, `story_mention`, `deleted`, `unsupported`.
    pub kind: Option<&'static str>,
}

/// From what a message holds. `attachment` is the kind of its first one.
pub fn of(
    text: Option<&str>,
    attachment: Option<&str>,
    story: Option<&str>,
    deleted: bool,
    unsupported: bool,
) -> Preview {
    if deleted {
        return Preview {
            text: String::new(),
            kind: Some("deleted"),
        };
    }
    let line = one_line(text.unwrap_or_default());
    let kind = match (story, attachment) {
        (Some("mention"), _) => Some("story_mention"),
        (Some(_), _) => Some("story_reply"),
        _ if !line.is_empty() => None,
        (None, Some(kind)) => Some(attachment_kind(kind)),
        (None, None) if unsupported => Some("unsupported"),
        (None, None) => None,
    };
    Preview { text: line, kind }
}

fn attachment_kind(kind: &str) -> &'static str {
    match kind {
        "image" | "sticker" => "image",
        "video" => "video",
        "audio" => "audio",
        "file" => "file",
        "unsupported" => "unsupported",
        _ => "share",
    }
}

/// White space joined, cut at a character.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LENGTH * 2));
    let mut count = 0;
    for word in text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
            count += 1;
        }
        for letter in word.chars() {
            if count + 1 >= LENGTH {
                line.push('…');
                return line;
            }
            line.push(letter);
            count += 1;
        }
        if count + 1 >= LENGTH {
            line.push('…');
            return line;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_before_the_kind_of_file() {
        assert_eq!(
            of(Some("  zwei\n\tBrote "), Some("image"), None, false, false),
            Preview {
                text: "zwei Brote".into(),
                kind: None
            }
        );
        assert_eq!(
            of(None, Some("sticker"), None, false, false).kind,
            Some("image")
        );
        assert_eq!(
            of(Some(""), Some("ig_reel"), None, false, false).kind,
            Some("share")
        );
        assert_eq!(
            of(Some("wow"), None, Some("reply"), false, false),
            Preview {
                text: "wow".into(),
                kind: Some("story_reply")
            }
        );
        assert_eq!(
            of(None, Some("image"), Some("mention"), false, false).kind,
            Some("story_mention")
        );
        assert_eq!(
            of(Some("geheim"), None, None, true, false),
            Preview {
                text: String::new(),
                kind: Some("deleted")
            }
        );
        assert_eq!(of(None, None, None, false, true).kind, Some("unsupported"));
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        let line = one_line(&"ö".repeat(5000));
        assert_eq!(line.chars().count(), LENGTH);
        assert!(line.ends_with('…'));
        assert_eq!(one_line("kurz"), "kurz");
        assert!(one_line(&"ab ".repeat(500)).chars().count() <= LENGTH);
    }
}
