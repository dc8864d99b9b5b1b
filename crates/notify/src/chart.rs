//! A digest's chart as a PNG: stacked bars, a line for every quarter, and no letters, which would
//! need a font; what it shows is said beside it.

use plotters::prelude::{
    BitMapBackend, IntoDrawingArea as _, PathElement, RGBColor, Rectangle, WHITE,
};

use crate::message::Chart;
use crate::when;

/// The name that the HTML part knows the picture by.
pub(crate) const CONTENT_ID: &str = "chart@vendlog";

/// Width and height in pixels: readable on a telephone, 4 kB at most.
const SIZE: (u32, u32) = (640, 160);
/// Colours in the order of `Severity::ALL`.
const COLOURS: [RGBColor; 4] = [
    RGBColor(120, 144, 156),
    RGBColor(240, 180, 41),
    RGBColor(230, 110, 40),
    RGBColor(190, 30, 45),
];
const GRID: RGBColor = RGBColor(227, 229, 232);

/// The picture; nothing when there is nothing to draw or it cannot be drawn, for a digest without
/// a picture is still a digest.
pub(crate) fn png(chart: &Chart) -> Option<Vec<u8>> {
    if chart.bars.is_empty() {
        return None;
    }
    let mut pixels = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
    draw(chart, &mut pixels)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

fn draw(chart: &Chart, pixels: &mut [u8]) -> Option<()> {
    let area = BitMapBackend::with_buffer(pixels, SIZE).into_drawing_area();
    area.fill(&WHITE).ok()?;
    let (width, height) = (SIZE.0 as i32, SIZE.1 as i32);
    for quarter in 0..=4 {
        let y = (height - 1) * quarter / 4;
        area.draw(&PathElement::new(vec![(0, y), (width, y)], GRID))
            .ok()?;
    }
    let highest = highest(chart).max(1) as f64;
    let slot = f64::from(width) / chart.bars.len() as f64;
    for (number, bar) in chart.bars.iter().enumerate() {
        let left = (number as f64 * slot) as i32;
        let right = (((number + 1) as f64 * slot) as i32 - 1).max(left + 1);
        let mut below = 0u64;
        for (count, colour) in bar.counts.into_iter().zip(COLOURS) {
            if count == 0 {
                continue;
            }
            let y = |count: u64| height - (count as f64 / highest * f64::from(height)) as i32;
            let above = below.saturating_add(count);
            // One pixel at least: a single CRITICAL must be seen beside a thousand errors.
            let (top, bottom) = (y(above).min(y(below) - 1), y(below));
            let corners = [(left, top.max(0)), (right, bottom)];
            use plotters::style::Color as _;
            area.draw(&Rectangle::new(corners, colour.filled())).ok()?;
            below = above;
        }
    }
    area.present().ok()
}

/// The sum of the highest bar.
pub(crate) fn highest(chart: &Chart) -> u64 {
    let sums = chart.bars.iter().map(|bar| sum(&bar.counts));
    sums.max().unwrap_or(0)
}

/// For who does not see the picture.
pub(crate) fn in_words(chart: &Chart, timezone: &str) -> String {
    let highest = chart.bars.iter().max_by_key(|bar| sum(&bar.counts));
    let at = highest.map(|bar| when::short(bar.at, timezone));
    let total = chart.bars.iter().map(|bar| sum(&bar.counts));
    let total = total.fold(0, u64::saturating_add);
    let most = highest.map_or(0, |bar| sum(&bar.counts));
    format!(
        "{}: {total} in {} bars, most ({most}) from {}",
        chart.title,
        chart.bars.len(),
        at.unwrap_or_default()
    )
}

fn sum(counts: &[u64; 4]) -> u64 {
    counts
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Bar;
    use wire::Micros;

    #[test]
    fn a_single_critical_is_seen_beside_a_thousand_errors() {
        let bar = |counts| Bar {
            at: Micros(0),
            counts,
        };
        let chart = Chart {
            title: String::new(),
            bars: vec![
                bar([0, 0, 1000, 0]),
                bar([0, 0, 0, 1]),
                bar([400, 300, 200, 100]),
            ],
        };
        let endless = Chart {
            title: String::new(),
            bars: vec![bar([u64::MAX; 4]); 3],
        };
        assert!(png(&endless).is_some(), "no count is too large");
        let png = png(&chart).expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let has = |RGBColor(r, g, b): RGBColor| pixels.chunks(3).any(|p| p == [r, g, b]);
        assert!(
            COLOURS.into_iter().all(has),
            "every severity has its colour"
        );
        assert!(png.len() < 16_000, "{} bytes", png.len());
    }
}
