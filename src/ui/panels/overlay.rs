//! What lies over a page: questions, menus, fields.

use crate::{
    model::{
        emergency::RungState,
        unit::Unit,
        when,
        wish::{Signal, Wish},
    },
    ui::{
        act::{self, INTERVALS, MODES},
        alerts,
        canvas::Canvas,
        dialog::{Dialog, Question, find},
        frame::boxed,
        keys::Intent,
        panels::{
            field::{self, draw_entry},
            palette, processes, track,
        },
        spots::{Spot, Spots},
        state::{Over, State},
        wish, words,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Flex, Layout, Rect},
    style::Style,
    text::Line,
    widgets::{Clear, Widget},
};

/// Draws it, if there is one.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let to = &mut (buf, spots);
    match &state.over {
        Over::Dialog(dialog) => draw_dialog(state, dialog, area, to),
        Over::SortMenu(row) => menu(state, "Columns: x shown, . where there is room", &processes::menu(state), *row, area, to),
        Over::IntervalMenu(row) => {
            let rows = INTERVALS.map(|millis| Unit::Seconds.show(f64::from(millis) / 1000.0));
            menu(state, "Interval", &rows, *row, area, to);
        }
        Over::ModeMenu(row) => {
            let rows = [
                "observe   watch only, change nothing",
                "suggest   propose, act on approval",
                "auto      apply low-risk reversible changes by itself",
            ];
            debug_assert_eq!(rows.len(), MODES.len());
            menu(state, "Mode", &rows, *row, area, to);
        }
        Over::SnoozeMenu { alert, row } => {
            menu(state, &format!("Put {alert} off"), &alerts::SNOOZES.map(|(words, _)| words), *row, area, to);
        }
        Over::SignalMenu(row) => {
            let rows: Vec<String> = Signal::ALL.iter().map(|s| format!("{:<5} {}", s.name(), s.help())).collect();
            menu(state, &format!("Signal to {}", wish::whom(state)), &rows, *row, area, to);
        }
        Over::NiceMenu(row) => {
            let rows: Vec<String> = wish::NICE.iter().map(|nice| format!("{nice:>3}  {}", wish::about(*nice))).collect();
            menu(state, &format!("Nice of {}", wish::whom(state)), &rows, *row, area, to);
        }
        Over::ThemeMenu { row, .. } => {
            let rows: Vec<&str> = state.look.themes.iter().map(|theme| theme.name.as_str()).collect();
            menu(state, "Theme", &rows, *row, area, to);
        }
        Over::LayoutMenu { row, .. } => {
            let rows: Vec<String> = state.look.layouts.iter().map(|l| format!("{:<10} {}", l.name, l.about)).collect();
            menu(state, "Layout", &rows, *row, area, to);
        }
        Over::Marks(row) => {
            let rows: Vec<String> =
                state.travel.marks.iter().map(|mark| format!("{}  {}", when::show(mark.at), mark.text)).collect();
            menu(state, "Bookmarks", &rows, *row, area, to);
        }
        Over::Jump(entry) => {
            let inner = window(state, "Go to (UTC)", (44, 2), area, to);
            let mut canvas = Canvas::new(inner, to.0);
            canvas.text(1, 1, "14:05   -10m   -2h30m   2026-11-21 14:05", state.theme().dim);
            let width = canvas.width().saturating_sub(2);
            draw_entry(entry, state.theme().text, state.theme().selected, &mut canvas.part(1, 0, width, 1));
        }
        Over::Filter(of) => field::draw(state, of, area, to.0),
        Over::Palette(of) => palette::draw(state, of, area, to),
        Over::Nothing => {}
    }
}

/// Where it is drawn, and noted down for a mouse.
type To<'a> = (&'a mut Buffer, &'a mut Spots);

