//! Network with room for everything: every interface, TCP and UDP of the host, who talks most, who listens.

use super::{history, shown};
use crate::{
    model::{
        sample::Listener,
        snapshot::{Interface, Network, Process, Snapshot, Tcp},
        unit::Unit,
    },
    ui::{
        canvas::Canvas,
        frame::{Cell, grid, known},
        sheet::{Column, Row, Sheet},
        state::State,
        words,
    },
};

const INTERFACE: &[Column] = &[
    ("in", 10),
    ("out", 10),
    ("used", 8),
    ("drops", 8),
    ("errors", 8),
    ("speed", 10),
    ("packets in", 12),
    ("packets out", 13),
    ("kind", 10),
    ("state", 10),
    ("duplex", 8),
    ("mtu", 7),
];

const TALKER: &[Column] = &[("in", 11), ("out", 11), ("", 10)];
const LISTENER: &[Column] = &[("waiting", 9), ("of", 6), ("by", 17)];

/// Draws the inside of the pane.
pub fn draw(state: &State, network: &Network, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let snapshot = &state.shown().snapshot;
    let (width, height) = (canvas.width(), canvas.height());
    let rows: Vec<Row> = shown(network).into_iter().map(|interface| row(state, interface)).collect();
    let tcp = snapshot.tcp.known().and_then(|all| all.first());
    let cells = tcp.map(|tcp| cells(state, tcp, network)).unwrap_or_default();
    let columns = (width / 24).max(2);
    let told = (cells.len() as u16).div_ceil(columns).min(height / 2);
    let listed = (rows.len() as u16 + 1).min(height / 4).max(2);
    let rest = height.saturating_sub(listed + told + 1);
    let tall = if rest >= 9 { rest / 2 } else { 0 };
    history(state, network, canvas.part(0, 0, width, tall));
    let sheet = Sheet { name: ("interface", 12), columns: INTERFACE, rows: &rows, quiet: theme.dim, style: theme.text };
    let mut y = tall + sheet.draw(&mut canvas.part(0, tall, width, listed));
    y = match tcp {
        Some(_) => grid(state, &cells, columns, 0, &mut canvas.part(0, y, width, told)).min(told) + y + 1,
        None => {
            known(state, &snapshot.tcp, y, &mut canvas);
            y + 2
        }
    };
    let low = height.saturating_sub(y);
    let half = if width >= 90 { width / 2 } else { width };
    talkers(state, snapshot, canvas.part(0, y, half.saturating_sub(2), low));
    if let Some(tcp) = tcp.filter(|_| half < width) {
        listeners(state, tcp, canvas.part(half, y, width - half, low));
    }
}

fn row(state: &State, interface: &Interface) -> Row {
    let theme = state.theme();
    let bytes = |value: f64| (Unit::BytesPerSecond.show(value), theme.text);
    let events = |value: f64| (Unit::PerSecond.show(value), theme.text);
    let lost = |[a, b]: [f64; 2]| (Unit::PerSecond.show(a + b), theme.level(a + b, 1.0, 100.0));
    let quiet = |text: String| (text, theme.dim);
    let used = interface.used();
    let cable = match (interface.up, interface.carrier) {
        (true, Some(false)) => ("no carrier", theme.warning),
        (true, _) => ("up", theme.dim),
        (false, _) => ("down", theme.notice),
    };
    let cells = vec![
        bytes(interface.bytes[0]),
        bytes(interface.bytes[1]),
        (words::maybe(Unit::Share, used), theme.level(used.unwrap_or(0.0), 0.8, 0.95)),
        lost(interface.drops),
        lost(interface.errors),
        quiet(interface.speed.map_or_else(|| "-".into(), bits)),
        events(interface.packets[0]),
        events(interface.packets[1]),
        quiet(interface.kind.words().into()),
        (cable.0.into(), cable.1),
        quiet(interface.duplex.as_deref().unwrap_or("-").into()),
        quiet(interface.mtu.to_string()),
    ];
    Row { name: interface.name.to_string(), cells }
}

/// Bits per second as they stand on a card: in thousands.
fn bits(speed: u64) -> String {
    format!("{}bit/s", Unit::Count.show(speed as f64))
}

