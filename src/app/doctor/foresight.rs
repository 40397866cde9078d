//! The doctor's line on foresight: whether anybody looks ahead, how far, at what cost, and how forecasts did so far.

use crate::{
    model::{limits::Foresight, unit::Unit},
    store::foresight::{self, Row},
};
use std::path::Path;

/// The line; `directory` is the state directory.
pub fn line(directory: &Path, wish: &Foresight) -> String {
    if !wish.enabled {
        return "nobody looks ahead, the configuration says so".into();
    }
    let (far, share) = (Unit::Seconds.show(wish.horizon), Unit::Cores.show(wish.cpu));
    let file = directory.join(foresight::FILE);
    let record = match foresight::load(&file) {
        Ok(rows) if rows.is_empty() => format!("none compared yet, {}", file.display()),
        Ok(rows) => format!("{}, {}", did(&rows), file.display()),
        Err(e) => e.to_string(),
    };
    format!("{far} ahead for at most {share} of cpu; {record}")
}

/// How forecasts did, all together.
fn did(rows: &[Row]) -> String {
    let scored: u64 = rows.iter().map(|(_, _, tally)| tally.scored).sum();
    let sum = |of: &dyn Fn(&foresight::Tally) -> f64| rows.iter().map(|(_, _, tally)| of(tally)).sum::<f64>();
    let weight = sum(&|tally| tally.weight).max(f64::MIN_POSITIVE);
    let [within80, within95] = [sum(&|tally| tally.within[0]) / weight, sum(&|tally| tally.within[1]) / weight];
    let better = rows.iter().filter(|(_, _, tally)| tally.error < tally.naive).count();
    format!(
        "{} values of {} forecasts compared: {} within the 80 % range, {} within the 95 %, {better} better than the last value",
        Unit::Count.show(scored as f64),
        rows.len(),
        Unit::Share.show(within80),
        Unit::Share.show(within95)
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::metric::{Key, Metric};

    #[test]
    fn the_line_tells_how_forecasts_did_or_why_that_is_not_known() {
        let dir = tempfile::tempdir().unwrap();
        let wish = Foresight::default();
        assert!(line(dir.path(), &wish).contains("none compared yet"));
        let tally =
            foresight::Tally { scored: 50, weight: 40.0, error: 1.0, naive: 2.0, within: [32.0, 38.0], ..Default::default() };
        let rows =
            vec![(Key::host(Metric::CpuBusy), 10, tally), (Key::host(Metric::Load), 10, foresight::Tally { error: 3.0, ..tally })];
        foresight::save(&dir.path().join(foresight::FILE), rows).unwrap();
        let told = line(dir.path(), &wish);
        assert!(told.contains("100 values of 2 forecasts") && told.contains("80") && told.contains("1 better"), "{told}");
        std::fs::write(dir.path().join(foresight::FILE), "{").unwrap();
        assert!(line(dir.path(), &wish).contains("not understood"));
        assert!(line(dir.path(), &Foresight { enabled: false, ..wish }).starts_with("nobody"));
    }
}
