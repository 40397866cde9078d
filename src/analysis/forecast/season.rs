//! Finds the season. The day is asked first, since hosts live by it; then any period. What is compared is not the series but how the means
//! of its blocks move: a wandering series resembles itself at many distances, its moves at none (Box and Jenkins 1970).

/// Seconds of a day.
const DAY: f64 = 86_400.0;
/// Blocks in a day when the day is asked.
const BLOCKS: usize = 32;
/// The day is believed from this many standard errors of the correlation on, any other period from this many and this correlation.
const SURE: (f32, f32, f32) = (3.0, 6.0, 0.4);
/// Lengths of blocks with which any period is looked for.
const LENGTHS: [usize; 4] = [1, 4, 16, 64];
/// The newest blocks that are looked at.
const NEWEST: usize = 512;
/// Of periods that are nearly as good as the best, the shortest is taken: its multiples are as good.
const NEARLY: f32 = 0.9;
/// Moves of the first distances hang together without any season.
const SHORTEST: usize = 4;

/// Steps of the season; `None` if there is none that the series shows. `step`: seconds.
pub fn find(values: &[f32], step: f64) -> Option<usize> {
    if let Some(day) = day(step).filter(|day| *day >= BLOCKS && day * 2 < values.len()) {
        let moves = moves(values, (day / BLOCKS).max(1));
        let lag = BLOCKS * day / (BLOCKS * (day / BLOCKS).max(1));
        if correlation(&moves, lag)? > SURE.0 / (moves.len() as f32).sqrt() {
            return Some(day);
        }
    }
    LENGTHS.iter().find_map(|length| search(values, *length))
}

/// Steps of a day, if they can be counted.
pub fn day(step: f64) -> Option<usize> {
    let steps = (DAY / step).round();
    (1.0..=DAY).contains(&steps).then_some(steps as usize)
}

/// The best period at a length of blocks, in steps.
fn search(values: &[f32], length: usize) -> Option<usize> {
    let newest = values.get(values.len().saturating_sub(NEWEST * length)..)?;
    let moves = moves(newest, length);
    let all: Vec<(usize, f32)> = (SHORTEST..=moves.len() / 3).filter_map(|lag| Some((lag, correlation(&moves, lag)?))).collect();
    let best = all.iter().map(|(_, r)| *r).fold(0.0, f32::max);
    let first = all.iter().position(|(_, r)| *r >= NEARLY * best)?;
    let hill = all.iter().skip(first).take_while(|(_, r)| *r >= NEARLY * best);
    let lag = hill.max_by(|a, b| a.1.total_cmp(&b.1))?.0;
    if best < SURE.2.max(SURE.1 / ((moves.len() - lag) as f32).sqrt()) {
        return None;
    }
    let (period, off) = (lag * length, (length / 2).max(lag * length / 16));
    let near = period - off..=period + off;
    let apart = |period: usize| {
        newest.iter().skip(period).zip(newest).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / (newest.len() - period) as f64
    };
    near.map(|period| (period, apart(period))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(period, _)| period)
}

/// How the means of blocks move from one to the next; the last block is a full one.
fn moves(values: &[f32], length: usize) -> Vec<f32> {
    let blocks = values.get(values.len() % length..).unwrap_or_default().chunks(length);
    let means: Vec<f32> = blocks.map(|block| block.iter().sum::<f32>() / length as f32).collect();
    means.iter().zip(means.iter().skip(1)).map(|(from, to)| to - from).collect()
}

/// Of a course with itself so many steps before; `None` if it does not move.
fn correlation(moves: &[f32], lag: usize) -> Option<f32> {
    let power: f32 = moves.iter().map(|v| v * v).sum();
    let common: f32 = moves.iter().skip(lag).zip(moves).map(|(a, b)| a * b).sum();
    let whole = moves.len() as f32 / moves.len().saturating_sub(lag).max(1) as f32;
    (power > 0.0).then(|| common / power * whole)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Even noise between -0.5 and 0.5 that is the same in each run.
    fn noise(seed: u64) -> impl Iterator<Item = f32> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        })
    }

    #[test]
    fn a_season_that_is_there_is_found() {
        for (period, step, count) in [(288, 300.0, 1500), (60, 1.0, 600), (37, 1.0, 500), (700, 1.0, 3000)] {
            let wave = |i: usize| (i as f32 / period as f32 * std::f32::consts::TAU).sin();
            let values: Vec<f32> = noise(7).take(count).enumerate().map(|(i, e)| wave(i) + 0.3 * e).collect();
            let found = find(&values, step).unwrap();
            assert!(found.abs_diff(period) * 50 <= period, "{period}: {found}");
        }
    }

    #[test]
    fn none_is_found_where_there_is_none() {
        for seed in 0..20 {
            let white: Vec<f32> = noise(seed).take(1500).collect();
            let walk: Vec<f32> = white
                .iter()
                .scan(0.0, |sum, e| {
                    Some({
                        *sum += e;
                        *sum
                    })
                })
                .collect();
            assert_eq!(find(&white, 1.0), None, "noise {seed}");
            assert_eq!(find(&walk, 1.0), None, "walk {seed}");
        }
        assert_eq!(find(&[1.0; 900], 300.0), None);
        assert_eq!(find(&[], 300.0), None);
    }
}
