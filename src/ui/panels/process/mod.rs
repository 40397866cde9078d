//! One process: what each sweep says of it, and what a close look adds while the page is open. Parts that could not be read say why.

mod beside;
mod lists;
mod sections;

use crate::{
    model::{
        facts::Facts,
        inspection::{Inspection, state_words},
        snapshot::{Process, Snapshot},
        subject::ProcessId,
        unit::Unit,
    },
    ui::{panels::reader::Prose, state::State, words},
};
use beside::{section, side_by_side};
use ratatui::text::Line;
use std::sync::Arc;

/// Writes the page; returns its title.
pub fn write(state: &State, id: ProcessId, prose: &mut Prose<'_>) -> String {
    let theme = prose.theme;
    let view = state.shown();
    let Some(process) = view.snapshot.process(id) else {
        prose.text("This process has ended.", theme.dim);
        return format!("process {}", id.pid);
    };
    let look = state.close_look.of(id);
    match look {
        Some(look) => prose.text(&capital(&look.sentence()), theme.accent),
        None => prose.text("Looking closely ...", theme.dim),
    }
    let page = Page { process, snapshot: &view.snapshot, facts: &view.facts, look };
    page.identity(prose);
    let mut parts = vec![page.waits(prose), page.memory(prose)];
    if let Some(look) = look {
        parts.extend(sections::of(look, prose));
    }
    side_by_side(prose, parts);
    if let Some(look) = look {
        if state.close_look.threads {
            lists::threads(look, prose);
        }
        lists::paths_and_sockets(look, prose);
    }
    format!("process {} {}", id.pid, process.name)
}

/// What the page is about.
struct Page<'a> {
    process: &'a Process,
    snapshot: &'a Snapshot,
    facts: &'a Facts,
    look: Option<&'a Inspection>,
}

