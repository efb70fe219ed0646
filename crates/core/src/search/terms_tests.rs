#![allow(clippy::unwrap_used)]
use super::*;

fn finds(query: &str, text: &str) -> bool {
    Terms::parse(query).marks(text).is_some()
}

fn marked(query: &str, text: &str) -> Vec<String> {
    let marks = Terms::parse(query).marks(text).unwrap();
    marks
        .into_iter()
        .map(|(from, to)| text[from..to].to_owned())
        .collect()
}

#[test]
fn words_are_found_from_their_start_and_all_of_them() {
    assert!(finds(
        "brot lau",
        "Ist das Laugenbrot? Nein, Brot mit Lauge"
    ));
    assert!(!finds("auge", "Lauge"));
    assert!(!finds("brot käse", "nur Brot"));
    assert_eq!(marked("creme", "Die Crème ist süß"), ["Crème"]);
}

#[test]
fn arabic_words_are_found_behind_their_clitics() {
    for text in [
        "والخبز",
        "بالخبز",
        "للخبز",
        "وبالخبز",
        "فخبز",
        "الخبز",
        "خبز",
        "ولخبز",
    ] {
        assert!(finds("خبز", text), "{text}");
    }
    assert!(finds("الخبز", "والخبز"));
    assert_eq!(marked("خبز", "عندي والخبز"), ["خبز"]);
}

#[test]
fn chinese_and_japanese_are_found_anywhere() {
    assert!(finds("パン", "メロンパンください"));
    assert!(finds("ン", "パン"));
    assert!(finds("京", "東京タワー"));
    assert!(!finds("東京都", "東京 京都"));
    assert_eq!(marked("タワ", "東京タワーとタワー"), ["タワ", "タワ"]);
}

#[test]
fn expressions_hold_only_letters_and_our_own_signs() {
    let terms = Terms::parse("say \"x\" OR NEAR(a b) *:^-+{} パンダ 犬 👍");
    let expression = terms.expression(Some(7), Some(42));
    assert!(
        expression.starts_with("\"\u{e000}c42\" AND \"\u{e000}a7\" AND \"say\" * AND \"x\" *"),
        "{expression}"
    );
    assert!(expression.contains("\"パン ンダ\""));
    assert!(expression.contains("\"犬\" *"));
    assert!(Terms::parse(" \"*\" ").is_empty());
}

#[test]
fn a_hundred_words_are_no_burden() {
    let long: String = (0..100).map(|n| format!("w{n} ")).collect();
    assert_eq!(Terms::parse(&long).0.len(), MOST);
}
