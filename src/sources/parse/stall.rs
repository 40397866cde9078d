//! A pressure file, of the host or of a cgroup (Documentation/accounting/psi.rst).

use crate::model::sample::{PressureLine, Stall};

/// The file; `None` without a whole line `some`. Percents that are no numbers read as zero.
pub fn parse(text: &str) -> Option<Stall> {
    let find = |kind: &str| text.lines().find_map(|l| line(l.strip_prefix(kind)?.strip_prefix(' ')?));
    Some(Stall { some: find("some")?, full: find("full") })
}

fn line(rest: &str) -> Option<PressureLine> {
    let mut found = PressureLine::default();
    let mut total = None;
    for (key, value) in rest.split_ascii_whitespace().filter_map(|field| field.split_once('=')) {
        let [ten, sixty, three_hundred] = &mut found.avg;
        let average = match key {
            "avg10" => ten,
            "avg60" => sixty,
            "avg300" => three_hundred,
            "total" => {
                total = value.parse().ok();
                continue;
            }
            _ => continue,
        };
        *average = value.parse().ok().filter(|percent| (0.0..=100.0).contains(percent)).unwrap_or(0.0);
    }
    found.total = total?;
    Some(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_and_one_line() {
        let both = "some avg10=0.04 avg60=0.43 avg300=1.32 total=22650264\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=7\n";
        let stall = parse(both).unwrap();
        assert_eq!((stall.some.avg, stall.some.total), ([0.04, 0.43, 1.32], 22_650_264));
        assert_eq!(stall.full.unwrap().total, 7);
        assert_eq!(parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=3\n").unwrap().full, None);
    }

    #[test]
    fn garbage_is_no_pressure() {
        assert_eq!(parse("some avg10=NaN avg60=inf total=5\n").unwrap().some.avg, [0.0; 3]);
        assert_eq!(parse("some avg10=1.0"), None);
        assert_eq!(parse("something total=5"), None);
    }
}
