//! The strip of cores: one cell a core, its height or digit how busy it is, so that it is legible without colour. From one core, drawn
//! wide enough to be seen, to hundreds, in rows by NUMA node or socket where there is room, and several to a cell where there is none.

use crate::{
    model::{
        facts::CpuGroup,
        snapshot::{Cpu, CpuSplit},
    },
    ui::{canvas::Canvas, chart, state::State},
};

/// One row of the strip.
struct Row {
    label: String,
    /// How busy the cores of each cell are: the busiest of them.
    cells: Vec<f64>,
}

/// A strip, cut to a width and a number of rows.
pub struct Strip {
    rows: Vec<Row>,
    label: u16,
    /// Columns of a cell, with the gap between it and the next.
    each: u16,
}

impl Strip {
    /// Lays out the cores in at most `most` rows.
    pub fn new(cpu: &Cpu, groups: &[CpuGroup], width: u16, most: u16) -> Strip {
        let grouped: Vec<(String, Vec<f64>)> =
            groups.iter().map(|group| (group.name.to_string(), busy_of(cpu, &group.cpus))).collect();
        let fit = |all: &[(String, Vec<f64>)]| {
            let room = room(all.iter().map(|(name, _)| name.as_str()), width);
            all.iter().map(|(_, cores)| cores.len().div_ceil(room).max(1)).sum::<usize>() <= most.into()
        };
        if grouped.len() > 1 && fit(&grouped) {
            return Strip::of(grouped, width);
        }
        let all: Vec<f64> = cpu.cores.iter().map(|(_, split)| split.busy()).collect();
        let room = room(["cores", "max/99"], width) * usize::from(most.max(1));
        let together = all.len().div_ceil(room).max(1);
        if together == 1 {
            return Strip::of(vec![("cores".into(), all)], width);
        }
        let cells = all.chunks(together).map(|cores| cores.iter().copied().fold(0.0, f64::max)).collect();
        Strip::of(vec![(format!("max/{together}"), cells)], width)
    }

    fn of(groups: Vec<(String, Vec<f64>)>, width: u16) -> Strip {
        let room = room(groups.iter().map(|(name, _)| name.as_str()), width);
        let longest = groups.iter().map(|(_, cores)| cores.len()).max().unwrap_or(0).max(1);
        let each = (room / longest).clamp(1, 3);
        let mut rows = Vec::new();
        for (name, cores) in groups {
            for (i, cells) in cores.chunks((room / each).max(1)).enumerate() {
                rows.push(Row { label: if i == 0 { name.clone() } else { String::new() }, cells: cells.into() });
            }
        }
        let label = u16::try_from(usize::from(width).saturating_sub(room)).unwrap_or(0);
        Strip { rows, label, each: each as u16 }
    }

    /// Rows that it takes.
    pub fn height(&self) -> u16 {
        u16::try_from(self.rows.len()).unwrap_or(u16::MAX)
    }

    /// Draws it.
    pub fn draw(&self, state: &State, mut canvas: Canvas<'_>) {
        let theme = state.theme();
        for (y, row) in (0..).zip(&self.rows) {
            canvas.text(0, y, &row.label, theme.dim);
            for (i, busy) in (0u16..).zip(&row.cells) {
                let style = match *busy {
                    b if b >= 0.95 => theme.critical,
                    b if b >= 0.8 => theme.warning,
                    b if b < 0.02 => theme.border,
                    _ => theme.chart,
                };
                // Wide cells have a gap between them.
                for step in 0..self.each.max(2) - 1 {
                    canvas.put(self.label + i * self.each + step, y, chart::level(*busy, state.look.ink), style);
                }
            }
        }
    }
}

/// Columns beside the longest label.
fn room<'a>(labels: impl IntoIterator<Item = &'a str>, width: u16) -> usize {
    let label = labels.into_iter().map(str::len).max().unwrap_or(0) + 2;
    usize::from(width).saturating_sub(label).max(1)
}

fn busy_of(cpu: &Cpu, numbers: &[u32]) -> Vec<f64> {
    let busy = |number: &u32| {
        let at = cpu.cores.binary_search_by_key(number, |(n, _)| *n).ok()?;
        cpu.cores.get(at).map(|(_, split): &(u32, CpuSplit)| split.busy())
    };
    numbers.iter().filter_map(busy).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn cpu(cores: u32) -> Cpu {
        let core = |n| (n, CpuSplit { idle: 1.0 - f64::from(n % 10) / 10.0, ..CpuSplit::default() });
        Cpu { cores: (0..cores).map(core).collect(), ..Cpu::default() }
    }

    fn shape(cores: u32, groups: &[CpuGroup], width: u16, most: u16) -> (Vec<(String, usize)>, u16) {
        let strip = Strip::new(&cpu(cores), groups, width, most);
        (strip.rows.iter().map(|row| (row.label.clone(), row.cells.len())).collect(), strip.each)
    }

    fn nodes(count: u32, each: u32) -> Vec<CpuGroup> {
        (0..count).map(|n| CpuGroup { name: format!("node {n}").into(), cpus: (n * each..(n + 1) * each).collect() }).collect()
    }

    #[test]
    fn few_cores_are_wide_and_many_wrap() {
        assert_eq!(shape(1, &[], 40, 3), (vec![("cores".into(), 1)], 3));
        assert_eq!(shape(16, &[], 40, 3), (vec![("cores".into(), 16)], 2));
        assert_eq!(shape(64, &[], 40, 3), (vec![("cores".into(), 33), (String::new(), 31)], 1));
    }

    #[test]
    fn what_does_not_fit_shares_cells_and_says_how_many() {
        let (rows, _) = shape(256, &[], 40, 3);
        assert_eq!(rows, [("max/3".into(), 33), (String::new(), 33), (String::new(), 20)]);
        let strip = Strip::new(&cpu(256), &[], 40, 3);
        assert_eq!(strip.rows[0].cells[0], cpu(3).cores[2].1.busy(), "the busiest of three");
    }

    #[test]
    fn nodes_have_rows_of_their_own_where_there_is_room() {
        let (rows, each) = shape(256, &nodes(4, 64), 140, 8);
        assert_eq!((rows[3].clone(), each), (("node 3".into(), 64), 2));
        assert_eq!(rows.len(), 4);
        let (rows, _) = shape(256, &nodes(8, 32), 140, 4);
        assert_eq!(rows[0].0, "cores", "eight rows do not fit in four");
        assert_eq!(shape(3, &nodes(2, 2), 40, 4).0, [("node 0".into(), 2), ("node 1".into(), 1)], "one is offline");
    }

    #[test]
    fn no_width_and_no_core_are_no_panic() {
        assert_eq!(shape(0, &[], 40, 2).0, []);
        assert_eq!(shape(300, &nodes(2, 150), 0, 0).0, [("max/300".into(), 1)]);
    }
}
