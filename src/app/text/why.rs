//! What is behind the trouble: stories with their suspects, what moves together, what repeats.

use crate::{
    app::text::rows::{clock, line, row},
    model::{
        message::View,
        outlook::{Outlook, Story},
    },
};

/// Links that are told.
const LINKS: usize = 20;

/// All of it.
pub fn why(outlook: &Outlook, view: &View) -> String {
    let (mut out, now) = (String::new(), view.now.wall);
    if let Some(unusual) = &outlook.unusual {
        line(&mut out, &unusual.words(now));
    }
    for anomaly in outlook.anomalies.iter().filter(|anomaly| anomaly.until.is_none()) {
        line(&mut out, &format!("{:<3}odd: {}", anomaly.severity.sign(), anomaly.words(now)));
    }
    for told in &outlook.stories {
        story(&mut out, told);
    }
    match (outlook.stories.len(), view.findings.len()) {
        (0, 0) => line(&mut out, "nothing is out of the ordinary that would need a cause"),
        (0, _) => line(&mut out, "nothing is known yet of what is behind the findings that hold"),
        _ => {}
    }
    for link in outlook.links.iter().take(LINKS) {
        line(&mut out, &format!("together  {}", link.words()));
    }
    if let Some(more) = outlook.links.len().checked_sub(LINKS).filter(|more| *more > 0) {
        line(&mut out, &format!("together  and {more} more (--json has them all)"));
    }
    for pattern in &outlook.patterns {
        line(&mut out, &format!("pattern   {}", pattern.words()));
    }
    out
}

fn story(out: &mut String, story: &Story) {
    line(out, &story.headline);
    row(out, "symptom", &format!("{}, since {}", story.symptom, clock(story.began)));
    for suspect in &story.suspects {
        row(out, "suspect", &format!("{:.0} % {} ({})", suspect.confidence * 100.0, suspect.name, suspect.subject));
        suspect.supports.iter().for_each(|one| row(out, "", &format!("+ {one}")));
        suspect.against.iter().for_each(|one| row(out, "", &format!("- {one}")));
    }
    if story.suspects.is_empty() {
        row(out, "suspect", "nobody stands out");
    }
}
