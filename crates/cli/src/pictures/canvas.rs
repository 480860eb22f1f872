//! A square of pixels that shapes and words are drawn on.

use std::convert::Infallible;

use embedded_graphics::mono_font::ascii::{FONT_6X13, FONT_7X13_BOLD};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};

/// Width and height in pixels.
pub(super) const SIDE: u32 = 440;

pub(super) const INK: Rgb888 = Rgb888::new(40, 40, 40);
pub(super) const FAINT: Rgb888 = Rgb888::new(190, 190, 190);
pub(super) const BLUE: Rgb888 = Rgb888::new(33, 96, 168);

/// A picture that is being drawn.
pub(super) struct Canvas(Vec<Rgb888>);

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(SIDE, SIDE)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
                && x < SIDE
                && y < SIDE
            {
                self.0[(y * SIDE + x) as usize] = colour;
            }
        }
        Ok(())
    }
}

impl Canvas {
    /// All white.
    pub(super) fn new() -> Self {
        Self(vec![Rgb888::WHITE; (SIDE * SIDE) as usize])
    }

    /// Words with their middle at `at`.
    pub(super) fn words(&mut self, text: &str, at: (i32, i32), colour: Rgb888) {
        self.text(text, at, colour, Alignment::Center, &FONT_6X13);
    }

    /// Words that end at `at`.
    pub(super) fn words_before(&mut self, text: &str, at: (i32, i32), colour: Rgb888) {
        self.text(text, at, colour, Alignment::Right, &FONT_6X13);
    }

    /// What the picture is, at its head.
    pub(super) fn title(&mut self, text: &str) {
        self.text(text, (SIDE as i32 / 2, 16), INK, Alignment::Center, &FONT_7X13_BOLD);
    }

    fn text(
        &mut self,
        text: &str,
        at: (i32, i32),
        colour: Rgb888,
        alignment: Alignment,
        font: &MonoFont<'_>,
    ) {
        // The font knows ASCII alone, and numbers have a typographer's minus.
        let text = &text.replace('−', "-").replace(['\u{a0}', '\u{2009}'], " ");
        let place = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Middle).build();
        let style = MonoTextStyle::new(font, colour);
        drawn(Text::with_text_style(text, at.into(), style, place).draw(self).map(drop));
    }

    pub(super) fn line(&mut self, from: (i32, i32), to: (i32, i32), colour: Rgb888) {
        let line = Line::new(from.into(), to.into());
        drawn(line.into_styled(PrimitiveStyle::with_stroke(colour, 1)).draw(self));
    }

    /// A filled disc of so many pixels across.
    pub(super) fn dot(&mut self, at: (i32, i32), across: u32, colour: Rgb888) {
        let disc = Circle::with_center(at.into(), across);
        drawn(disc.into_styled(PrimitiveStyle::with_fill(colour)).draw(self));
    }

    /// A filled rectangle from its upper left corner.
    pub(super) fn block(&mut self, from: (i32, i32), size: (u32, u32), colour: Rgb888) {
        let block = Rectangle::new(from.into(), Size::new(size.0, size.1));
        drawn(block.into_styled(PrimitiveStyle::with_fill(colour)).draw(self));
    }

    /// As the bytes of a PNG file.
    pub(super) fn into_png(self) -> anyhow::Result<Vec<u8>> {
        let pixels: Vec<u8> = self.0.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

/// White at 0, `colour` at 1.
pub(super) fn tint(share: f64, colour: Rgb888) -> Rgb888 {
    let mixed = |full: u8| (255.0 - share.clamp(0.0, 1.0) * (255.0 - f64::from(full))) as u8;
    Rgb888::new(mixed(colour.r()), mixed(colour.g()), mixed(colour.b()))
}

/// Drawing into a buffer cannot fail.
fn drawn(result: Result<(), Infallible>) {
    match result {
        Ok(()) => {}
        Err(never) => match never {},
    }
}
