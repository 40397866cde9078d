//! The two distributions that verdicts need: Student's t and the binomial's exact interval. Both are the incomplete beta function
//! (continued fraction after Lentz; Abramowitz and Stegun 26.5).

use std::f64::consts::PI;

/// Logarithm of the gamma function for positive `x` (Lanczos, g = 7).
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = C.iter().enumerate().fold(0.999_999_999_999_809_9, |sum, (i, c)| sum + c / (x + i as f64 + 1.0));
    let t = x + 7.5;
    0.5 * (2.0 * PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The regularised incomplete beta function.
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) { front * fraction(x, a, b) / a } else { 1.0 - front * fraction(1.0 - x, b, a) / b }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let (mut c, mut d) = (1.0, 1.0 / guard(1.0 - (a + b) * x / (a + 1.0)));
    let mut h = d;
    for m in 1..300 {
        let m = f64::from(m);
        for term in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / guard(1.0 + term * d);
            c = guard(1.0 + term / c);
            h *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-12 {
            break;
        }
    }
    h
}

/// The chance that Student's t with `df` degrees of freedom is further from zero than `t`, on either side.
pub fn beyond(t: f64, df: f64) -> f64 {
    let df = df.max(1.0);
    if t.is_nan() { 1.0 } else { beta(df / (df + t * t), df / 2.0, 0.5) }
}

/// The value that Student's t with `df` degrees of freedom stays below with probability `p` (0.5 to 1).
pub fn student(p: f64, df: f64) -> f64 {
    let df = df.max(1.0);
    let below = |t: f64| 1.0 - 0.5 * beta(df / (df + t * t), df / 2.0, 0.5);
    bisect(0.0, 1e3, |t| below(t) < p)
}

/// Exact (Clopper-Pearson) two-sided 95 % interval of a probability after `hits` of `tries`; neither need be whole.
pub fn proportion(hits: f64, tries: f64) -> (f64, f64) {
    let low = if hits <= 0.0 { 0.0 } else { bisect(0.0, 1.0, |p| beta(p, hits, tries - hits + 1.0) < 0.025) };
    let high = if hits >= tries { 1.0 } else { bisect(0.0, 1.0, |p| beta(p, hits + 1.0, tries - hits) < 0.975) };
    (low, high)
}

/// The chance that at most `hits` of `tries` come out, each with probability `p`; neither need be whole.
pub fn at_most(hits: f64, tries: f64, p: f64) -> f64 {
    if hits >= tries { 1.0 } else { 1.0 - beta(p, hits + 1.0, tries - hits) }
}

/// One-sided 95 % lower bound of a probability after `hits` of `tries` (Clopper-Pearson).
pub fn at_least(hits: f64, tries: f64) -> f64 {
    if hits <= 0.0 { 0.0 } else { bisect(0.0, 1.0, |p| beta(p, hits, tries - hits + 1.0) < 0.05) }
}

/// The value that a beta distribution with shapes `a` and `b` stays below with probability `p`.
pub fn beta_below(p: f64, a: f64, b: f64) -> f64 {
    bisect(0.0, 1.0, |x| beta(x, a, b) < p)
}

/// Where `low_side` stops being true.
fn bisect(mut low: f64, mut high: f64, low_side: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if low_side(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_agree() {
        for (p, df, t) in [(0.975, 1.0, 12.706), (0.975, 10.0, 2.228), (0.95, 5.0, 2.015), (0.975, 1000.0, 1.962)] {
            assert!((student(p, df) - t).abs() < 2e-3, "t({p}, {df}) = {}", student(p, df));
        }
        assert!((beyond(2.228, 10.0) - 0.05).abs() < 1e-4 && beyond(0.0, 5.0) == 1.0 && beyond(9.0, 300.0) > 0.0);
        for (hits, tries, low, high) in [(0.0, 10.0, 0.0, 0.3085), (5.0, 10.0, 0.1871, 0.8129), (10.0, 10.0, 0.6915, 1.0)] {
            let (a, b) = proportion(hits, tries);
            assert!((a - low).abs() < 1e-3 && (b - high).abs() < 1e-3, "{hits} of {tries}: {a} to {b}");
        }
        for (hits, tries, p, sum) in [(0.0, 10.0, 0.1, 0.3487), (2.0, 10.0, 0.5, 0.0547), (9.0, 10.0, 0.5, 0.9990)] {
            assert!((at_most(hits, tries, p) - sum).abs() < 1e-3, "{hits} of {tries}: {}", at_most(hits, tries, p));
        }
        assert!((at_least(3.0, 10.0) - 0.0873).abs() < 1e-3 && at_least(0.0, 9.0) == 0.0);
    }
}
