//! Colours for terminals that have fewer of them: the nearest that there is.

use crate::app::console::kind::Depth;
use ratatui::style::Color;

/// The colour as a terminal of that depth can show it.
pub fn shown(colour: Color, depth: Depth) -> Color {
    match (colour, depth) {
        (Color::Reset, _) | (_, Depth::True) => colour,
        (_, Depth::Mono) => Color::Reset,
        (Color::Rgb(r, g, b), Depth::Indexed) => Color::Indexed(cube([r, g, b])),
        (Color::Rgb(r, g, b), Depth::Sixteen) => sixteen([r, g, b]),
        (Color::Indexed(n), Depth::Sixteen) if n >= 16 => sixteen(of_index(n)),
        _ => colour,
    }
}

/// Levels of the cube of xterm's 256 colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of cube and greys.
fn cube(colour: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|n| apart(of_index(*n), colour)).unwrap_or(16)
}

fn of_index(n: u8) -> [u8; 3] {
    match n {
        232.. => [8 + (n - 232) * 10; 3],
        16.. => {
            let level = |step: u8| LEVELS.get(usize::from((n - 16) / step % 6)).copied().unwrap_or(0);
            [level(36), level(6), level(1)]
        }
        _ => SIXTEEN.get(usize::from(n)).map_or([0; 3], |(_, rgb)| *rgb),
    }
}

/// The sixteen, as xterm has them.
const SIXTEEN: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

fn sixteen(colour: [u8; 3]) -> Color {
    SIXTEEN.iter().min_by_key(|(_, rgb)| apart(*rgb, colour)).map_or(Color::Reset, |(name, _)| *name)
}

/// How far two colours lie apart, squared.
fn apart(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_becomes_the_nearest_that_there_is() {
        let red = Color::Rgb(250, 10, 5);
        assert_eq!(shown(red, Depth::True), red);
        assert_eq!(shown(red, Depth::Indexed), Color::Indexed(196));
        assert_eq!(shown(red, Depth::Sixteen), Color::LightRed);
        assert_eq!(shown(red, Depth::Mono), Color::Reset);
        assert_eq!(shown(Color::Rgb(127, 128, 126), Depth::Indexed), Color::Indexed(244));
        assert_eq!(shown(Color::Indexed(244), Depth::Sixteen), Color::DarkGray);
        assert_eq!(shown(Color::Cyan, Depth::Sixteen), Color::Cyan);
    }
}
