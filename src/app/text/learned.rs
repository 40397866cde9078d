//! What was learned.

use crate::{
    app::text::rows::{clock, line, row},
    model::{
        lesson::{Idle, Lesson, Lessons, Part, Veto},
        timing::Timings,
        unit::Unit,
    },
};

/// All of it.
pub fn learned(lessons: &Lessons) -> String {
    let mut out = String::new();
    if lessons.lessons.is_empty() {
        line(&mut out, "no change has been tried yet: only the catalogue's beliefs are known");
    }
    for known in &lessons.lessons {
        lesson(&mut out, known);
    }
    for idle in &lessons.idle {
        left_alone(&mut out, idle);
    }
    for known in &lessons.vetoes {
        veto(&mut out, known);
    }
    let regret = &lessons.regret;
    let spent = format!("{} of {} within a day", Unit::Seconds.show(regret.spent), Unit::Seconds.show(regret.budget));
    line(&mut out, &format!("automatic trials have cost {spent}; auto trusts: {}", lessons.trust.words()));
    out + &timings(&lessons.timings)
}

fn lesson(out: &mut String, known: &Lesson) {
    let kind = known.kind.words();
    line(out, &format!("{} against {kind} (risk {}): {}", known.action, known.risk.words(), known.tally.words()));
    row(out, "helps", &known.win.percent());
    row(out, "neither", &known.neutral.percent());
    let most = known.bound.limit.map_or_else(|| "never automatic".into(), |limit| format!("must be below {:.0} %", limit * 100.0));
    row(out, "harms", &format!("{}; at most {:.0} % by the runs alone, {most}", known.harm.percent(), known.bound.upper * 100.0));
    row(out, "gain", &known.gain.map_or_else(|| "none measured".into(), |gain| format!("{} when it helps", gain.percent())));
    row(out, "auto", &format!("{}: {}", if known.trusted { "yes" } else { "no" }, known.why));
    for part in &known.parts {
        row(out, if part.subject.is_some() { "  on" } else { "class" }, &shown_part(part));
    }
}

fn shown_part(part: &Part) -> String {
    let name = part.subject.as_ref().unwrap_or(&part.class);
    format!("{name}: {}; helps {}, harms {}", part.tally.words(), part.win.percent(), part.harm.percent())
}

fn left_alone(out: &mut String, idle: &Idle) {
    let rate = idle.rate.map_or_else(|| "too seldom seen to say more".into(), |rate| rate.percent());
    line(
        out,
        &format!("nothing done against {}: ended by itself {}, stayed {}: {rate}", idle.kind.words(), idle.ended, idle.stayed),
    );
}

fn veto(out: &mut String, veto: &Veto) {
    let until = veto.until.map_or_else(|| "still proposed".into(), |until| format!("not proposed before {}", clock(until)));
    let Veto { advice, action, on, rejections, kind, .. } = veto;
    line(out, &format!("rejected {rejections} times: {action} on {on} against {} ({advice}): {until}", kind.words()));
}

/// How long things take.
pub fn timings(timings: &Timings) -> String {
    let mut out = String::new();
    for (name, spread) in timings.rows() {
        let words = spread.map_or_else(|| "none yet".into(), |spread| spread.words());
        line(&mut out, &format!("{name:<19} {words}"));
    }
    out
}
