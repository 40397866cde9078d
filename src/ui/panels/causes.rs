//! Why: each trouble with its suspects, the likeliest first, and what speaks for and against each; below, what moves together and what
//! repeats. Belief is not proof: every suspect stands with its share, and a story without one says so.

use crate::{
    model::{
        finding::Finding,
        outlook::{Link, Outlook, Pattern, Story, Suspect},
    },
    ui::{
        canvas::Canvas,
        chart,
        foresight::{self, Cause},
        frame::{boxed, note},
        panels::reader::Prose,
        spots::{Spot, Spots},
        state::State,
        words,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// Cells of a bar of belief.
const BAR: usize = 8;

/// A row of the page, and what it belongs to.
type Row = (Line<'static>, Option<Cause>);

/// Draws the page.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer, spots: &mut Spots) {
    let theme = state.theme();
    let stories = foresight::outlook(state).map_or(0, |outlook| outlook.stories.len());
    let right = if stories > 0 {
        note(crate::ui::act::count(stories, "story").replace("storys", "stories"), theme.text)
    } else {
        Line::default()
    };
    let inner = boxed(state, true, Line::styled(" Why ", theme.accent), right, area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let (width, height) = (canvas.width(), usize::from(canvas.height()));
    let rows = rows(state, width.into());
    let chosen = foresight::chosen_cause(state);
    let is_chosen = |row: &Row| row.1.is_some() && row.1 == chosen;
    let first = rows.iter().position(is_chosen).unwrap_or(0);
    let last = rows.iter().rposition(is_chosen).unwrap_or(0);
    // The first row of the list stands below its heading, so that both are seen.
    let top = if last < height { 0 } else { (last + 1).saturating_sub(height).min(first) };
    for (y, row) in (0..canvas.height()).zip(rows.iter().skip(top)) {
        canvas.line(0, y, &row.0);
        if let Some(cause) = &row.1 {
            spots.add(canvas.row(y), Spot::Cause(cause.clone()));
        }
        if is_chosen(row) {
            canvas.tint(0, y, width, theme.selected);
        }
    }
}

fn rows(state: &State, width: usize) -> Vec<Row> {
    let theme = state.theme();
    let mut page = Page { state, width, rows: Vec::new() };
    let Some(outlook) = foresight::outlook(state) else {
        let why =
            if state.travel.past.is_some() { "the past carries no causes; . goes back to now" } else { "nothing is known yet" };
        page.text(why, theme.dim, None);
        return page.rows;
    };
    page.unusual(outlook);
    page.heading("Stories");
    for story in &outlook.stories {
        page.story(story);
    }
    if outlook.stories.is_empty() {
        match state.shown().findings.len() {
            0 => page.text("nothing is out of the ordinary that would need a cause", theme.good, None),
            _ => page.text("nothing is known yet of what is behind the findings that hold", theme.dim, None),
        }
    }
    page.links(&outlook.links);
    page.patterns(&outlook.patterns);
    page.rows
}

struct Page<'s> {
    state: &'s State,
    width: usize,
    rows: Vec<Row>,
}

impl Page<'_> {
    fn heading(&mut self, text: &str) {
        if !self.rows.is_empty() {
            self.rows.push((Line::default(), None));
        }
        self.rows.push((Line::styled(text.to_string(), self.state.theme().accent), None));
    }

    fn text(&mut self, text: &str, style: Style, cause: Option<&Cause>) {
        self.indented(0, ("", style), text, (style, cause));
    }

    /// Text that hangs behind a sign at some columns from the left.
    fn indented(&mut self, left: usize, (sign, mark): (&str, Style), text: &str, (style, cause): (Style, Option<&Cause>)) {
        use unicode_width::UnicodeWidthStr;
        let hang = left + sign.width();
        for (i, line) in words::wrap(text, self.width.saturating_sub(hang).max(8)).into_iter().enumerate() {
            let sign = if i == 0 { sign.to_string() } else { " ".repeat(sign.width()) };
            let spans = vec![Span::raw(" ".repeat(left)), Span::styled(sign, mark), Span::styled(line, style)];
            self.rows.push((Line::from(spans), cause.cloned()));
        }
    }

    fn unusual(&mut self, outlook: &Outlook) {
        let Some(unusual) = &outlook.unusual else { return };
        let (theme, now) = (self.state.theme(), self.state.shown().now.wall);
        self.text(&unusual.words(now), theme.warning, None);
    }

    fn story(&mut self, story: &Story) {
        let theme = self.state.theme();
        let age = words::since(self.state.shown().now.wall, story.began);
        let alone = Cause::Story(story.symptom.clone(), story.began);
        let cause = story.suspects.is_empty().then_some(&alone);
        self.text(&story.headline, theme.title, cause);
        let symptom = format!("{}, since {} ({age})", story.symptom, words::clock(story.began));
        self.indented(3, ("", theme.dim), &symptom, (theme.dim, cause));
        if story.suspects.is_empty() {
            self.indented(3, ("", theme.dim), "nobody stands out", (theme.dim, cause));
        }
        for suspect in &story.suspects {
            let cause = Cause::Suspect(story.symptom.clone(), story.began, suspect.subject.clone());
            self.suspect(suspect, Some(&cause));
        }
    }

    fn suspect(&mut self, suspect: &Suspect, cause: Option<&Cause>) {
        let theme = self.state.theme();
        let bar = chart::bar(suspect.confidence, BAR, self.state.look.ink);
        let head = format!("{bar} {:>4.0} %  ", suspect.confidence * 100.0);
        let whom = format!("{} ({})", suspect.name, suspect.subject);
        self.indented(3, (&head, theme.accent), &whom, (theme.title, cause));
        for (sign, all, style) in [("+ ", &suspect.supports, theme.good), ("- ", &suspect.against, theme.warning)] {
            for one in all {
                self.indented(6, (sign, style), one, (theme.text, cause));
            }
        }
    }

    fn links(&mut self, links: &[Link]) {
        let theme = self.state.theme();
        self.heading("What moves together");
        for link in links {
            let cause = Cause::Link(link.leads.clone(), link.follows.clone());
            self.text(&link.words(), theme.text, Some(&cause));
        }
        if links.is_empty() {
            self.text("nothing more than chance allows", theme.dim, None);
        }
    }

    fn patterns(&mut self, patterns: &[Pattern]) {
        let theme = self.state.theme();
        self.heading("What repeats, steps or grows");
        for pattern in patterns {
            self.text(&pattern.words(), theme.text, Some(&Cause::Pattern(pattern.key.clone())));
        }
        if patterns.is_empty() {
            self.text("nothing that stands out", theme.dim, None);
        }
    }
}

/// The newest story about a finding.
pub fn of_finding<'s>(state: &'s State, finding: &Finding) -> Option<&'s Story> {
    foresight::outlook(state)?.stories.iter().find(|story| story.finding.as_ref() == Some(&finding.id))
}

/// Writes the story of a finding, if there is one, into its page.
pub fn write_story(state: &State, finding: &Finding, prose: &mut Prose<'_>) {
    let Some(story) = of_finding(state, finding) else { return };
    let theme = prose.theme;
    prose.heading("What is behind it");
    prose.text(&story.headline, theme.title);
    let mut page = Page { state, width: prose.width, rows: Vec::new() };
    for suspect in &story.suspects {
        page.suspect(suspect, None);
    }
    if story.suspects.is_empty() {
        page.text("nobody stands out", theme.dim, None);
    }
    prose.lines.extend(page.rows.into_iter().map(|(line, _)| line));
}
