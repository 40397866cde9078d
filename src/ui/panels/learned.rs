//! What changes taught here: each action against each kind of trouble, what is trusted, what goes by itself, what is not proposed, and how
//! long things take. Every number that is believed stands with its interval.

use crate::{
    model::{
        lesson::{Lesson, Lessons},
        unit::Unit,
    },
    ui::{panels::reader::Prose, state::State, words},
};
use ratatui::text::Span;

/// Writes the page; returns its title.
pub fn write(state: &State, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let Some(lessons) = &state.learned else {
        prose.text("asking the engine", theme.dim);
        return "Learned".into();
    };
    if lessons.lessons.is_empty() {
        prose.text("no change has been tried yet: only the catalogue's beliefs are known", theme.dim);
    }
    for lesson in &lessons.lessons {
        write_lesson(lesson, prose);
    }
    left_alone(lessons, prose);
    rejected(state, lessons, prose);
    house(lessons, prose);
    "Learned, by intervals of 90 %".into()
}

fn write_lesson(lesson: &Lesson, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    prose.heading(&format!("{} against {}", lesson.action, lesson.kind.words()));
    prose.field("trials", &format!("{}; risk {}", lesson.tally.words(), lesson.risk.words()), theme.text);
    let harms = format!("harms {}, at most {:.0} % by the runs alone", lesson.harm.percent(), lesson.bound.upper * 100.0);
    prose.field("chances", &format!("helps {}, {harms}", lesson.win.percent()), theme.text);
    match &lesson.gain {
        Some(gain) => prose.field("gain", &format!("{} when it helps", gain.percent()), theme.good),
        None => prose.field("gain", "none measured", theme.dim),
    }
    let (word, style) = if lesson.trusted { ("trusted", theme.good) } else { ("by hand", theme.warning) };
    prose.field("auto", &format!("{word}: {}", lesson.why), style);
    for part in &lesson.parts {
        let name = part.subject.as_ref().map_or_else(|| part.class.to_string(), |subject| format!("  {subject}"));
        prose.line(vec![
            Span::styled(format!("{:<12}", ""), theme.dim),
            Span::styled(format!("{name}: {}, helps {}", part.tally.words(), part.win.percent()), theme.dim),
        ]);
    }
}

fn left_alone(lessons: &Lessons, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    prose.heading("What ends when nothing is done");
    if lessons.idle.is_empty() {
        prose.text("no trouble was left alone long enough to tell", theme.dim);
    }
    for idle in &lessons.idle {
        let rate = idle.rate.map_or_else(|| "seen too seldom to say how often".into(), |rate| rate.percent());
        prose.text(&format!("{}: ended by itself {}, stayed {}: {rate}", idle.kind.words(), idle.ended, idle.stayed), theme.text);
    }
}

fn rejected(state: &State, lessons: &Lessons, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    if lessons.vetoes.is_empty() {
        return;
    }
    prose.heading("What was rejected");
    let now = state.shown().now.wall;
    for veto in &lessons.vetoes {
        let until = veto.until.map_or_else(
            || "still proposed".into(),
            |until| format!("not proposed for another {}", words::span((until.0 - now.0) as f64 / 1000.0)),
        );
        let what = format!("{} on {} against {}", veto.action, veto.on, veto.kind.words());
        prose.text(&format!("{} times: {what}: {until}", veto.rejections), theme.text);
    }
}

fn house(lessons: &Lessons, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    prose.heading("What it takes");
    for (name, spread) in lessons.timings.rows() {
        let words = spread.map_or_else(|| "none yet".into(), |spread| spread.words());
        prose.line(vec![Span::styled(format!("{name:<20}"), theme.dim), Span::styled(words, theme.text)]);
    }
    let regret = &lessons.regret;
    let spent = format!("{} of {} within a day", Unit::Seconds.show(regret.spent), Unit::Seconds.show(regret.budget));
    prose.line(vec![
        Span::styled(format!("{:<20}", "automatic trials"), theme.dim),
        Span::styled(format!("have cost {spent}"), theme.text),
    ]);
    let trust =
        format!("{}, kernel {}", lessons.trust.words(), if lessons.kernel.is_empty() { "unknown" } else { &lessons.kernel });
    prose.line(vec![Span::styled(format!("{:<20}", "auto trusts"), theme.dim), Span::styled(trust, theme.text)]);
}
