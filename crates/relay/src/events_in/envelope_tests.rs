#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

fn ids(body: &str) -> Vec<(Object, Option<String>)> {
    parse(body.as_bytes())
        .unwrap()
        .into_iter()
        .map(|entry| (entry.object, entry.id.map(Cow::into_owned)))
        .collect()
}

#[test]
fn every_form_of_the_envelope_is_taken_apart() {
    let some = |id: &str| Some(id.to_owned());
    for (body, expected) in [
        (
            r#"{"object":"page","entry":[{"id":"1001","time":1,"messaging":[{}]}]}"#,
            vec![(Object::Page, some("1001"))],
        ),
        (
            r#" [ {"object":"instagram","entry":[{"id":"17841400000000001","changes":[]}]} ] "#,
            vec![(Object::Instagram, some("17841400000000001"))],
        ),
        (
            r#"[{"object":"page","entry":[{"id":"1"}]},{"object":"instagram","entry":[{"id":"2"}]}]"#,
            vec![(Object::Page, some("1")), (Object::Instagram, some("2"))],
        ),
        (
            r#"{"entry":[{"field":"comments","value":{"id":"x"},"id":17841400000000001}],"object":"instagram"}"#,
            vec![(Object::Instagram, some("17841400000000001"))],
        ),
        (
            r#"{"object":"page","entry":[{"id":"\u0031001"}]}"#,
            vec![(Object::Page, some("1001"))],
        ),
        (
            r#"{"object":"user","entry":[{"id":"1"}]}"#,
            vec![(Object::Other, some("1"))],
        ),
        (
            r#"{"entry":[{"id":"1"}]}"#,
            vec![(Object::Other, some("1"))],
        ),
        (r#"{"object":"page","entry":[]}"#, vec![]),
        (
            r#"{"object":"page","entry":[{"time":5},{"id":null},{"id":{}},{"id":[1]},{"id":-4},{"id":1.5},{"id":""},7,"x",null]}"#,
            vec![(Object::Page, None); 10],
        ),
        (
            r#"{"object":"page","entry":[{"id":"1 OR 1"},{"id":"../x"},{"id":"é"}]}"#,
            vec![(Object::Page, None); 3],
        ),
    ] {
        assert_eq!(ids(body), expected, "{body}");
    }
}

#[test]
fn an_entrys_bytes_are_those_meta_sent() {
    let odd = r#"{ "id" : "1001",  "messaging":[{"text":"caf\u00e9 \ud83d\ude0a https:\/\/x"}] , "n":1.0e3}"#;
    let body = format!(r#"{{"object":"page","entry":[ {odd} ,{odd}]}}"#);
    let entries = parse(body.as_bytes()).unwrap();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.text == odd));
}

#[test]
fn what_is_no_webhook_is_unreadable() {
    let many = format!(
        r#"{{"object":"page","entry":[{}]}}"#,
        vec![r#"{"id":"1"}"#; ENTRIES_MAX + 1].join(",")
    );
    let deep = format!(
        r#"{{"object":"page","entry":[{{"id":"1","x":{}{}}}]}}"#,
        "[".repeat(DEPTH_MAX),
        "]".repeat(DEPTH_MAX)
    );
    let deepest = "[".repeat(1_000_000);
    for body in [
        "",
        " ",
        "null",
        "7",
        "\"text\"",
        "{}",
        "[]",
        "[[]]",
        "[7]",
        r#"{"object":"page"}"#,
        r#"{"object":"page","entry":{}}"#,
        r#"{"object":"page","entry":[{"id":"1"}]"#,
        r#"{"object":"page","entry":[{"id":"1"}]}}"#,
        r#"{"object":"page","entry":[{"id":"1"}]} x"#,
        "object=page&entry=1",
        &many,
        &deep,
        &deepest,
    ] {
        let short = body.get(..40).unwrap_or(body);
        assert_eq!(parse(body.as_bytes()).err(), Some(Unreadable), "{short}");
    }
    for body in [
        &b"{\"object\":\"page\",\"entry\":[{\"id\":\"\xff\"}]}"[..],
        b"\xef\xbb\xbf{}",
    ] {
        assert_eq!(parse(body).err(), Some(Unreadable));
    }
    let just = format!(
        r#"{{"object":"page","entry":[{}]}}"#,
        vec![r#"{"id":"1"}"#; ENTRIES_MAX].join(",")
    );
    assert_eq!(parse(just.as_bytes()).unwrap().len(), ENTRIES_MAX);
}

#[test]
fn brackets_inside_text_are_text() {
    let brackets = "[{".repeat(200);
    let body = format!(r#"{{"object":"page","entry":[{{"id":"1","t":"\"{brackets}\\"}}]}}"#);
    assert_eq!(parse(body.as_bytes()).unwrap().len(), 1);
}

#[test]
fn the_business_is_found_where_a_sample_puts_the_customer_first() {
    for (entry, expected) in [
        (
            r#"{"id":"9001","messaging":[{"sender":{"id":"9001"},"recipient":{"id":"1001"}}]}"#,
            Some("1001"),
        ),
        (r#"{"standby":[{"recipient":{"id":1001}}]}"#, Some("1001")),
        (
            r#"{"messaging":[{"recipient":{}},{"recipient":{"id":"1001"}}]}"#,
            None,
        ),
        (r#"{"messaging":[{"recipient":"1001"}]}"#, None),
        (r#"{"messaging":[]}"#, None),
        (r#"{"messaging":7}"#, None),
        (r#"{"changes":[{"value":{"recipient":{"id":"1"}}}]}"#, None),
        ("7", None),
    ] {
        assert_eq!(recipient(entry).as_deref(), expected, "{entry}");
    }
}

/// A body that is nearly one: the envelope's own pieces, shaken.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        r#"{"object":"page","entry":["#,
        r#"{"id":"1001""#,
        r#","messaging":["#,
        r#"{"recipient":{"id":"7"}}"#,
        "]",
        "}",
        "]}",
        "{",
        "[",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\ud83d",
        "null",
        "-",
        "1e999",
        "9".repeat(40).leak(),
        "\u{0}",
        "é",
        " ",
        "\u{feff}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _ = recipient(text);
        }
    }

    #[test]
    fn no_half_webhook_makes_it_panic_and_entries_lie_inside_the_body(body in nearly()) {
        if let Ok(entries) = parse(body.as_bytes()) {
            let mut rest = body.as_str();
            for entry in entries {
                let at = rest.find(entry.text);
                prop_assert!(at.is_some());
                rest = &rest[at.unwrap_or(0) + entry.text.len()..];
                let _ = recipient(entry.text);
            }
        }
    }

    #[test]
    fn a_torn_webhook_is_whole_or_unreadable(cut in 0usize..150) {
        let whole = r#"{"object":"page","entry":[{"id":"1001","messaging":[{"sender":{"id":"9"},"message":{"text":"caf\u00e9"}}]}]}"#;
        let cut = cut.min(whole.len());
        prop_assert_eq!(parse(&whole.as_bytes()[..cut]).is_ok(), cut == whole.len());
    }
}
