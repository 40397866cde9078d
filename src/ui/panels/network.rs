//! Network: what comes in and goes out of each interface, and what is lost.

mod expanded;

use crate::{
    model::{
        metric::{Key, Metric},
        sample::InterfaceKind,
        snapshot::{Interface, Network, Tcp},
        subject::Subject,
        unit::Unit,
    },
    ui::{
        ahead,
        canvas::Canvas,
        chart::{self, Chart, Grow},
        frame::{Cell, frame, grid, known, note},
        pane::Pane,
        state::State,
    },
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// A megabit per second: below it every chart is quiet.
const LEAST: f64 = 125_000.0;

/// Rows from which on there is room for everything.
const ROOMY: u16 = 15;

/// From so many on, the ends of pairs that lead into containers are one row.
const CROWD: usize = 3;

/// Draws the pane.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) {
    let theme = state.theme();
    let snapshot = &state.shown().snapshot;
    let total = snapshot.network.known().map(total);
    let title = total.map(|[received, sent]| {
        note(format!("in {}  out {}", Unit::BytesPerSecond.show(received), Unit::BytesPerSecond.show(sent)), theme.text)
    });
    let inner = frame(state, Pane::Network, title.unwrap_or_default(), area, buf);
    let mut canvas = Canvas::new(inner, buf);
    let Some(network) = known(state, &snapshot.network, 0, &mut canvas) else { return };
    if canvas.height() >= ROOMY {
        return expanded::draw(state, network, canvas);
    }
    let veths = together(network);
    let rows: Vec<&Interface> = collapsed(network, veths.as_ref());
    let tcp = snapshot.tcp.known().and_then(|all| all.first());
    let cells = tcp.map(|tcp| cells(state, tcp)).unwrap_or_default();
    let columns = if canvas.width() >= 40 { 3 } else { 2 };
    let low = (cells.len() as u16).div_ceil(columns);
    let most = usize::from((canvas.height() / 3).max(1));
    let listed = (rows.len().min(most) as u16 + 1).min(canvas.height());
    let tall = canvas.height().saturating_sub(low + listed);
    let tall = if tall >= 2 { tall } else { 0 };
    history(state, network, canvas.part(0, 0, canvas.width(), tall));
    table(state, &rows, canvas.part(0, tall, canvas.width(), canvas.height().saturating_sub(tall + low)));
    let y = canvas.height().saturating_sub(low);
    if snapshot.tcp.known().is_some() {
        grid(state, &cells, columns, y, &mut canvas);
    } else {
        known(state, &snapshot.tcp, y.saturating_sub(1), &mut canvas);
    }
}

/// The loopback counts for nothing that leaves or enters.
fn outer(network: &Network) -> impl Iterator<Item = &Interface> {
    network.interfaces.iter().filter(|i| &*i.name != "lo")
}

fn total(network: &Network) -> [f64; 2] {
    outer(network).fold([0.0, 0.0], |[a, b], i| [a + i.bytes[0], b + i.bytes[1]])
}

/// Interfaces worth a row: those that are up, the busiest first, the loopback last.
fn shown(network: &Network) -> Vec<&Interface> {
    let mut rows: Vec<&Interface> = network.interfaces.iter().filter(|i| i.up || i.bytes != [0.0, 0.0]).collect();
    rows.sort_by_key(|i| (&*i.name == "lo", i.name.clone()));
    rows
}

/// The ends of pairs that lead into containers as one interface, where there are many.
fn together(network: &Network) -> Option<Interface> {
    let all: Vec<&Interface> = network.interfaces.iter().filter(|i| i.kind == InterfaceKind::Veth).collect();
    if all.len() < CROWD {
        return None;
    }
    let sum = |of: fn(&Interface) -> [f64; 2]| all.iter().map(|i| of(i)).fold([0.0, 0.0], |[a, b], [c, d]| [a + c, b + d]);
    Some(Interface {
        name: format!("{} veth", all.len()).into(),
        bytes: sum(|i| i.bytes),
        packets: sum(|i| i.packets),
        errors: sum(|i| i.errors),
        drops: sum(|i| i.drops),
        up: all.iter().any(|i| i.up),
        kind: InterfaceKind::Veth,
        ..Interface::default()
    })
}