fn cells(state: &State, tcp: &Tcp, network: &Network) -> Vec<Cell> {
    let theme = state.theme();
    let count =
        |label, value: u64| -> Cell { (label, Unit::Count.show(value as f64), if value == 0 { theme.dim } else { theme.text }) };
    let bad = |label, value: f64, warning, critical| -> Cell {
        let style = if value == 0.0 { theme.dim } else { theme.level(value, warning, critical) };
        (label, Unit::PerSecond.show(value), style)
    };
    let plain = |label, value: f64| bad(label, value, f64::INFINITY, f64::INFINITY);
    let of = |which: usize| tcp.states.and_then(|states| states.get(which).copied()).map(u64::from);
    let mut cells = vec![count("established", tcp.established), count("TIME_WAIT", tcp.time_wait)];
    let states = [("CLOSE_WAIT", of(8)), ("half open", of(3)), ("connecting", of(2))];
    cells.extend(states.into_iter().filter_map(|(label, value)| Some(count(label, value?))));
    cells.push(count("orphans", tcp.orphans));
    cells.extend([plain("opened", tcp.connects), plain("accepted", (tcp.opens - tcp.connects).max(0.0))]);
    cells.push(bad("resent", tcp.retransmits, 10.0, 200.0));
    let share = tcp.resent();
    let style = share.map_or(theme.dim, |share| theme.level(share, 0.01, 0.05));
    cells.push(("resent of all", words::maybe(Unit::Share, share), style));
    cells.extend([plain("resets sent", tcp.resets[0]), bad("cut by reset", tcp.resets[1], 10.0, 1000.0)]);
    cells.push(bad("overflows", tcp.overflows, 0.5, 20.0));
    cells.push(bad("listen drops", tcp.drops, 0.5, 20.0));
    cells.push(bad("syn drops", tcp.syn_drops, 0.5, 20.0));
    let [received, sent] = tcp.udp.datagrams;
    cells.extend([plain("udp in", received), plain("udp out", sent)]);
    cells.push(bad("udp lost: full", tcp.udp.full[0] + tcp.udp.full[1], 1.0, 100.0));
    if let Some([now, most]) = tcp.conntrack {
        let used = now as f64 / most.max(1) as f64;
        cells.push(("tracked", Unit::Share.show(used), if now == 0 { theme.dim } else { theme.level(used, 0.8, 0.95) }));
    }
    let dropped: f64 = network.softnet.iter().map(|[_, dropped, _]| dropped).sum();
    let squeezed: f64 = network.softnet.iter().map(|[_, _, squeezed]| squeezed).sum();
    cells.extend([bad("backlog drops", dropped, 0.5, 100.0), bad("squeezed", squeezed, 100.0, f64::INFINITY)]);
    cells
}

/// Processes whose connections move most, with how sure that is, and what nobody is known to have moved.
fn talkers(state: &State, snapshot: &Snapshot, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let moved = |p: &Process| p.net.map_or(0.0, |net| net.received + net.sent);
    let mut all: Vec<&Process> =
        snapshot.processes.known().into_iter().flat_map(|all| all.iter()).filter(|p| p.net.is_some()).collect();
    all.sort_by(|a, b| moved(b).total_cmp(&moved(a)).then(a.id.cmp(&b.id)));
    let mut rows: Vec<Row> = all.iter().filter_map(|p| talker(state, p)).collect();
    if let Some([received, sent]) = unattributed(snapshot).filter(|[received, sent]| received + sent > 0.0) {
        let cells = [received, sent].map(|value| (Unit::BytesPerSecond.show(value), theme.notice));
        rows.push(Row { name: "unattributed".into(), cells: cells.into_iter().chain([(String::new(), theme.dim)]).collect() });
    }
    let sheet = Sheet { name: ("process, tcp payload", 22), columns: TALKER, rows: &rows, quiet: theme.dim, style: theme.text };
    sheet.draw(&mut canvas);
    if rows.is_empty() {
        canvas.text(0, 1, "no connection has moved anything yet", theme.dim);
    }
}

fn talker(state: &State, process: &Process) -> Option<Row> {
    let (theme, net) = (state.theme(), process.net?);
    let number = |value: f64| (format!("{}{}", Unit::BytesPerSecond.show(value), net.mark.sign()), theme.text);
    let mark = (net.mark.words().into(), theme.dim);
    Some(Row { name: format!("{} {}", process.id.pid, process.name), cells: vec![number(net.received), number(net.sent), mark] })
}

/// Of all namespaces.
fn unattributed(snapshot: &Snapshot) -> Option<[f64; 2]> {
    let all = snapshot.tcp.known().into_iter().flatten().filter_map(|row| row.unattributed);
    all.reduce(|[a, b], [received, sent]| [a + received, b + sent])
}

/// Who listens, the fullest queue first.
fn listeners(state: &State, tcp: &Tcp, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let mut all: Vec<&Listener> = tcp.listeners.iter().collect();
    all.sort_by(|a, b| b.waiting.cmp(&a.waiting).then(a.port.cmp(&b.port)));
    let row = |listener: &&Listener| {
        let full = f64::from(listener.waiting) / f64::from(listener.backlog.max(1));
        let owner = listener.owner.and_then(|id| state.shown().snapshot.process(id)).map_or("-", |p| &p.name);
        let cells = vec![
            (listener.waiting.to_string(), theme.level(full, 0.5, 0.95)),
            (listener.backlog.to_string(), theme.dim),
            (owner.chars().take(16).collect(), theme.text),
        ];
        Row { name: format!("port {}", listener.port), cells }
    };
    let rows: Vec<Row> = all.iter().map(row).collect();
    Sheet { name: ("listening", 12), columns: LISTENER, rows: &rows, quiet: theme.dim, style: theme.text }.draw(&mut canvas);
}
