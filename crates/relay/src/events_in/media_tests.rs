#![allow(clippy::unwrap_used)]
use super::*;
use bytes::Bytes;
use shopbell_wire::DeviceKeys;

fn head(of: &str) -> Vec<u8> {
    let mut bytes = match of {
        "jpeg" => b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(),
        "png" => b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
        "gif" => b"GIF89a".to_vec(),
        "webp" => b"RIFF\x10\0\0\0WEBPVP8 ".to_vec(),
        "mp4" => b"\0\0\0\x18ftypisom\0\0\0\0".to_vec(),
        "m4a" => b"\0\0\0\x18ftypM4A \0\0\0\0".to_vec(),
        "mp3" => b"ID3\x03\0\0\0\0\0\0".to_vec(),
        "ogg" => b"OggS\0\x02".to_vec(),
        "wav" => b"RIFF\x10\0\0\0WAVEfmt ".to_vec(),
        "html" => b"<!doctype html><script>".to_vec(),
        _ => Vec::new(),
    };
    bytes.resize(200, 0);
    bytes
}

#[test]
fn a_type_is_what_its_first_bytes_say() {
    for (claimed, of, fits) in [
        ("image/jpeg", "jpeg", true),
        ("image/png; charset=binary", "png", true),
        ("IMAGE/GIF", "gif", true),
        ("image/webp", "webp", true),
        ("video/mp4", "mp4", true),
        ("audio/mp4", "m4a", true),
        ("audio/mp4", "mp4", true),
        ("audio/mpeg", "mp3", true),
        ("audio/ogg", "ogg", true),
        ("audio/wav", "wav", true),
        ("image/jpeg", "png", false),
        ("image/png", "html", false),
        ("image/gif", "", false),
        ("video/mp4", "m4a", false),
        ("audio/wav", "webp", false),
    ] {
        let kind = kind_of(claimed).unwrap();
        assert_eq!(looks_like(&head(of), kind).is_ok(), fits, "{claimed} {of}");
    }
    for never in [
        "text/html",
        "image/svg+xml",
        "application/pdf",
        "image/",
        "",
        "image/jpeg,text/html",
    ] {
        assert!(kind_of(never).is_none(), "{never}");
    }
}

#[tokio::test]
async fn another_type_is_found_at_its_beginning_and_a_large_one_at_its_limit() {
    use futures_util::stream;
    let kind = kind_of("image/png").unwrap();
    let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(head("html")))]);
    let rest = stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> { panic!("read on") },
    );
    let html = Body::from_stream(futures_util::StreamExt::chain(first, rest));
    assert_eq!(read(html, kind).await.err(), Some(Refusal::InvalidRequest));

    let piece = Bytes::from({
        let mut piece = head("png");
        piece.resize(1024 * 1024, 7);
        piece
    });
    let endless = Body::from_stream(stream::repeat_with(move || {
        Ok::<_, std::io::Error>(piece.clone())
    }));
    assert_eq!(read(endless, kind).await.err(), Some(Refusal::TooLarge));
    assert_eq!(
        read(Body::empty(), kind).await.err(),
        Some(Refusal::InvalidRequest)
    );
    let small = read(Body::from(head("png")), kind).await.unwrap();
    assert_eq!(&small[..], head("png"));
}

#[test]
fn uploads_have_places_and_give_them_back() {
    let uploads = Uploads::default();
    let device = |byte: u8| DeviceKeys::from_random_bytes(&[byte; 64]).thumbprint();
    let mut places: Vec<_> = (0..UPLOADS_PER_DEVICE)
        .map(|_| uploads.begin(&device(1)).unwrap())
        .collect();
    assert!(uploads.begin(&device(1)).is_none());
    for byte in 2.. {
        match uploads.begin(&device(byte)) {
            Some(place) => places.push(place),
            None => break,
        }
    }
    assert_eq!(places.len(), UPLOADS);
    places.clear();
    assert!(uploads.begin(&device(1)).is_some());
    assert_eq!(uploads.0.lock().unwrap().len(), 0);
}

#[test]
fn addresses_are_long_and_plain() {
    assert!(is_random(&"aZ0-_".repeat(8)));
    for bad in [
        "",
        "short",
        &"a".repeat(31),
        &"a".repeat(129),
        &"é".repeat(32),
        &"a/".repeat(20),
    ] {
        assert!(!is_random(bad));
    }
}
