//! The sections that only a close look fills: what a process moves, holds open, may do, and is bound by.

use super::beside::section;
use crate::{
    model::{inspection::Inspection, unit::Unit},
    ui::panels::reader::Prose,
};
use ratatui::text::Line;

/// All of them, in the order of the page.
pub(super) fn of(look: &Inspection, page: &Prose<'_>) -> [Vec<Line<'static>>; 4] {
    [storage(look, page), files(look, page), rights(look, page), limits(look, page)]
}

fn storage(look: &Inspection, page: &Prose<'_>) -> Vec<Line<'static>> {
    section(page, "Reading and writing", |prose| {
        let theme = prose.theme;
        let io = match &look.io {
            Ok(io) => io,
            Err(why) => return prose.field("", why, theme.dim),
        };
        let pair = |[read, written]: [f64; 2]| {
            format!("{} read, {} written", Unit::BytesPerSecond.show(read), Unit::BytesPerSecond.show(written))
        };
        let sums = |[read, written]: [u64; 2]| {
            format!("{} read, {} written", Unit::Bytes.show(read as f64), Unit::Bytes.show(written as f64))
        };
        let [reads, writes] = io.operations;
        prose.field("storage", &pair(io.storage_rate), theme.text);
        prose.field("since start", &sums(io.storage), theme.text);
        prose.field("by calls", &pair(io.calls_rate), theme.text);
        let calls = format!("{} reads, {} writes", Unit::PerSecond.show(reads), Unit::PerSecond.show(writes));
        prose.field("calls", &calls, theme.text);
        if io.cancelled > 0 {
            prose.field("cancelled", &format!("{} dropped unwritten", Unit::Bytes.show(io.cancelled as f64)), theme.text);
        }
    })
}

fn files(look: &Inspection, page: &Prose<'_>) -> Vec<Line<'static>> {
    section(page, "Open files", |prose| {
        let theme = prose.theme;
        let files = match &look.files {
            Ok(files) => files,
            Err(why) => return prose.field("", why, theme.dim),
        };
        let limit = look.limits.as_ref().ok().and_then(|all| all.iter().find(|limit| &*limit.name == "open files"));
        let limit = limit.map_or(String::new(), |limit| format!(", limit {} (hard {})", limit.soft, limit.hard));
        prose.field("descriptors", &format!("{}{limit}", files.open), theme.text);
        let kinds = [
            (files.files, "files"),
            (files.sockets, "sockets"),
            (files.pipes, "pipes"),
            (files.devices, "devices"),
            (files.anonymous, "made by the kernel"),
        ];
        let kinds: Vec<String> =
            kinds.iter().filter(|(count, _)| *count > 0).map(|(count, kind)| format!("{count} {kind}")).collect();
        prose.field("of them", &if kinds.is_empty() { "-".into() } else { kinds.join(", ") }, theme.text);
        if files.deleted > 0 {
            prose.field("deleted", &format!("{}: their space is free once they are closed", files.deleted), theme.warning);
        }
        if files.seen < files.open {
            prose.field("", &format!("{} of {} were looked at", files.seen, files.open), theme.dim);
        }
    })
}

fn rights(look: &Inspection, page: &Prose<'_>) -> Vec<Line<'static>> {
    section(page, "Rights", |prose| {
        let theme = prose.theme;
        match &look.rights {
            Err(why) => prose.field("", why, theme.dim),
            Ok(rights) => {
                prose.field("may do", &rights.capabilities, theme.text);
                let bound = [(rights.no_new, "can gain none"), (rights.seccomp, "system calls are filtered")];
                let bound: Vec<&str> = bound.iter().filter(|(holds, _)| *holds).map(|(_, words)| *words).collect();
                if !bound.is_empty() {
                    prose.field("bound", &bound.join(", "), theme.text);
                }
                if let Some(tracer) = rights.traced_by {
                    prose.field("debugger", &tracer.to_string(), theme.warning);
                }
            }
        }
        match &look.namespaces {
            Err(why) => prose.field("namespaces", why, theme.dim),
            Ok(all) => {
                let own: Vec<String> = all.iter().filter(|n| !n.ours).map(|n| format!("{} {}", n.kind, n.inode)).collect();
                prose.field("namespaces", &if own.is_empty() { "those of trimtab".into() } else { own.join(", ") }, theme.text);
            }
        }
        if let Some(root) = look.root.as_deref().ok().filter(|root| *root != "/") {
            prose.field("root", root, theme.text);
        }
    })
}

/// Limits that say something: soft ones that bind.
fn limits(look: &Inspection, page: &Prose<'_>) -> Vec<Line<'static>> {
    section(page, "Limits", |prose| {
        let theme = prose.theme;
        let all = match &look.limits {
            Ok(all) => all,
            Err(why) => return prose.field("", why, theme.dim),
        };
        let binding = all.iter().filter(|limit| &*limit.soft != "unlimited");
        let words = binding.map(|limit| {
            let hard = if limit.hard == limit.soft { String::new() } else { format!(" (hard {})", limit.hard) };
            format!("{} {}{hard}", limit.name, limit.soft)
        });
        prose.field("binding", &words.collect::<Vec<_>>().join(", "), theme.text);
    })
}
