//! Reading a body that may be hostile: declared length before the first byte, real length while reading, and not for ever.
//!
//! Invariant: never more than the limit is held, and a body that arrived in one piece is not copied. What the bytes mean is nobody's
//! business here.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use bytes::BytesMut;
use futures_util::StreamExt as _;

/// Meta and the shops give up after five seconds themselves.
pub(crate) const READ_WITHIN: Duration = Duration::from_secs(5);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// More than allowed, as declared or as counted.
    TooLarge,
    /// It broke off or took too long.
    Incomplete,
}

/// The declared length, where there is one.
pub(crate) fn declared(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Reads a whole body of at most `max` bytes.
pub(crate) async fn read(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Unread> {
    if declared(headers).is_some_and(|length| length > max as u64) {
        return Err(Unread::TooLarge);
    }
    tokio::time::timeout(READ_WITHIN, collect(body, max))
        .await
        .unwrap_or(Err(Unread::Incomplete))
}

async fn collect(body: Body, max: usize) -> Result<Bytes, Unread> {
    let mut pieces = body.into_data_stream();
    let mut next = async || match pieces.next().await {
        None => Ok(None),
        Some(Ok(piece)) => Ok(Some(piece)),
        Some(Err(_)) => Err(Unread::Incomplete),
    };
    let Some(first) = next().await? else {
        return Ok(Bytes::new());
    };
    if first.len() > max {
        return Err(Unread::TooLarge);
    }
    let Some(second) = next().await? else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(first);
    let mut piece = second;
    loop {
        if whole.len() + piece.len() > max {
            return Err(Unread::TooLarge);
        }
        whole.extend_from_slice(&piece);
        match next().await? {
            Some(more) => piece = more,
            None => return Ok(whole.freeze()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures_util::stream;

    fn pieces(of: &[&'static str]) -> Body {
        let list: Vec<Result<&'static str, std::io::Error>> = of.iter().map(|p| Ok(*p)).collect();
        Body::from_stream(stream::iter(list))
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_a_byte_further() {
        let none = HeaderMap::new();
        for (body, expected) in [
            (Body::empty(), Ok("")),
            (Body::from("12345678"), Ok("12345678")),
            (pieces(&["123", "45", "678"]), Ok("12345678")),
            (Body::from("123456789"), Err(Unread::TooLarge)),
            (pieces(&["12345678", "9"]), Err(Unread::TooLarge)),
            (pieces(&["1", "23456789"]), Err(Unread::TooLarge)),
        ] {
            let read = read(&none, body, 8).await;
            assert_eq!(
                read,
                expected.map(|text| Bytes::from_static(text.as_bytes()))
            );
        }
    }

    #[tokio::test]
    async fn a_declared_length_is_refused_before_anything_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, "9".parse().unwrap());
        let touched = Body::from_stream(stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
                panic!("the body was touched")
            },
        ));
        assert_eq!(read(&headers, touched, 8).await, Err(Unread::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_and_one_that_breaks_off_are_incomplete() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(
            read(&HeaderMap::new(), never, 8).await,
            Err(Unread::Incomplete)
        );
        let broken = stream::iter([Ok("12"), Err(std::io::Error::other("gone"))]);
        let broken = Body::from_stream(broken);
        assert_eq!(
            read(&HeaderMap::new(), broken, 8).await,
            Err(Unread::Incomplete)
        );
    }
}
