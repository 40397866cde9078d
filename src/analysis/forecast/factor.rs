//! The Cholesky factor of a small symmetric matrix: what is left of a regression once its rows are summed up.

use ndarray::{Array1, Array2, ArrayView1};

/// Below this a pivot is taken for it: a column that adds nothing to those before it gets no weight worth the name.
const LEAST: f64 = 1e-9;

/// The lower triangle L of L Lᵗ, line by line; each ends on the diagonal.
pub struct Factor(Vec<Vec<f64>>);

impl Factor {
    /// Of a symmetric matrix; only its lower triangle is read.
    pub fn of(matrix: &Array2<f64>) -> Factor {
        let mut lines: Vec<Vec<f64>> = Vec::with_capacity(matrix.nrows());
        for values in matrix.rows() {
            let mut line = Vec::with_capacity(lines.len() + 1);
            for (above, value) in lines.iter().zip(values) {
                line.push((value - dot(&line, above)) / diagonal(above));
            }
            let own = values.get(lines.len()).copied().unwrap_or_default();
            line.push((own - dot(&line, &line)).max(LEAST).sqrt());
            lines.push(line);
        }
        Factor(lines)
    }

    /// x of L x = right.
    pub fn forward(&self, right: ArrayView1<'_, f32>) -> Array1<f64> {
        self.descend(right.iter().map(|v| f64::from(*v)))
    }

    /// Lᵗ.
    pub fn transposed(&self) -> Array2<f64> {
        let mut out = Array2::zeros((self.0.len(), self.0.len()));
        for (mut column, line) in out.columns_mut().into_iter().zip(&self.0) {
            column.iter_mut().zip(line).for_each(|(to, value)| *to = *value);
        }
        out
    }

    /// x of L x = right.
    pub fn descend(&self, right: impl Iterator<Item = f64>) -> Array1<f64> {
        let mut x = Vec::with_capacity(self.0.len());
        for (line, right) in self.0.iter().zip(right) {
            x.push((right - dot(&x, line)) / diagonal(line));
        }
        Array1::from_vec(x)
    }

    /// x of Lᵗ x = right.
    pub fn backward(&self, mut x: Array1<f64>) -> Array1<f64> {
        for (i, line) in self.0.iter().enumerate().rev() {
            let Some(value) = x.get_mut(i) else { continue };
            *value /= diagonal(line);
            let found = *value;
            x.iter_mut().zip(line).take(i).for_each(|(x, factor)| *x -= factor * found);
        }
        x
    }

    /// x of L Lᵗ x = right.
    pub fn solve(&self, right: &Array1<f64>) -> Array1<f64> {
        self.backward(self.descend(right.iter().copied()))
    }
}

fn diagonal(line: &[f64]) -> f64 {
    line.last().copied().unwrap_or(1.0)
}

/// Over the shorter of the two. Four sums side by side: the processor need not wait for one addition to end before the next.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (a.chunks(4), b.chunks(4));
    let mut sums = [0.0; 4];
    for (a, b) in a.zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_system_is_solved() {
        let matrix = array![[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]];
        let x = Factor::of(&matrix).solve(&array![1.0, -2.0, 3.0]);
        let back = matrix.dot(&x);
        assert!((back - array![1.0, -2.0, 3.0]).iter().all(|miss| miss.abs() < 1e-12), "{x}");
    }

    #[test]
    fn a_singular_matrix_gives_finite_numbers() {
        let x = Factor::of(&array![[1.0, 1.0], [1.0, 1.0]]).solve(&array![1.0, 1.0]);
        assert!(x.iter().all(|x| x.is_finite()), "{x}");
    }
}
