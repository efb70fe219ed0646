//! Flat drawing: a picture at twice its size, filled shapes, smoothed by halving. Coordinates run from
//! 0 to 100 over the shorter edge, so a drawing does not know its resolution.

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

/// A colour as `0xRRGGBB`.
pub(crate) type Colour = u32;

fn rgb(colour: Colour) -> Rgb<u8> {
    let [_, r, g, b] = colour.to_be_bytes();
    Rgb([r, g, b])
}

/// A picture being drawn.
#[derive(Debug)]
pub(crate) struct Canvas {
    big: RgbImage,
    scale: f32,
}

impl Canvas {
    /// `width` × `height` pixels of one colour.
    pub(crate) fn new(width: u32, height: u32, colour: Colour) -> Self {
        Canvas {
            big: RgbImage::from_pixel(width * 2, height * 2, rgb(colour)),
            scale: width.min(height) as f32 * 2.0 / 100.0,
        }
    }

    /// Paints every point for which `inside` holds, in the box around it.
    fn paint(
        &mut self,
        bounds: (f32, f32, f32, f32),
        colour: Colour,
        inside: impl Fn(f32, f32) -> bool,
    ) {
        let (left, top, right, bottom) = bounds;
        let limit = |value: f32, most: u32| (value * self.scale).clamp(0.0, most as f32) as u32;
        let (width, height) = self.big.dimensions();
        let (from_x, to_x) = (limit(left, width), limit(right + 1.0, width));
        let (from_y, to_y) = (limit(top, height), limit(bottom + 1.0, height));
        for y in from_y..to_y {
            for x in from_x..to_x {
                let (u, v) = ((x as f32 + 0.5) / self.scale, (y as f32 + 0.5) / self.scale);
                if inside(u, v) {
                    self.big.put_pixel(x, y, rgb(colour));
                }
            }
        }
    }

    /// An ellipse around (x, y).
    pub(crate) fn ellipse(&mut self, x: f32, y: f32, rx: f32, ry: f32, colour: Colour) {
        let bounds = (x - rx, y - ry, x + rx, y + ry);
        self.paint(bounds, colour, |u, v| {
            ((u - x) / rx).powi(2) + ((v - y) / ry).powi(2) <= 1.0
        });
    }

    /// A circle around (x, y).
    pub(crate) fn circle(&mut self, x: f32, y: f32, r: f32, colour: Colour) {
        self.ellipse(x, y, r, r, colour);
    }

    /// A ring around (x, y).
    pub(crate) fn ring(&mut self, x: f32, y: f32, r: f32, thick: f32, colour: Colour) {
        let bounds = (x - r, y - r, x + r, y + r);
        self.paint(bounds, colour, |u, v| {
            let far = ((u - x).powi(2) + (v - y).powi(2)).sqrt();
            far <= r && far >= r - thick
        });
    }

    /// A box with rounded corners.
    pub(crate) fn block(
        &mut self,
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        round: f32,
        colour: Colour,
    ) {
        let bounds = (x, y, x + width, y + height);
        self.paint(bounds, colour, |u, v| {
            let dx = (x + round - u).max(u - (x + width - round)).max(0.0);
            let dy = (y + round - v).max(v - (y + height - round)).max(0.0);
            u >= x
                && u <= x + width
                && v >= y
                && v <= y + height
                && dx * dx + dy * dy <= round * round + 0.01
        });
    }

    /// A thick line with round ends.
    pub(crate) fn line(&mut self, from: (f32, f32), to: (f32, f32), thick: f32, colour: Colour) {
        let half = thick / 2.0;
        let bounds = (
            from.0.min(to.0) - half,
            from.1.min(to.1) - half,
            from.0.max(to.0) + half,
            from.1.max(to.1) + half,
        );
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).max(0.001);
        self.paint(bounds, colour, |u, v| {
            let along = (((u - from.0) * dx + (v - from.1) * dy) / length).clamp(0.0, 1.0);
            let (px, py) = (from.0 + along * dx - u, from.1 + along * dy - v);
            px * px + py * py <= half * half
        });
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, points: &[(f32, f32)], colour: Colour) {
        let low = |pick: fn(&(f32, f32)) -> f32| points.iter().map(pick).fold(f32::MAX, f32::min);
        let high = |pick: fn(&(f32, f32)) -> f32| points.iter().map(pick).fold(f32::MIN, f32::max);
        let bounds = (low(|p| p.0), low(|p| p.1), high(|p| p.0), high(|p| p.1));
        self.paint(bounds, colour, |u, v| {
            let mut inside = false;
            let mut before = points.last().copied().unwrap_or_default();
            for &point in points {
                let crosses = (point.1 > v) != (before.1 > v);
                if crosses
                    && u < (before.0 - point.0) * (v - point.1) / (before.1 - point.1) + point.0
                {
                    inside = !inside;
                }
                before = point;
            }
            inside
        });
    }

    /// The lower half of a ring: a smile.
    pub(crate) fn smile(&mut self, x: f32, y: f32, r: f32, thick: f32, colour: Colour) {
        self.paint((x - r, y, x + r, y + r), colour, |u, v| {
            let far = ((u - x).powi(2) + (v - y).powi(2)).sqrt();
            v >= y + r * 0.25 && far <= r && far >= r - thick
        });
    }

    fn finished(&self) -> RgbImage {
        let (width, height) = self.big.dimensions();
        resize(&self.big, width / 2, height / 2, FilterType::Triangle)
    }

    /// As JPEG of this quality (1 to 100).
    pub(crate) fn jpeg(&self, quality: u8) -> Bytes {
        let picture = self.finished();
        let mut out = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut out, quality);
        let (width, height) = picture.dimensions();
        match encoder.write_image(&picture, width, height, ExtendedColorType::Rgb8) {
            Ok(()) => Bytes::from(out),
            Err(error) => failed(&error),
        }
    }

    /// As PNG.
    pub(crate) fn png(&self) -> Bytes {
        let picture = self.finished();
        let mut out = Vec::new();
        let (width, height) = picture.dimensions();
        match PngEncoder::new(&mut out).write_image(
            &picture,
            width,
            height,
            ExtendedColorType::Rgb8,
        ) {
            Ok(()) => Bytes::from(out),
            Err(error) => failed(&error),
        }
    }
}

/// Encoding into memory cannot fail for these formats; an empty picture would be seen at once.
fn failed(error: &image::ImageError) -> Bytes {
    tracing::error!(%error, "a picture was not encoded");
    Bytes::new()
}
