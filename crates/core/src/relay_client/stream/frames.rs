//! What the relay says, frame by frame. Pure: hostile until read here.

use super::after::End;
use shopbell_wire::{CloseReason, Delivery, RelayMessage, TEXT_MAX_BYTES};
use tokio_tungstenite::tungstenite::{Error, Message, error::ProtocolError, protocol::CloseFrame};

/// What was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A control message.
    Said(RelayMessage),
    /// Events.
    Events(Vec<Delivery>),
    /// A sign of life, or a message of a newer relay.
    Life,
}

/// Reads a frame.
///
/// # Errors
/// The end of the connection.
pub(super) fn read(frame: Option<Result<Message, Error>>) -> Result<Heard, End> {
    match frame {
        Some(Ok(Message::Text(text))) => said(text.as_str()),
        Some(Ok(Message::Binary(bytes))) => events(&bytes),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Heard::Life),
        Some(Ok(Message::Close(close))) => Err(closed(close)),
        Some(Err(Error::Capacity(_))) => Err(End::Confused("too_large")),
        Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => Err(End::Broke),
        Some(Err(Error::Protocol(_) | Error::Utf8(_))) => Err(End::Confused("websocket")),
        Some(Err(_)) | None => Err(End::Broke),
    }
}

fn closed(close: Option<CloseFrame>) -> End {
    close
        .and_then(|frame| CloseReason::from_code(frame.code.into()))
        .map_or(End::Broke, End::Closed)
}

fn said(text: &str) -> Result<Heard, End> {
    #[derive(serde::Deserialize)]
    struct Any {
        r#type: String,
    }
    const KNOWN: [&str; 4] = ["challenge", "ready", "gap", "answering"];
    if text.len() > TEXT_MAX_BYTES {
        return Err(End::Confused("too_large"));
    }
    if let Ok(message) = serde_json::from_str(text) {
        return Ok(Heard::Said(message));
    }
    match serde_json::from_str::<Any>(text) {
        Ok(any) if !KNOWN.contains(&any.r#type.as_str()) => Ok(Heard::Life),
        _ => Err(End::Confused("message")),
    }
}

fn events(bytes: &[u8]) -> Result<Heard, End> {
    let events = Delivery::read_all(bytes).ok_or(End::Confused("frame"))?;
    // Offsets are numbers of the database, too.
    let fits = |event: &Delivery| event.offset > event.prev && i64::try_from(event.offset).is_ok();
    if events.iter().all(fits) {
        Ok(Heard::Events(events))
    } else {
        Err(End::Confused("offset"))
    }
}

/// How a delivery follows on what was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It is the next one.
    Next,
    /// It was heard before.
    Repeated,
    /// One before it is missing.
    Hole,
    /// It leaves out what was heard already.
    Odd,
}

/// Checks the chain (decision T13).
pub(super) fn link(last: u64, delivery: &Delivery) -> Link {
    match delivery {
        Delivery { offset, .. } if *offset <= last => Link::Repeated,
        Delivery { prev, .. } if *prev == last => Link::Next,
        Delivery { prev, .. } if *prev > last => Link::Hole,
        _ => Link::Odd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn delivery(prev: u64, offset: u64) -> Delivery {
        Delivery {
            offset,
            prev,
            event: Vec::new(),
        }
    }

    fn frame(events: &[Delivery]) -> Option<Result<Message, Error>> {
        let mut bytes = Vec::new();
        for event in events {
            Delivery::write(event.offset, event.prev, &event.event, &mut bytes);
        }
        Some(Ok(Message::binary(bytes)))
    }

    #[test]
    fn a_newer_relays_message_is_a_sign_of_life_and_garbage_is_not() {
        let text = |text: &str| read(Some(Ok(Message::text(text))));
        assert_eq!(text(r#"{"type":"weather","sun":true}"#), Ok(Heard::Life));
        assert_eq!(
            text(r#"{"type":"challenge","nonce":"n"}"#),
            Ok(Heard::Said(RelayMessage::Challenge { nonce: "n".into() }))
        );
        for garbage in [
            "",
            "{}",
            "[]",
            "\u{0}",
            r#"{"type":"ready"}"#,
            r#"{"type":7}"#,
        ] {
            assert_eq!(text(garbage), Err(End::Confused("message")), "{garbage:?}");
        }
        let long = format!(
            r#"{{"type":"weather","x":"{}"}}"#,
            "y".repeat(TEXT_MAX_BYTES)
        );
        assert_eq!(text(&long), Err(End::Confused("too_large")));
    }

    #[test]
    fn offsets_that_are_none_are_refused() {
        assert_eq!(
            read(frame(&[delivery(4, 5)])),
            Ok(Heard::Events(vec![delivery(4, 5)]))
        );
        for (prev, offset) in [(5, 5), (6, 5), (0, u64::MAX), (1, 1 << 63)] {
            assert_eq!(
                read(frame(&[delivery(prev, offset)])),
                Err(End::Confused("offset"))
            );
        }
        let cut = Some(Ok(Message::binary(vec![0_u8; 19])));
        assert_eq!(read(cut), Err(End::Confused("frame")));
    }

    #[test]
    fn close_codes_have_their_reasons() {
        for reason in CloseReason::ALL {
            let close = CloseFrame {
                code: reason.code().into(),
                reason: "".into(),
            };
            assert_eq!(
                read(Some(Ok(Message::Close(Some(close))))),
                Err(End::Closed(reason))
            );
        }
        assert_eq!(read(Some(Ok(Message::Close(None)))), Err(End::Broke));
        assert_eq!(read(None), Err(End::Broke));
    }

    #[test]
    fn the_chain_shows_every_hole_whoever_made_it() {
        assert_eq!(link(4, &delivery(4, 5)), Link::Next);
        assert_eq!(
            link(4, &delivery(4, 9)),
            Link::Next,
            "offsets need not be dense"
        );
        assert_eq!(link(4, &delivery(3, 4)), Link::Repeated);
        assert_eq!(link(4, &delivery(5, 6)), Link::Hole);
        assert_eq!(link(4, &delivery(3, 5)), Link::Odd);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = read(Some(Ok(Message::binary(bytes.clone()))));
            if let Ok(text) = String::from_utf8(bytes) {
                let _ = read(Some(Ok(Message::text(text))));
            }
        }
    }
}