impl Page<'_> {
    /// Who it is and where it belongs.
    fn identity(&self, prose: &mut Prose<'_>) {
        let (theme, p) = (prose.theme, self.process);
        prose.line(vec![]);
        let command =
            self.look.and_then(|look| look.command.as_deref().ok()).filter(|whole| !whole.is_empty()).unwrap_or(&p.command);
        let kind = if p.kernel { ", a kernel thread" } else { "" };
        // A compiler's would fill the page; `y` copies it whole.
        prose.short_field(("command", 4), if command.is_empty() { "-" } else { command }, theme.text);
        if let Some(look) = self.look.filter(|_| !p.kernel) {
            told(prose, "program", look.exe.as_ref().map(ToString::to_string));
            told(prose, "directory", look.cwd.as_ref().map(ToString::to_string));
        }
        prose.field("user", &self.user(), theme.text);
        prose.field("parent", &self.parent(), theme.text);
        if let Some(started) = self.look.and_then(|look| look.started) {
            let now = self.look.map_or(started, |look| look.at.wall);
            prose.field("started", &format!("{} ago, at {}", words::since(now, started), words::clock(started)), theme.text);
        }
        let state = self.look.map_or(p.state, |look| look.state);
        prose.field("state", &format!("{state} {}{kind}", state_words(state)), theme.text);
        if let Some(container) = self.snapshot.container(&p.cgroup) {
            prose.field("container", container, theme.text);
        }
        if let Some(unit) = self.snapshot.unit(&p.cgroup) {
            prose.field("unit", unit, theme.text);
        }
        prose.field("cgroup", &self.cgroups(), theme.text);
    }

    fn user(&self) -> String {
        let name = |uid: u32| self.facts.user(uid).to_string();
        let Some(Ok(owner)) = self.look.map(|look| &look.owner) else { return name(self.process.uid) };
        let [real, effective, ..] = owner.uids;
        let [group, ..] = owner.gids;
        let acts = if real == effective { String::new() } else { format!(", acting as {}", name(effective)) };
        format!("{}{acts} (uid {real}, gid {group})", name(real))
    }

    fn parent(&self) -> String {
        let parent = self.process.parent;
        let known = self.snapshot.processes.known().and_then(|all| all.iter().find(|p| p.id.pid == parent));
        known.map_or_else(|| parent.to_string(), |p| format!("{parent} {}", p.name))
    }

    /// The path of the cpu hierarchy; others only where they differ.
    fn cgroups(&self) -> String {
        let own = &self.process.cgroup;
        let Some(Ok(all)) = self.look.map(|look| &look.cgroups) else { return own.to_string() };
        let other = |(controllers, path): &(Arc<str>, Arc<str>)| {
            let unified = if controllers.is_empty() { "unified" } else { controllers };
            (path != own && &**path != "/").then(|| format!("{unified}: {path}"))
        };
        std::iter::once(own.to_string()).chain(all.iter().filter_map(other)).collect::<Vec<_>>().join(", ")
    }

    /// Use of cpu and what it waits for.
    fn waits(&self, page: &Prose<'_>) -> Vec<Line<'static>> {
        section(page, "Cpu and waiting", |prose| {
            let (theme, p) = (prose.theme, self.process);
            let rate = |value: Option<f64>| words::maybe(Unit::SecondsPerSecond, value);
            prose.field("cpu", &format!("{} of one core", words::maybe(Unit::Cores, p.cpu)), theme.text);
            prose.field("scheduling", &format!("{}, nice {}, {} threads", p.policy.words(), p.nice, p.threads), theme.text);
            let Some(look) = self.look else {
                prose.field("for a cpu", &rate(p.wait), theme.text);
                return;
            };
            let waits = &look.waits;
            prose.field("for a cpu", &rate(waits.cpu), theme.text);
            let delays = waits.delays.as_ref().ok();
            let storage = delays.and_then(|d| d.storage).or(waits.storage.as_ref().ok().copied());
            match (storage, &waits.storage) {
                (None, Err(why)) => prose.field("for storage", why, theme.dim),
                (storage, _) => prose.field("for storage", &rate(storage), theme.text),
            }
            match &waits.delays {
                Err(why) => prose.field("other delays", why, theme.dim),
                Ok(d) => {
                    let all = [
                        ("for swap", d.swap),
                        ("for reclaim", d.reclaim),
                        ("thrashing", d.thrashing),
                        ("compaction", d.compaction),
                        ("page copies", d.copies),
                        ("interrupts", d.interrupts),
                    ];
                    for (label, value) in all.into_iter().filter(|(_, value)| value.is_some()) {
                        prose.field(label, &rate(value), theme.text);
                    }
                }
            }
        })
    }

    fn memory(&self, page: &Prose<'_>) -> Vec<Line<'static>> {
        section(page, "Memory", |prose| {
            let (theme, p) = (prose.theme, self.process);
            let bytes = |value: u64| Unit::Bytes.show(value as f64);
            let faults = format!("{}, {} major faults", bytes(p.resident), Unit::PerSecond.show(p.major_faults));
            prose.field("resident", &faults, theme.text);
            let Some(look) = self.look else { return };
            match &look.memory {
                Err(why) => prose.field("", why, theme.dim),
                Ok(m) => {
                    prose.field("peak", &format!("{} resident, {} virtual", bytes(m.resident_peak), bytes(m.peak)), theme.text);
                    let kinds = format!("{} anonymous, {} file, {} shared", bytes(m.anon), bytes(m.file), bytes(m.shmem));
                    prose.field("of it", &kinds, theme.text);
                    prose.field("swapped", &bytes(m.swap), theme.text);
                    prose.field(
                        "tables",
                        &format!("{}, stack {}, locked {}", bytes(m.page_tables), bytes(m.stack), bytes(m.locked)),
                        theme.text,
                    );
                }
            }
            match &look.mapped {
                Err(why) => prose.field("shares", why, theme.dim),
                Ok(m) => {
                    prose.field("fair share", &format!("{} (PSS)", bytes(m.proportional)), theme.text);
                    prose.field("its alone", &format!("{} (USS), in huge pages {}", bytes(m.unique), bytes(m.huge)), theme.text);
                }
            }
            if let Ok((score, adjust)) = look.oom {
                prose.field("oom score", &format!("{score}, adjusted by {adjust}"), theme.text);
            }
        })
    }
}

/// A field of a part, or why it is missing.
fn told(prose: &mut Prose<'_>, label: &str, part: Result<String, &Arc<str>>) {
    let theme = prose.theme;
    match part {
        Ok(text) => prose.field(label, &text, theme.text),
        Err(why) => prose.field(label, why, theme.dim),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect()) + "."
}
