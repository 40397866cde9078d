//! Chance with a seed: the same draws in every run, so that a replay of the journal chooses what was chosen.

use crate::planning::learning::outcomes::Shares;

/// Draws by splitmix64 (Steele, Lea and Flood 2014).
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of that seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly between 0 and 1, never either.
    pub fn even(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Normal, of mean 0 and variance 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * self.even().ln()).sqrt(), std::f64::consts::TAU * self.even());
        radius * angle.cos()
    }

    /// Gamma of that shape and scale 1 (Marsaglia and Tsang 2000; a shape below 1 by their boost).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = self.even().powf(1.0 / shape.max(1e-3));
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.even().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// Chances of win, neutral and harm, by their pseudo-counts.
    pub fn dirichlet(&mut self, counts: Shares) -> Shares {
        let drawn = counts.map(|count| self.gamma(count).max(1e-300));
        let sum: f64 = drawn.iter().sum();
        drawn.map(|part| part / sum)
    }

    /// A chance, by pseudo-counts for and against.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (yes, no) = (self.gamma(a), self.gamma(b));
        yes / (yes + no).max(1e-300)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_means_that_they_should_and_the_same_seed_draws_the_same() {
        let mut dice = Dice::new(7);
        let draws: Vec<Shares> = (0..20_000).map(|_| dice.dirichlet([3.0, 2.0, 0.2])).collect();
        let mean = |at: fn(&Shares) -> f64| draws.iter().map(at).sum::<f64>() / 20_000.0;
        assert!((mean(|d| d[0]) - 3.0 / 5.2).abs() < 0.01, "{}", mean(|d| d[0]));
        assert!((mean(|d| d[2]) - 0.2 / 5.2).abs() < 0.005, "{}", mean(|d| d[2]));
        let spread = draws.iter().map(|d| (d[0] - 3.0 / 5.2).powi(2)).sum::<f64>() / 20_000.0;
        let right = (3.0 / 5.2) * (2.2 / 5.2) / 6.2;
        assert!((spread / right - 1.0).abs() < 0.05, "{spread} is not {right}");
        assert_eq!(Dice::new(9).beta(2.0, 3.0), Dice::new(9).beta(2.0, 3.0));
        assert_ne!(Dice::new(9).even(), Dice::new(10).even());
    }
}
