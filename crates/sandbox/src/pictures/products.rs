//! What shops and their customers photograph: bread, cake, dresses, bicycles. The number at the end of a
//! name varies colours. Also the shops' round logos and the one sticker.

use super::canvas::{Canvas, Colour};
use crate::chance::Chance;

/// Pixels of a product picture.
pub(crate) const WIDTH: u32 = 480;
/// Pixels of a product picture.
pub(crate) const HEIGHT: u32 = 360;

const TABLES: [Colour; 6] = [0xE8DCC8, 0xD9E2DD, 0xF1E4DA, 0xD8D5E3, 0xDDE6EE, 0xEFE9D9];
const CLOTHS: [Colour; 6] = [0x8C2F39, 0x2F5D50, 0x2C3E63, 0xC98B2B, 0x6D466B, 0xB5523B];

/// A picture such as `cake-2`.
pub(crate) fn picture(name: &str) -> Canvas {
    let mut chance = Chance::seeded(name);
    let (kind, _) = name.split_once('-').unwrap_or((name, ""));
    let table = chance.pick(&TABLES).copied().unwrap_or(0xE8DCC8);
    let colour = chance.pick(&CLOTHS).copied().unwrap_or(0x8C2F39);
    if kind == "thumb" {
        return thumb();
    }
    let mut canvas = Canvas::new(WIDTH, HEIGHT, table);
    canvas.block(0.0, 74.0, 134.0, 26.0, 0.0, darker(table));
    match kind {
        "cake" => cake(&mut canvas, colour),
        "rolls" => rolls(&mut canvas),
        "dress" => dress(&mut canvas, colour),
        "coat" => coat(&mut canvas, colour),
        "bag" => bag(&mut canvas, colour),
        "bike" => bike(&mut canvas, colour),
        "wheel" => wheel(&mut canvas, 66.0, 50.0, 38.0),
        "key" => key(&mut canvas, colour),
        "story" => story(&mut canvas, colour),
        _ => bread(&mut canvas),
    }
    canvas
}

fn darker(colour: Colour) -> Colour {
    let [_, r, g, b] = colour.to_be_bytes();
    u32::from_be_bytes([
        0,
        r.saturating_sub(26),
        g.saturating_sub(26),
        b.saturating_sub(26),
    ])
}

fn bread(canvas: &mut Canvas) {
    canvas.ellipse(67.0, 78.0, 46.0, 8.0, 0xB9A98E);
    canvas.ellipse(67.0, 56.0, 42.0, 25.0, 0x9A5B2A);
    canvas.ellipse(67.0, 53.0, 39.0, 21.0, 0xBE7A3C);
    for x in [45.0, 60.0, 75.0, 90.0] {
        canvas.line((x - 6.0, 62.0), (x + 6.0, 42.0), 4.0, 0xF0D9AE);
    }
}

fn rolls(canvas: &mut Canvas) {
    canvas.ellipse(67.0, 74.0, 54.0, 14.0, 0x8A6B4A);
    for (x, y) in [
        (40.0, 60.0),
        (68.0, 64.0),
        (94.0, 60.0),
        (54.0, 46.0),
        (80.0, 46.0),
    ] {
        canvas.ellipse(x, y, 15.0, 11.0, 0xB8742F);
        canvas.ellipse(x, y - 2.0, 13.0, 8.0, 0xD79A4E);
        canvas.line((x - 6.0, y - 2.0), (x + 6.0, y - 4.0), 2.0, 0xF3DFB8);
    }
}

fn cake(canvas: &mut Canvas, colour: Colour) {
    canvas.ellipse(67.0, 84.0, 44.0, 7.0, 0xFFFFFF);
    for (x, y, width, height) in [
        (31.0, 58.0, 72.0, 26.0),
        (42.0, 36.0, 50.0, 24.0),
        (53.0, 18.0, 28.0, 20.0),
    ] {
        canvas.block(x, y, width, height, 5.0, 0xFFF6EC);
        let mut drop = x + 5.0;
        while drop < x + width - 3.0 {
            canvas.circle(drop, y + 3.0, 3.6, colour);
            drop += 7.4;
        }
    }
    canvas.circle(67.0, 13.0, 5.0, 0xC8384A);
    canvas.line((67.0, 9.0), (71.0, 4.0), 1.4, 0x4E7A57);
}

