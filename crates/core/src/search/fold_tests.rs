#![allow(clippy::unwrap_used)]
use super::*;

fn folded(text: &str) -> Vec<String> {
    fold(text).iter().map(Piece::text).collect()
}

#[test]
fn accents_case_and_width_do_not_matter() {
    assert_eq!(folded("Crème BRÛLÉE, bitte!"), ["creme", "brulee", "bitte"]);
    assert_eq!(folded("ＡＢＣ１２３"), ["abc123"]);
    assert_eq!(folded("Σίσυφος"), folded("ΣΊΣΥΦΟΣ"));
    assert_eq!(folded("İstanbul"), ["istanbul"]);
    assert_eq!(folded("e\u{301}clair"), folded("éclair"));
}

#[test]
fn arabic_spellings_meet() {
    assert_eq!(folded("أهلاً"), folded("اهلا"));
    assert_eq!(folded("إلى"), folded("الي"));
    assert_eq!(folded("مدرسة"), folded("مدرسه"));
    assert_eq!(folded("خبــز"), folded("خُبْز"));
    assert_eq!(folded("٢٠٢٦"), ["2026"]);
}

#[test]
fn japanese_keeps_its_voicing_and_korean_its_words() {
    assert_eq!(folded("ﾊﾟﾝ"), ["パン"]);
    assert_eq!(folded("ハ\u{309a}ン"), ["パン"]);
    assert_ne!(folded("パン"), folded("ハン"));
    assert_eq!(folded("서울 빵집"), ["서울", "빵집"]);
    assert_eq!(folded("\u{1112}\u{1161}\u{11ab}"), ["한"]);
    assert_eq!(folded("東京Tower2"), ["東京", "tower2"]);
}

#[test]
fn hindi_keeps_its_vowels() {
    assert_eq!(folded("हिन्दी रोटी"), ["हिन्दी", "रोटी"]);
}

#[test]
fn emoji_are_found_without_their_skin_tone() {
    assert_eq!(folded("top👍🏽!"), ["top", "👍"]);
    assert_eq!(folded("❤️"), ["❤"]);
}

#[test]
fn every_letter_knows_its_place_in_the_original() {
    let text = "Zoë mag 🥐 und パン";
    for piece in fold(text) {
        for letter in &piece.letters {
            let original = &text[letter.start as usize..letter.end as usize];
            assert!(
                folded(original).concat().contains(letter.letter),
                "{original}"
            );
        }
    }
}

#[test]
fn what_nobody_should_send_folds_too() {
    for text in [
        "",
        "\u{0}\u{1}",
        "\u{202e}abc",
        "a\u{300}\u{301}\u{302}",
        "\u{e000}a1",
        "…",
        "ﷺ",
    ] {
        let _ = fold(text);
    }
    assert_eq!(folded("\u{e000}a1"), ["a1"]);
    assert_eq!(folded("\u{202e}abc"), ["abc"]);
}
