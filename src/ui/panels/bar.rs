//! The bottom bar: the keys that work here and now, from the table of keys; or one line for the operator.

use crate::ui::{
    act,
    canvas::Canvas,
    keymap::Bound,
    keys::{Context, Intent, Reach},
    spots::{Spot, Spots},
    state::State,
};
use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr;

/// The rows of the table that can be used now, the most specific first.
pub fn usable(state: &State) -> Vec<&Bound> {
    let contexts = state.contexts();
    let mut all: Vec<&Bound> = state
        .keymap
        .rows
        .iter()
        .filter(|b| !b.keys.is_empty() && !b.short.is_empty() && contexts.contains(&b.context))
        .filter(|b| act::obstacle(state, b.intent).is_none() && !act::is_idle(state, b.intent))
        .collect();
    all.sort_by_key(|b| (weight(b), contexts.iter().position(|c| *c == b.context).map(|at| usize::MAX - at)));
    all
}

/// What moves a change along comes first, what everybody knows last.
fn weight(binding: &Bound) -> u8 {
    match (binding.reach, binding.context, binding.intent) {
        (_, _, Intent::RollBackAll) => 3,
        (Reach::Host | Reach::Queue, ..) => 0,
        (_, Context::Queue, _) | (_, _, Intent::Copy) => 2,
        (_, Context::Global | Context::Always, _) => 4,
        _ => 1,
    }
}

/// Draws the bar.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let theme = state.theme();
    let mut canvas = Canvas::new(area, buf);
    let width = canvas.width();
    if let Some(toast) = &state.toast {
        canvas.short(1, 0, width.saturating_sub(2), &toast.text, if toast.bad { theme.warning } else { theme.good });
        return;
    }
    let all = usable(state);
    let (always, rest): (Vec<&Bound>, Vec<&Bound>) = all.iter().partition(|b| matches!(b.intent, Intent::Help | Intent::Quit));
    let wide = |b: &Bound| (b.keys.first().map_or(0, |k| k.to_string().width()) + b.short.width() + 3) as u16;
    let kept: u16 = always.iter().map(|b| wide(b)).sum();
    let mut x = 1;
    for binding in rest {
        if x + wide(binding) + kept <= width {
            x = hint(state, binding, x, (&mut canvas, spots));
        }
    }
    let mut x = width.saturating_sub(kept).max(x);
    for binding in always {
        x = hint(state, binding, x, (&mut canvas, spots));
    }
}

fn hint(state: &State, binding: &Bound, x: u16, (canvas, spots): (&mut Canvas<'_>, &mut Spots)) -> u16 {
    let theme = state.theme();
    let key = binding.keys.first().map(ToString::to_string).unwrap_or_default();
    let end = canvas.text(x, 0, &key, theme.accent);
    let end = canvas.text(end + 1, 0, binding.short, theme.dim);
    spots.add(canvas.part(x, 0, end.saturating_sub(x), 1).row(0), Spot::Key(binding.intent));
    end + 2
}
