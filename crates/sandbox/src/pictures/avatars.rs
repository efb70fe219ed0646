//! Faces: background, shoulders, head, hair, eyes, a smile; all chosen by the seed word.

use super::canvas::{Canvas, Colour};
use crate::chance::Chance;

const BACKGROUNDS: [Colour; 10] = [
    0xF6D6C4, 0xCFE3D4, 0xC9DCEB, 0xF3DFA8, 0xE3CFE4, 0xD7D3C8, 0xBFD8D5, 0xF2C6C0, 0xDAD9F0,
    0xE9E2D2,
];
const SKINS: [Colour; 7] = [
    0xF6D3B8, 0xEDBE9B, 0xDDA27A, 0xC4875E, 0x9C6644, 0x774A30, 0xFADFCB,
];
const HAIRS: [Colour; 8] = [
    0x2B2320, 0x4A3426, 0x7A5230, 0xB98547, 0xD9B36C, 0x9C3F25, 0x8A8580, 0x171A22,
];
const CLOTHES: [Colour; 9] = [
    0x34506B, 0xA6493F, 0x4E7A57, 0x8A5A83, 0xD08A2E, 0x2F2F35, 0x3F8C94, 0xC75B7A, 0x6B5B4A,
];

fn one(chance: &mut Chance, colours: &[Colour]) -> Colour {
    chance.pick(colours).copied().unwrap_or_default()
}

/// A face of `edge` pixels.
pub(crate) fn face(name: &str, edge: u32) -> Canvas {
    let mut chance = Chance::seeded(name);
    let background = one(&mut chance, &BACKGROUNDS);
    let skin = one(&mut chance, &SKINS);
    let hair = one(&mut chance, &HAIRS);
    let cloth = one(&mut chance, &CLOTHES);
    let scarf = one(&mut chance, &CLOTHES);
    // A name may ask for a woman's or a man's face.
    let styles: &[usize] = match name.split_once('-') {
        Some(("w", _)) => &[0, 1, 2, 0, 1, 5, 3],
        Some(("m", _)) => &[4, 5, 6, 4],
        _ => &[0, 1, 2, 3, 4, 5, 6],
    };
    let style = chance.pick(styles).copied().unwrap_or(0);
    let mut canvas = Canvas::new(edge, edge, background);
    // Behind the head.
    match style {
        0 | 1 => canvas.block(27.0, 28.0, 46.0, 52.0, 20.0, hair),
        2 => canvas.circle(50.0, 17.0, 10.0, hair),
        3 => canvas.block(25.0, 20.0, 50.0, 60.0, 24.0, scarf),
        _ => {}
    }
    canvas.ellipse(50.0, 104.0, 40.0, 30.0, cloth);
    canvas.block(43.0, 62.0, 14.0, 18.0, 6.0, shade(skin, 14));
    canvas.ellipse(50.0, 48.0, 20.0, 24.0, skin);
    canvas.ellipse(29.8, 50.0, 3.4, 5.0, shade(skin, 8));
    canvas.ellipse(70.2, 50.0, 3.4, 5.0, shade(skin, 8));
    match style {
        0 => {
            canvas.ellipse(42.0, 29.0, 16.0, 10.0, hair);
            canvas.ellipse(60.0, 30.0, 13.0, 9.0, hair);
        }
        1 | 2 => canvas.ellipse(50.0, 29.0, 21.0, 11.0, hair),
        3 => {
            canvas.ellipse(50.0, 27.0, 22.0, 9.0, scarf);
            canvas.block(27.0, 26.0, 6.0, 42.0, 3.0, scarf);
            canvas.block(67.0, 26.0, 6.0, 42.0, 3.0, scarf);
        }
        4 => {
            canvas.ellipse(50.0, 28.0, 20.0, 9.0, hair);
            canvas.block(30.0, 28.0, 5.0, 16.0, 2.0, hair);
            canvas.block(65.0, 28.0, 5.0, 16.0, 2.0, hair);
        }
        5 => {
            for (x, y) in [
                (34.0, 32.0),
                (42.0, 26.0),
                (51.0, 24.0),
                (60.0, 27.0),
                (66.0, 33.0),
            ] {
                canvas.circle(x, y, 8.0, hair);
            }
        }
        _ => canvas.ellipse(50.0, 67.0, 13.0, 7.0, hair),
    }
    canvas.circle(42.5, 48.0, 2.0, 0x2A2423);
    canvas.circle(57.5, 48.0, 2.0, 0x2A2423);
    if chance.percent(25) {
        canvas.ring(42.5, 48.0, 6.2, 1.3, 0x3A3A40);
        canvas.ring(57.5, 48.0, 6.2, 1.3, 0x3A3A40);
        canvas.line((48.4, 47.4), (51.6, 47.4), 1.2, 0x3A3A40);
    }
    canvas.circle(37.0, 56.0, 3.0, shade(skin, 10));
    canvas.circle(63.0, 56.0, 3.0, shade(skin, 10));
    canvas.smile(50.0, 54.0, 8.0, 1.9, 0x8C3B3B);
    canvas
}

/// The same colour, darker by so many steps.
fn shade(colour: Colour, by: u8) -> Colour {
    let [_, r, g, b] = colour.to_be_bytes();
    u32::from_be_bytes([
        0,
        r.saturating_sub(by),
        g.saturating_sub(by + by / 2),
        b.saturating_sub(by + by / 2),
    ])
}