/// The interfaces worth a row, with `veths` in the place of all of their kind, before the loopback.
fn collapsed<'a>(network: &'a Network, veths: Option<&'a Interface>) -> Vec<&'a Interface> {
    let mut rows = shown(network);
    if let Some(veths) = veths {
        rows.retain(|i| i.kind != InterfaceKind::Veth);
        let at = rows.iter().position(|i| &*i.name == "lo").unwrap_or(rows.len());
        rows.insert(at, veths);
    }
    rows
}

fn history(state: &State, network: &Network, mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let of = |metric| outer(network).map(|i| Key::new(Subject::Interface(i.name.clone()), metric)).collect::<Vec<_>>();
    let (received, sent) = (of(Metric::NetReceive), of(Metric::NetTransmit));
    pair(state, (&received, &sent), LEAST, [theme.chart, theme.second], &mut canvas);
}

/// Two charts of sums back to back on one scale: the first grows up, the second down.
pub fn pair(state: &State, (up, down): (&[Key], &[Key]), least: f64, styles: [Style; 2], canvas: &mut Canvas<'_>) {
    let (width, height) = (canvas.width(), canvas.height());
    let upper = height.div_ceil(2);
    let cuts = ahead::cut_pair(state, (up, down), width);
    let [above, below] = [(&cuts[0], up), (&cuts[1], down)].map(|(cut, keys)| cut.dots(state, keys));
    let least = cuts.iter().flat_map(|cut| &cut.future).map(|future| chart::scale(&future.points, least)).fold(least, f64::max);
    let full = chart::scale(&above, chart::scale(&below, least));
    let [first, second] = styles;
    let ink = state.look.ink;
    let halves = [(above, Grow::Up, first, 0, upper), (below, Grow::Down, second, upper, height.saturating_sub(upper))];
    for ((dots, grow, style, y, tall), cut) in halves.into_iter().zip(&cuts) {
        let mut half = canvas.part(0, y, width, tall);
        Chart { dots: &dots, full, ink, grow, style: &|_| style }.draw(&mut half.part(0, 0, cut.past, tall));
        cut.draw(state, full, grow, &mut half);
    }
    let keys: Vec<Key> = up.iter().chain(down).cloned().collect();
    ahead::marks(state, &keys, cuts[0].past, canvas);
}

fn table(state: &State, rows: &[&Interface], mut canvas: Canvas<'_>) {
    let theme = state.theme();
    let width = canvas.width();
    let ends = [width.saturating_sub(20), width.saturating_sub(10), width];
    for (end, head) in ends.into_iter().zip(["in", "out", "lost"]) {
        canvas.right(end, 0, head, theme.dim);
    }
    canvas.text(0, 0, "interface", theme.dim);
    for (y, row) in (1..canvas.height()).zip(rows) {
        let lost: f64 = row.errors.iter().chain(&row.drops).sum();
        canvas.short(0, y, width.saturating_sub(30), &row.name, theme.text);
        let [received, sent] = row.bytes;
        for (end, value) in ends.into_iter().zip([received, sent]) {
            canvas.right(end, y, &Unit::BytesPerSecond.show(value), if value == 0.0 { theme.dim } else { theme.text });
        }
        let style = if lost == 0.0 { theme.dim } else { theme.level(lost, 1.0, 100.0) };
        canvas.right(width, y, &Unit::PerSecond.show(lost), style);
    }
}

fn cells(state: &State, tcp: &Tcp) -> Vec<Cell> {
    let theme = state.theme();
    let rate = |label, value: f64, warning, critical| -> Cell {
        let style = if value == 0.0 { theme.dim } else { theme.level(value, warning, critical) };
        (label, Unit::PerSecond.show(value), style)
    };
    vec![
        rate("resent", tcp.retransmits, 10.0, 200.0),
        rate("overflows", tcp.overflows, 0.5, 20.0),
        ("tcp open", Unit::Count.show(tcp.established as f64), theme.text),
    ]
}
