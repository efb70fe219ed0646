//! Small files: a voice message that plays (a few soft tones as WAV), a one-page PDF, and a film that is one by its
//! first bytes only.

use bytes::Bytes;

use crate::chance::Chance;

const RATE: u32 = 8_000;

/// Two seconds of mono 8-bit sound.
pub(crate) fn voice(name: &str) -> Bytes {
    let mut chance = Chance::seeded(name);
    let mut samples: Vec<u8> = Vec::new();
    for _ in 0..8 {
        let tone = chance.between(140, 320) as f32;
        for step in 0..(RATE / 4) {
            let at = step as f32 / RATE as f32;
            let swell = (at * 4.0 * std::f32::consts::PI).sin().abs();
            let wave = (at * tone * std::f32::consts::TAU).sin() * swell * 50.0;
            samples.push((128.0 + wave) as u8);
        }
    }
    let length = u32::try_from(samples.len()).unwrap_or(0);
    let mut out = Vec::with_capacity(samples.len() + 44);
    out.extend(b"RIFF");
    out.extend((36 + length).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16_u32.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    out.extend(RATE.to_le_bytes());
    out.extend(RATE.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    out.extend(8_u16.to_le_bytes());
    out.extend(b"data");
    out.extend(length.to_le_bytes());
    out.extend(samples);
    Bytes::from(out)
}

/// The boxes of an MP4 around noise: it is taken for a film and does not play.
pub(crate) fn clip(name: &str) -> Bytes {
    let mut chance = Chance::seeded(name);
    let noise: Vec<u8> = (0..2_048).map(|_| chance.next().to_le_bytes()[0]).collect();
    let mut out = Vec::new();
    for (kind, content) in [
        (b"ftyp", &b"isom\0\0\x02\0isommp42"[..]),
        (b"free", &[][..]),
        (b"mdat", &noise[..]),
    ] {
        let length = u32::try_from(content.len() + 8).unwrap_or(8);
        out.extend(length.to_be_bytes());
        out.extend(kind);
        out.extend(content);
    }
    Bytes::from(out)
}

/// One page with one line of text.
pub(crate) fn paper(name: &str) -> Bytes {
    let word: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let text = format!("BT /F1 24 Tf 72 760 Td (Shop paper {word}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let table = out.len();
    out.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        objects.len() + 1
    ));
    for place in places {
        out.push_str(&format!("{place:010} 00000 n \n"));
    }
    out.push_str(&format!(
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    Bytes::from(out)
}