fn dress(canvas: &mut Canvas, colour: Colour) {
    canvas.line((67.0, 6.0), (67.0, 14.0), 1.4, 0x7C7468);
    canvas.line((53.0, 18.0), (81.0, 18.0), 2.0, 0x7C7468);
    canvas.polygon(
        &[
            (55.0, 18.0),
            (79.0, 18.0),
            (76.0, 44.0),
            (97.0, 92.0),
            (37.0, 92.0),
            (58.0, 44.0),
        ],
        colour,
    );
    canvas.polygon(&[(61.0, 18.0), (73.0, 18.0), (67.0, 28.0)], 0xF1E4DA);
    canvas.block(57.0, 43.0, 20.0, 4.0, 1.5, 0xF0D9AE);
}

fn coat(canvas: &mut Canvas, colour: Colour) {
    canvas.block(44.0, 16.0, 46.0, 74.0, 8.0, colour);
    canvas.polygon(
        &[(46.0, 20.0), (28.0, 66.0), (38.0, 72.0), (50.0, 44.0)],
        darker(colour),
    );
    canvas.polygon(
        &[(88.0, 20.0), (106.0, 66.0), (96.0, 72.0), (84.0, 44.0)],
        darker(colour),
    );
    canvas.polygon(&[(56.0, 16.0), (78.0, 16.0), (67.0, 36.0)], 0xF3EDE2);
    canvas.line((67.0, 34.0), (67.0, 90.0), 1.2, darker(colour));
    for y in [46.0, 58.0, 70.0] {
        canvas.circle(71.5, y, 2.0, 0xF0D9AE);
    }
}

fn bag(canvas: &mut Canvas, colour: Colour) {
    canvas.ring(67.0, 38.0, 22.0, 4.0, darker(colour));
    canvas.block(35.0, 38.0, 64.0, 46.0, 7.0, colour);
    canvas.block(35.0, 38.0, 64.0, 18.0, 7.0, darker(colour));
    canvas.circle(67.0, 56.0, 4.0, 0xE8C56A);
}

fn wheel(canvas: &mut Canvas, x: f32, y: f32, r: f32) {
    for step in 0..12_u8 {
        let turn = f32::from(step) * std::f32::consts::PI / 6.0;
        canvas.line(
            (x, y),
            (x + turn.cos() * (r - 2.0), y + turn.sin() * (r - 2.0)),
            0.7,
            0x9AA0A6,
        );
    }
    canvas.ring(x, y, r, r * 0.11, 0x2A2D31);
    canvas.circle(x, y, r * 0.1, 0x5C6166);
}

fn bike(canvas: &mut Canvas, colour: Colour) {
    wheel(canvas, 34.0, 66.0, 22.0);
    wheel(canvas, 100.0, 66.0, 22.0);
    let (seat, crank, head) = ((52.0, 36.0), (62.0, 66.0), (88.0, 34.0));
    for (from, to) in [
        (seat, crank),
        (crank, head),
        (seat, head),
        (seat, (34.0, 66.0)),
        (crank, (34.0, 66.0)),
        (head, (100.0, 66.0)),
    ] {
        canvas.line(from, to, 3.4, colour);
    }
    canvas.line(seat, (49.0, 29.0), 2.6, 0x5C6166);
    canvas.block(41.0, 26.0, 17.0, 4.0, 2.0, 0x2A2D31);
    canvas.line(head, (85.0, 24.0), 2.6, 0x5C6166);
    canvas.line((85.0, 24.0), (97.0, 23.0), 2.6, 0x2A2D31);
    canvas.circle(crank.0, crank.1, 5.0, 0x5C6166);
}

