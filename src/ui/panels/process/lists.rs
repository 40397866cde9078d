//! What a process has many of: threads, open paths, sockets.

use super::beside::WIDE;
use crate::{
    model::{
        inspection::{Inspection, Thread},
        unit::Unit,
    },
    ui::{panels::reader::Prose, words},
};
use ratatui::text::Span;

/// The threads as a table; columns go as the page gets narrow.
pub(super) fn threads(look: &Inspection, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    let rows = match &look.threads {
        Ok(rows) => rows,
        Err(why) => return prose.field("threads", why, theme.dim),
    };
    let shown = if rows.len() < look.thread_count as usize { format!(", the first {}", rows.len()) } else { String::new() };
    prose.heading(&format!("Threads ({}{shown})", look.thread_count));
    let wide = prose.width >= WIDE;
    let mut head = format!("{:>8} {:<16}S {:>7} {:>10}", "tid", "name", "cpu", "waits");
    head.push_str(&if wide { format!(" {:>10} {:>4} {:>5} {:<8} in", "disk", "on", "nice", "policy") } else { "  in".into() });
    prose.line(vec![Span::styled(head, theme.dim)]);
    for thread in rows {
        let line = thread_line(thread, prose.width, wide);
        let style = if thread.state == 'D' { theme.warning } else { theme.text };
        prose.line(vec![Span::styled(line, style)]);
    }
}

fn thread_line(t: &Thread, width: usize, wide: bool) -> String {
    let name: String = t.name.chars().take(15).collect();
    let rate = |value| words::maybe(Unit::SecondsPerSecond, value);
    let mut line = format!("{:>8} {name:<16}{} {:>7} {:>10}", t.tid, t.state, words::maybe(Unit::Cores, t.cpu), rate(t.wait));
    if wide {
        line.push_str(&format!(" {:>10} {:>4} {:>5} {:<8}", rate(t.storage), t.last_cpu, t.nice, t.policy.words()));
    }
    let place = match (t.syscall.as_deref(), t.wchan.as_deref()) {
        (Some(call), Some(place)) => format!("{call} ({place})"),
        (call, place) => call.or(place).unwrap_or("").into(),
    };
    let room = width.saturating_sub(line.chars().count() + if wide { 1 } else { 2 });
    line.push_str(if wide { " " } else { "  " });
    line.extend(place.chars().take(room));
    line
}

/// Paths and sockets.
pub(super) fn paths_and_sockets(look: &Inspection, prose: &mut Prose<'_>) {
    let theme = prose.theme;
    if let Some(files) = look.files.as_ref().ok().filter(|files| !files.paths.is_empty()) {
        prose.heading(&format!("Paths ({} of {} files and devices)", files.paths.len(), files.files + files.devices));
        for (number, path) in &files.paths {
            prose.field(&format!("{number:>5}"), path, theme.text);
        }
    }
    match &look.sockets {
        Err(why) => prose.field("sockets", why, theme.dim),
        Ok(all) if all.is_empty() => {}
        Ok(all) => {
            let count = look.files.as_ref().map_or(all.len() as u32, |files| files.sockets);
            prose.heading(&format!("Sockets ({} of {count})", all.len()));
            for socket in all {
                let to = if socket.remote.is_empty() { String::new() } else { format!(" -> {}", socket.remote) };
                let [send, receive] = socket.queues;
                let queues = if send + receive > 0 { format!(", {send} B to send, {receive} B to read") } else { String::new() };
                prose.field(&socket.kind, &format!("{}{to} {}{queues}", socket.local, socket.state), theme.text);
            }
        }
    }
}
