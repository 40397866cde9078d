//! Two numbers that move together, one chart above the other on one time scale.

use crate::{
    model::{
        ahead::{after, stretch},
        metric::Key,
        time::Wall,
    },
    ui::{
        canvas::Canvas,
        chart::{Grow, scale_of_most},
        course::Course,
        foresight,
        panels::reader::Prose,
        state::State,
    },
};
use std::time::Duration;

/// Seconds that the charts show.
pub const SPAN: f64 = 3600.0;

/// Draws both charts above the page.
pub fn draw_charts(state: &State, (leads, follows): (&Key, &Key), mut canvas: Canvas<'_>) {
    let (width, half) = (canvas.width(), canvas.height() / 2);
    let dots = usize::from(width) * 2;
    let (now, each) = (state.shown().now.wall, SPAN / dots.max(1) as f64);
    let moments: Vec<Wall> = (0..dots).map(|dot| after(now, -((dots - 1 - dot) as f64) * each)).collect();
    let each = Duration::from_secs_f64(each.max(1.0));
    for (i, (key, styles)) in (0..).zip([(leads, state.theme().chart), (follows, state.theme().second)]) {
        let points = foresight::values(state, key, &moments, each);
        let full = scale_of_most(&points, 1e-6);
        let mut part = canvas.part(0, i * half, width, half);
        let unit = key.metric.unit();
        let title = format!("{}, full height {}, {}", key.path(), unit.show(full), stretch(SPAN));
        part.short(0, 0, width, &title, state.theme().dim);
        let course = Course {
            points: &points,
            shades: &[],
            scale: (0.0, full),
            ink: state.look.ink,
            grow: Grow::Up,
            styles: (styles, styles),
        };
        course.draw(&mut part.part(0, 1, width, half.saturating_sub(1)));
    }
}

/// Writes the page; returns its title.
pub fn write(state: &State, leads: &Key, follows: &Key, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let links = foresight::outlook(state).map(|outlook| outlook.links.as_slice()).unwrap_or_default();
    match links.iter().find(|link| link.leads == *leads && link.follows == *follows) {
        None => prose.text("They move together no more.", theme.dim),
        Some(link) => {
            prose.text(&link.words(), theme.text);
            prose.text(
                "r is the correlation of their changes at that lag, with its 95 % interval; q the chance of one as strong by accident \
                 among all that were looked at. What leads is not for that the cause.",
                theme.dim,
            );
        }
    }
    "They move together".into()
}
