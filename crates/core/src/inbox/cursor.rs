//! Places in a list, as opaque text: the two columns the list is ordered by.

/// Not a cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct BadCursor;

/// Writes a place.
pub(crate) fn write(order: i64, id: i64) -> String {
    format!("{order:x}.{id:x}")
}

/// Reads a place.
pub(crate) fn read(text: &str) -> Result<(i64, i64), BadCursor> {
    let (order, id) = text.split_once('.').ok_or(BadCursor)?;
    let number = |text: &str| i64::from_str_radix(text, 16).map_err(|_| BadCursor);
    Ok((number(order)?, number(id)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_come_back() {
        assert_eq!(
            read(&write(1_853_000_000_000_524_288, 42)),
            Ok((1_853_000_000_000_524_288, 42))
        );
        for text in [
            "",
            ".",
            "5",
            "x.y",
            "1.2.3",
            "ffffffffffffffffff.1",
            "1 OR 1=1.2",
        ] {
            assert_eq!(read(text), Err(BadCursor), "{text}");
        }
    }
}
