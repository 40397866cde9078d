//! Draws the state.

use crate::ui::{
    canvas,
    chart::Ink,
    layout,
    pane::{Page, Pane},
    panels::{
        alerts, bar, causes, cpu, findings, forecasts, header, log, memory, network, overlay, processes, queue, reader, services,
        storage, verdict,
    },
    spots::{Spot, Spots},
    state::State,
};
use ratatui::{buffer::Buffer, layout::Rect};

/// Draws everything into `area`; says what stands where for a mouse.
pub fn draw(state: &State, area: Rect, buf: &mut Buffer) -> Spots {
    let mut spots = Spots::default();
    let area = area.intersection(buf.area);
    buf.set_style(area, state.theme().text);
    let places = layout::places(state, area);
    header::draw(state, places.header, buf);
    header::draw_banner(state, places.banner, buf);
    for (pane, at) in &places.panes {
        spots.add(*at, Spot::Pane(*pane));
        draw_pane(state, *pane, *at, (&mut *buf, &mut spots));
    }
    match state.page {
        Page::Overview => {}
        Page::Alerts => alerts::draw(state, places.body, buf, &mut spots),
        Page::Forecasts => forecasts::draw(state, places.body, buf, &mut spots),
        Page::Causes => causes::draw(state, places.body, buf, &mut spots),
        _ => reader::draw(state, places.body, buf),
    }
    verdict::draw(state, places.verdict, buf);
    bar::draw(state, places.bar, buf, &mut spots);
    overlay::draw(state, area, buf, &mut spots);
    if state.look.ink == Ink::Ascii {
        canvas::to_ascii(buf);
    }
    spots
}

fn draw_pane(state: &State, pane: Pane, area: Rect, (buf, spots): (&mut Buffer, &mut Spots)) {
    match pane {
        Pane::Cpu => cpu::draw(state, area, buf),
        Pane::Memory => memory::draw(state, area, buf),
        Pane::Network => network::draw(state, area, buf),
        Pane::Storage => storage::draw(state, area, buf),
        Pane::Processes => processes::draw(state, area, buf, spots),
        Pane::Services => services::draw(state, area, buf),
        Pane::Findings => findings::draw(state, area, buf, spots),
        Pane::Queue => queue::draw(state, area, buf, spots),
        Pane::Log => log::draw(state, area, buf),
    }
}
