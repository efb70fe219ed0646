#![allow(clippy::unwrap_used)]

use super::*;

fn token(text: &str) -> (String, Option<i64>, Vec<String>) {
    let body: MaybeWrapped<TokenBody> = serde_json::from_str(text).unwrap();
    let body = body.into_inner();
    let (token, end, permissions) = (
        body.access_token.expose().to_owned(),
        body.expires_in,
        body.permissions,
    );
    (token, end, permissions.into_list())
}

#[test]
fn instagram_tokens_come_in_four_shapes() {
    let both = vec!["a".to_owned(), "b".to_owned()];
    let wrapped = r#"{"data":[{"access_token":"T","user_id":"1020","permissions":"a,b"}]}"#;
    assert_eq!(token(wrapped), ("T".into(), None, both.clone()));
    let flat = r#"{"access_token":"T","user_id":17841400000000001,"permissions":["a","b"]}"#;
    assert_eq!(token(flat), ("T".into(), None, both.clone()));
    let mixed = r#"{"access_token":"T","user_id":17841400000000001,"permissions":"a, b"}"#;
    assert_eq!(token(mixed), ("T".into(), None, both));
    let ended = r#"{"access_token":"T","token_type":"bearer","expires_in":"5183944"}"#;
    assert_eq!(token(ended), ("T".into(), Some(5_183_944), vec![]));
    assert!(serde_json::from_str::<MaybeWrapped<TokenBody>>(r#"{"data":[]}"#).is_err());
}

#[test]
fn an_end_of_zero_is_no_end() {
    let body: TokenBody = serde_json::from_str(r#"{"access_token":"T","expires_in":0}"#).unwrap();
    assert_eq!(body.into_token().expires_in_ms, None);
    let body: TokenBody = serde_json::from_str(r#"{"access_token":"T","expires_in":60}"#).unwrap();
    assert_eq!(body.into_token().expires_in_ms, Some(60_000));
}

#[test]
fn ids_beyond_the_safe_integers_keep_every_digit() {
    let me: MaybeWrapped<InstagramMe> = serde_json::from_str(
        r#"{"data":[{"id":24600000000000017,"user_id":17841400000000001,"username":"acme"}]}"#,
    )
    .unwrap();
    let me = me.into_inner();
    assert_eq!(
        (me.id.as_str(), me.user_id.as_str()),
        ("24600000000000017", "17841400000000001")
    );
    assert!(
        serde_json::from_str::<InstagramMe>(r#"{"id":1.7e16,"user_id":"1"}"#).is_err(),
        "a float lost digits already"
    );
}

#[test]
fn debug_answers_with_holes_are_read() {
    let body: DebugBody = serde_json::from_str(
        r#"{"data":{"is_valid":false,"app_id":138,"expires_at":0,"error":{"code":190,"subcode":463,"message":"m"}}}"#,
    )
    .unwrap();
    assert_eq!(body.data.app_id.as_deref(), Some("138"));
    assert_eq!(body.data.error.unwrap().subcode, Some(463));
    let body: DebugBody = serde_json::from_str(r#"{"data":{}}"#).unwrap();
    assert!(!body.data.is_valid);
}

#[test]
fn an_error_is_not_taken_for_a_token() {
    for text in [
        r#"{"error_type":"OAuthException","code":400}"#,
        r#"{"error":{"code":190}}"#,
        "[]",
        "null",
        "7",
    ] {
        assert!(
            serde_json::from_str::<MaybeWrapped<TokenBody>>(text).is_err(),
            "{text}"
        );
    }
}
