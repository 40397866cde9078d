//! A cpu hog of the demo: works without end, like a batch job that somebody started without `nice`.

use crate::app::{
    demo::part::{BATCH, Life, work},
    failure::Failure,
};

/// Works until the demo ends.
pub fn run(parent: u32, seconds: u64) -> Result<(), Failure> {
    let life = Life::begin(BATCH, parent, seconds)?;
    let mut state = [0; 32];
    while !life.is_over() {
        for _ in 0..64 {
            work(&mut state);
        }
    }
    Ok(())
}
