//! Receive paths: queues as they are, interrupts as events per second.

use super::delta::rate;
use crate::model::receive::{Interrupt, InterruptSample, Path, PathSample, Receive, ReceiveSample};

/// What the newest sample says; `old` is the one before.
pub(super) fn receive(old: Option<&ReceiveSample>, new: &ReceiveSample, seconds: f64) -> Receive {
    let before = |path: &PathSample| old?.paths.iter().find(|before| before.name == path.name);
    let paths = new.paths.iter().map(|row| Path {
        name: row.name.clone(),
        queues: row.queues,
        steered: row.steered,
        interrupts: row.interrupts.iter().map(|irq| interrupt(before(row), irq, seconds)).collect(),
    });
    Receive { paths: paths.collect(), isolated: new.isolated.clone() }
}

fn interrupt(old: Option<&PathSample>, new: &InterruptSample, seconds: f64) -> Interrupt {
    let before = old.and_then(|path| path.interrupts.iter().find(|irq| irq.number == new.number));
    let rate = before.map(|before| rate(before.count, new.count, seconds));
    Interrupt { number: new.number, cpus: new.cpus.clone(), rate }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_has_a_rate_from_its_second_reading_on() {
        let sample = |irqs: &[(u32, u64)]| {
            let interrupts =
                irqs.iter().map(|(number, count)| InterruptSample { number: *number, cpus: "0".into(), count: *count });
            let path = PathSample { name: "eth0".into(), queues: 2, interrupts: interrupts.collect(), ..PathSample::default() };
            ReceiveSample { paths: vec![path], ..ReceiveSample::default() }
        };
        let old = sample(&[(41, 1000)]);
        assert_eq!(receive(None, &old, 0.0).paths[0].interrupts[0].rate, None);
        let rates: Vec<_> =
            receive(Some(&old), &sample(&[(41, 3000), (42, 9)]), 10.0).paths[0].interrupts.iter().map(|irq| irq.rate).collect();
        assert_eq!(rates, [Some(200.0), None]);
    }
}