/// A cleared box in the middle; returns what is inside.
fn window(state: &State, title: &str, (wide, tall): (u16, u16), area: Rect, to: &mut To<'_>) -> Rect {
    let (buf, spots) = to;
    let [row] = Layout::vertical([tall.saturating_add(2).min(area.height)]).flex(Flex::Center).areas(area);
    let [at] = Layout::horizontal([wide.saturating_add(4).min(area.width)]).flex(Flex::Center).areas(row);
    spots.add(at, Spot::Over);
    Clear.render(at, buf);
    buf.set_style(at, state.theme().text);
    boxed(state, true, Line::styled(format!(" {title} "), state.theme().accent), Line::default(), at, buf)
}

fn menu(state: &State, title: &str, rows: &[impl AsRef<str>], chosen: usize, area: Rect, to: &mut To<'_>) {
    let wide = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0) as u16 + 2;
    let wide = wide.max(title.chars().count() as u16 + 2);
    let inner = window(state, title, (wide.max(16), rows.len() as u16), area, to);
    let (buf, spots) = to;
    let mut canvas = Canvas::new(inner, buf);
    let width = canvas.width();
    let skip = (chosen + 1).saturating_sub(canvas.height().into());
    for (y, (i, row)) in (0..canvas.height()).zip(rows.iter().enumerate().skip(skip)) {
        canvas.text(1, y, row.as_ref(), state.theme().text);
        spots.add(canvas.row(y), Spot::Choice(i));
        if i == chosen {
            canvas.tint(0, y, width, state.theme().selected);
        }
    }
}

fn draw_dialog(state: &State, dialog: &Dialog, area: Rect, to: &mut To<'_>) {
    let wide = area.width.saturating_sub(6).clamp(1, 72);
    let lines = lines(state, dialog, wide.into());
    let tall = lines.len() as u16 + 2;
    let title = title(dialog);
    let inner = window(state, &title, (wide, tall), area, to);
    let (buf, spots) = to;
    let mut canvas = Canvas::new(inner, buf);
    // Where room is short the last lines are the ones that must be seen.
    let last = canvas.height().saturating_sub(1);
    for (y, (text, style)) in (0..last.saturating_sub(1).max(u16::from(last > 0))).zip(&lines) {
        canvas.text(0, y, text, *style);
    }
    answer(state, dialog, last, (&mut canvas, spots));
}

fn title(dialog: &Dialog) -> String {
    match &dialog.question {
        Question::Apply(id, _) => format!("Apply {id}?"),
        Question::Keep(id) => format!("Keep {id}?"),
        Question::RollBack(id) => format!("Roll {id} back?"),
        Question::RollBackAll => "Roll everything back, and hold?".into(),
        Question::Rescue(kind) => format!("Fight emergency {}?", kind.row()),
        Question::Wish(Wish::Nice { to, .. }, _) => format!("Set nice {to}?"),
        Question::Wish(Wish::Signal { signal, .. }, _) => format!("Send SIG{}?", signal.name()),
        Question::Auto => "Let trimtab act by itself?".into(),
        Question::Halt => "Stop everything new?".into(),
        Question::Resume => "Lift the halt?".into(),
        Question::Quit => "Leave now?".into(),
    }
}

