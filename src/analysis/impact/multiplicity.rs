//! Many verdicts, some of them lucky: Benjamini and Hochberg (1995) over the last seven days.
//!
//! Of gains that are accepted at a false discovery rate of 10 %, at most about a tenth are chance. The more verdicts there are that show
//! nothing, the rarer by chance the next gain has to be. At its own time each verdict is held against those before it, so the rate is a
//! target of the procedure and not a promise about any one week.

use crate::model::verdict::Week;

/// False discovery rate.
const RATE: f64 = 0.10;

/// How a gain of chance `p` stands among `earlier` ones.
pub fn week(earlier: &[f64], p: f64) -> Week {
    let mut all: Vec<f64> = earlier.iter().copied().chain([p]).collect();
    all.sort_by(f64::total_cmp);
    let count = all.len() as f64;
    let holds = |(place, p): &(usize, &f64)| **p <= RATE * (*place + 1) as f64 / count;
    let last = all.iter().enumerate().rev().find(holds);
    let (accepted, threshold) = last.map_or((0, 0.0), |(place, p)| (place + 1, *p));
    Week { verdicts: all.len(), accepted, chance: (threshold * count).min(accepted as f64), holds: accepted > 0 && p <= threshold }
}

#[cfg(test)]
mod tests {
    use crate::analysis::impact::simulation::Noise;

    #[test]
    fn the_example_of_the_paper() {
        // Benjamini and Hochberg, section 3.1, at their q of 0.05 scaled to ours: four are accepted at 0.05, more at 0.10.
        let all = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590];
        let week = super::week(&all, 1.0);
        assert_eq!((week.verdicts, week.accepted, week.holds), (15, 9, false));
        assert!((week.chance - 15.0 * 0.0459).abs() < 1e-9);
    }

    #[test]
    fn alone_a_tenth_will_do_and_among_many_that_show_nothing_it_will_not() {
        assert!(super::week(&[], 0.04).holds);
        let nothing = [0.5; 19];
        assert!(!super::week(&nothing, 0.04).holds);
        assert!(super::week(&nothing, 0.004).holds);
        let week = super::week(&[0.001, 0.002, 0.003], 0.04);
        assert!(week.holds && week.accepted == 4);
    }

    #[test]
    fn weeks_of_nothing_seldom_have_any_discovery() {
        let mut noise = Noise::seeded(12);
        let lucky = (0..1000).filter(|_| {
            let all: Vec<f64> = (0..20).map(|_| noise.uniform()).collect();
            super::week(&all, 1.0).accepted > 0
        });
        assert!(lucky.count() <= 130, "a rate of 10 % with the error of a thousand tries");
    }
}
