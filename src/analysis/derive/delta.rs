//! Differences of counters.

/// How far a counter went; `None` when it went backwards: it was set to zero in between.
pub(super) fn delta(old: u64, new: u64) -> Option<u64> {
    new.checked_sub(old)
}

/// How far a counter of 32 bits went, which begins anew at 2^32. Times in `/proc/diskstats` are such on every kernel.
pub(super) fn delta32(old: u64, new: u64) -> Option<u64> {
    let wrapped = old <= u64::from(u32::MAX) && new < old && old - new > 1 << 31;
    if wrapped { Some(new + (1 << 32) - old) } else { delta(old, new) }
}

/// Events per second of a counter; 0 over a reset, for counters whose row has others that tell.
pub(super) fn rate(old: u64, new: u64, seconds: f64) -> f64 {
    delta(old, new).map_or(0.0, |events| per(events as f64, seconds))
}

/// `amount / seconds`, or 0 where no time went by.
pub(super) fn per(amount: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount / seconds } else { 0.0 }
}

/// `part / whole`, or none of nothing.
pub(super) fn mean(part: f64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_is_told_from_a_reset() {
        assert_eq!(delta(5, 9), Some(4));
        assert_eq!(delta(9, 5), None);
        assert_eq!(delta32(u64::from(u32::MAX) - 4, 10), Some(15));
        assert_eq!(delta32(1000, 10), None, "far from the end: it began anew");
        assert_eq!(rate(9, 5, 1.0), 0.0);
        assert_eq!(per(1.0, 0.0), 0.0);
    }
}