/// The last line: how to say yes and no, or that it is too late.
fn answer(state: &State, dialog: &Dialog, y: u16, (canvas, spots): (&mut Canvas<'_>, &mut Spots)) {
    let theme = state.theme();
    if dialog.stale.is_some() {
        canvas.text(0, y, "not done; any key closes this", theme.warning);
        return;
    }
    let (yes, label) = if dialog.is_armed(state.now.tick) { (theme.accent, theme.text) } else { (theme.dim, theme.dim) };
    let x = match &dialog.code {
        Some(code) => {
            let x = canvas.text(0, y, "type ", label);
            let x = canvas.text(x, y, code, yes);
            let x = canvas.text(x, y, " to confirm: ", label);
            canvas.text(x, y, &format!("{:_<3}", dialog.typed), yes)
        }
        None => {
            let x = canvas.text(0, y, "y", yes);
            let x = canvas.text(x, y, " yes", label);
            spots.add(canvas.part(0, y, x, 1).row(0), Spot::Key(Intent::Confirm));
            x
        }
    };
    let no = if dialog.code.is_some() { " Esc cancel " } else { " n no " };
    let end = canvas.text(x + 4, y, no, theme.selected);
    spots.add(canvas.part(x + 4, y, end.saturating_sub(x + 4), 1).row(0), Spot::Key(Intent::Cancel));
}

fn lines(state: &State, dialog: &Dialog, width: usize) -> Vec<(String, Style)> {
    let theme = state.theme();
    let mut all: Vec<(String, Style)> = Vec::new();
    let mut say = |text: &str, style: Style| all.extend(words::wrap(text, width).into_iter().map(|line| (line, style)));
    match &dialog.question {
        Question::Apply(id, _) => {
            if let Some(change) = find(&state.view, *id) {
                say(&change.proposal.title, theme.title);
                for step in change.plan.iter().flat_map(|plan| plan.steps.iter()).take(4) {
                    let (before, after) = step.lines();
                    say(&format!("{}: {before} → {after}", step.knob), theme.text);
                }
                let more = change.plan.as_ref().map_or(0, |plan| plan.steps.len()).saturating_sub(4);
                if more > 0 {
                    say(&format!("and {}", act::count(more, "more write")), theme.dim);
                }
                say(&format!("expect: {}", change.proposal.expect), theme.text);
                say(&format!("risk {}; undo: {}", change.proposal.risk.words(), change.proposal.undo), theme.dim);
                let now = track::newest(state, &change.proposal.trial.primary);
                say(&format!("judged by {}, now {now}", change.proposal.trial.primary), theme.dim);
            }
        }
        Question::Keep(id) => {
            say("It stays without a verdict; the guard lets go of it.", theme.text);
            say(find(&state.view, *id).map_or("", |c| c.proposal.title.as_str()), theme.dim);
        }
        Question::RollBack(id) => {
            if let Some(change) = find(&state.view, *id) {
                say(&change.proposal.title, theme.title);
                say(&change.proposal.undo, theme.text);
            }
        }
        Question::RollBackAll => {
            let live: Vec<String> = state.view.changes.iter().filter(|c| c.state.is_live()).map(|c| c.id.to_string()).collect();
            say(&format!("Every applied change is undone, newest first: {}", live.join(", ")), theme.text);
            say("Then the mode is observe until you switch it.", theme.text);
        }
        Question::Rescue(kind) => {
            if let Some(emergency) = state.view.emergencies.iter().find(|e| e.kind == *kind) {
                say(&emergency.headline, theme.title);
                for rung in &emergency.ladder {
                    let barred = matches!(rung.state, RungState::Barred(_));
                    let text = format!("{:<6} {}", rung.reach.words(), rung.title);
                    say(&text, if barred { theme.dim } else { theme.text });
                }
                say("One after the other, each for some seconds, until it gets better; grey ones are left out.", theme.dim);
            }
        }
        Question::Wish(wish, names) => {
            for name in names.iter().take(8) {
                say(name, theme.title);
            }
            if names.len() > 8 {
                say(&format!("and {} more", names.len() - 8), theme.title);
            }
            match wish {
                Wish::Nice { .. } => say("It is not measured: it stands until you roll it back.", theme.text),
                Wish::Signal { signal, .. } => {
                    say(&format!("{}. A signal cannot be taken back.", signal.help()), theme.text);
                }
            }
        }
        Question::Halt => {
            say(
                "Nothing new is applied by anybody until that is lifted. What is applied stays, and can be rolled back.",
                theme.text,
            );
        }
        Question::Resume => {
            say("What is approved can be applied again; in auto mode, by the engine itself.", theme.text);
        }
        Question::Auto => {
            say(
                "Low-risk changes that can be undone are applied without asking, one at a time, measured, and rolled back without benefit.",
                theme.text,
            );
        }
        Question::Quit => {
            let flight = act::count(state.in_flight(), "change");
            let then = if state.own {
                "The engine ends with this console: they are rolled back."
            } else {
                "The engine goes on; the guard rolls back what nobody confirms."
            };
            say(&format!("{flight} not confirmed yet. {then}"), theme.text);
        }
    }
    if let Some(stale) = &dialog.stale {
        say(stale, theme.critical);
    }
    all
}