fn key(canvas: &mut Canvas, colour: Colour) {
    canvas.ring(44.0, 50.0, 18.0, 7.0, 0xB8923A);
    canvas.block(60.0, 46.0, 48.0, 7.0, 2.0, 0xB8923A);
    canvas.block(92.0, 52.0, 5.0, 10.0, 1.0, 0xB8923A);
    canvas.block(102.0, 52.0, 5.0, 13.0, 1.0, 0xB8923A);
    canvas.line((30.0, 40.0), (18.0, 26.0), 2.0, 0x7C7468);
    canvas.block(8.0, 14.0, 16.0, 14.0, 4.0, colour);
}

fn story(canvas: &mut Canvas, colour: Colour) {
    canvas.block(0.0, 0.0, 134.0, 100.0, 0.0, colour);
    canvas.circle(104.0, 24.0, 34.0, 0xE9B44C);
    canvas.ellipse(50.0, 88.0, 60.0, 34.0, 0xF1E4DA);
    canvas.ellipse(50.0, 68.0, 30.0, 17.0, 0xBE7A3C);
    for x in [36.0, 48.0, 60.0] {
        canvas.line((x - 4.0, 73.0), (x + 4.0, 60.0), 3.0, 0xF0D9AE);
    }
}

fn thumb() -> Canvas {
    let mut canvas = Canvas::new(120, 120, 0xFFFFFF);
    canvas.block(18.0, 44.0, 16.0, 38.0, 4.0, 0x0866FF);
    canvas.block(38.0, 42.0, 44.0, 40.0, 9.0, 0x0866FF);
    canvas.line((46.0, 46.0), (56.0, 22.0), 13.0, 0x0866FF);
    canvas
}

/// A shop's round logo: `bread`, `moon`, `spoke`; anything else is an initial-like disc.
pub(crate) fn logo(name: &str, edge: u32) -> Canvas {
    let mut chance = Chance::seeded(name);
    let colour = chance.pick(&CLOTHS).copied().unwrap_or(0x2C3E63);
    match name {
        "bread" => {
            let mut canvas = Canvas::new(edge, edge, 0x2C3E63);
            canvas.ellipse(50.0, 58.0, 32.0, 20.0, 0xD79A4E);
            for x in [36.0, 50.0, 64.0] {
                canvas.line((x - 4.0, 64.0), (x + 4.0, 50.0), 3.4, 0xFBEBCB);
            }
            for turn in [-0.9_f32, -0.3, 0.3, 0.9] {
                canvas.ellipse(
                    50.0 + turn * 16.0,
                    25.0 + turn.abs() * 5.0,
                    4.6,
                    8.0,
                    0x6FA0E8,
                );
            }
            canvas.circle(50.0, 30.0, 4.0, 0xF3DFA8);
            canvas
        }
        "moon" => {
            let mut canvas = Canvas::new(edge, edge, 0xF1E4DA);
            canvas.circle(50.0, 50.0, 30.0, 0x6D466B);
            canvas.circle(61.0, 44.0, 25.0, 0xF1E4DA);
            canvas.circle(70.0, 30.0, 3.0, 0xC98B2B);
            canvas
        }
        "spoke" => {
            let mut canvas = Canvas::new(edge, edge, 0x2F5D50);
            for step in 0..8_u8 {
                let turn = f32::from(step) * std::f32::consts::PI / 4.0;
                canvas.line(
                    (50.0, 50.0),
                    (50.0 + turn.cos() * 30.0, 50.0 + turn.sin() * 30.0),
                    2.0,
                    0xF3DFA8,
                );
            }
            canvas.ring(50.0, 50.0, 34.0, 6.0, 0xF3DFA8);
            canvas.circle(50.0, 50.0, 6.0, 0xF3DFA8);
            canvas
        }
        _ => {
            let mut canvas = Canvas::new(edge, edge, colour);
            canvas.circle(50.0, 50.0, 26.0, 0xFFFFFF);
            canvas.circle(50.0, 50.0, 14.0, colour);
            canvas
        }
    }
}
