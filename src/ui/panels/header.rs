//! The header: which host, how it does, what trimtab may do and what it costs; and the banner below it.

use crate::{
    model::{limits::Mode, message::GuardState, role::Role, unit::Unit},
    ui::{ahead, alerts, canvas::Canvas, layout, pane::Pane, panels::findings, state::State, words},
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use unicode_width::UnicodeWidthStr;

/// One part of the header; parts of the highest number go first when room is short.
struct Part {
    label: &'static str,
    text: String,
    style: Style,
    yields: u8,
}

/// Draws the header.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let mut canvas = Canvas::new(area, buf);
    let theme = state.theme();
    let view = state.shown();
    let clock = words::clock(view.now.wall);
    let mut parts = parts(state);
    let mut room = usize::from(canvas.width()).saturating_sub(10);
    let clock_fits = room >= 40;
    room = room.saturating_sub(if clock_fits { clock.width() + 2 } else { 0 });
    let wide = |parts: &[Part]| parts.iter().map(|p| p.label.width() + p.text.width() + 3).sum::<usize>();
    while wide(&parts) > room {
        let Some(at) = (0..parts.len()).max_by_key(|i| parts.get(*i).map(|p| p.yields)) else { break };
        parts.remove(at);
    }
    let mut x = canvas.text(1, 0, "trimtab", theme.accent);
    for part in &parts {
        x = canvas.text(x + 3, 0, part.label, theme.dim);
        x = canvas.text(x, 0, &part.text, part.style);
    }
    if clock_fits {
        canvas.right(canvas.width().saturating_sub(1), 0, &clock, theme.dim);
    }
}

fn parts(state: &State) -> Vec<Part> {
    let theme = state.theme();
    let view = state.shown();
    let facts = &view.facts;
    let part = |label, text: String, style, yields| Part { label, text, style, yields };
    let mut parts = vec![
        part("", facts.host.to_string(), theme.title, 1),
        part("Linux ", short_release(&facts.kernel), theme.text, 7),
        part("cpus ", facts.cpus.to_string(), theme.text, 6),
        part("up ", words::span(view.now.tick.0 as f64 / 1e9), theme.text, 8),
    ];
    if let Some([one, five, fifteen]) = view.snapshot.vitals.cpu.known().and_then(|cpu| cpu.load) {
        let style = theme.level(one / f64::from(facts.cpus.max(1)), 1.5, 4.0);
        parts.push(part("load ", format!("{one:.1} {five:.1} {fifteen:.1}"), style, 3));
    }
    for emergency in &view.emergencies {
        let text = format!("!! EMERGENCY {} {}", emergency.kind.row(), emergency.stage.short());
        parts.insert(0, part("", text, theme.critical, 0));
    }
    let firing: Vec<_> = alerts::firing(state).collect();
    if let Some(worst) = firing.iter().map(|alert| alert.severity).max() {
        let many = if firing.len() == 1 { "" } else { "s" };
        parts.push(part("", format!("{} {} alert{many}", worst.sign(), firing.len()), findings::style(theme, worst), 0));
    }
    let odd: Vec<_> = Pane::ALL.iter().filter_map(|pane| ahead::odd(state, *pane)).collect();
    if let Some(worst) = odd.iter().map(|(_, severity)| *severity).max() {
        let count: usize = odd.iter().map(|(count, _)| count).sum();
        parts.push(part("", format!("{} {count} odd", worst.sign()), findings::style(theme, worst), 3));
    }
    if view.halted.is_some() {
        parts.push(part("", "HALTED".into(), theme.critical, 0));
    }
    let mode = if view.mode == Mode::Auto { theme.warning } else { theme.good };
    parts.push(part("mode ", view.mode.words().into(), mode, 2));
    if state.role < Role::Admin {
        parts.push(part("you are ", state.role.words().into(), theme.warning, 1));
    }
    // With one console alone, that is the operator's own.
    if view.present.len() > 1 {
        let mut names: Vec<&str> = view.present.iter().map(|present| &*present.user).collect();
        names.dedup();
        parts.push(part("here ", format!("{} ({})", view.present.len(), names.join(", ")), theme.text, 6));
    }
    parts.push(match &view.guard {
        GuardState::Idle => part("guard ", "idle".into(), theme.dim, 9),
        GuardState::Armed { plans, .. } => part("guard ", format!("armed, {plans}"), theme.good, 4),
        GuardState::Failed(_) => part("guard ", "FAILED".into(), theme.critical, 0),
    });
    parts.push(cost(state));
    if let Some(why) = view.cost.pace.slow {
        let text = format!("sweeps every {}, {}", Unit::Seconds.show(view.cost.pace.sweep), why.words());
        parts.push(part("slow: ", text, theme.warning, 0));
    }
    parts
}

/// What trimtab uses of what it may.
fn cost(state: &State) -> Part {
    let cost = &state.shown().cost;
    let over = cost.cpu > cost.budget.cpu || cost.resident > cost.budget.resident;
    let share = |value| Unit::Share.show(value);
    let text = format!("{} of {}  {}", share(cost.cpu), share(cost.budget.cpu), Unit::Bytes.show(mebibytes(cost.resident)));
    let theme = state.theme();
    Part { label: "cost ", text, style: if over { theme.warning } else { theme.text }, yields: 5 }
}

/// Whole mebibytes: the rest changes every second and says nothing.
fn mebibytes(bytes: u64) -> f64 {
    (bytes as f64 / 1_048_576.0).round() * 1_048_576.0
}

/// `6.1.0-18-amd64` as `6.1.0`.
fn short_release(release: &str) -> String {
    release.split(['-', '+']).next().unwrap_or(release).to_string()
}

/// Draws the banner, if there is reason for one.
pub fn draw_banner(state: &State, area: Rect, buf: &mut Buffer) {
    let Some(text) = layout::banner(state) else { return };
    let theme = state.theme();
    let style = if state.frozen.is_some() && !state.lost { theme.warning } else { theme.critical };
    let mut canvas = Canvas::new(area, buf);
    let width = canvas.width();
    canvas.short(1, 0, width.saturating_sub(1), &text, style);
}
