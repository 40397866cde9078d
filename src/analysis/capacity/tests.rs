//! Known laws are found again within their ranges, known queues too, and what the data cannot say is not said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::{
    analysis::{
        capacity::{
            fit::{Observation, fit},
            law::Law,
            question::{Question, what_if},
            queue,
        },
        impact::simulation::Noise,
    },
    model::metric::{Key, Metric},
};

/// Of the shape of Gunther's published load tests: 1 to 64 virtual users.
const USERS: [f64; 13] = [1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 20.0, 24.0, 32.0, 40.0, 48.0, 64.0];

fn measured(law: &Law, noise: f64, seed: u64) -> Vec<Observation> {
    let mut chance = Noise::seeded(seed * 997 + 1);
    USERS.iter().map(|n| Observation { n: *n, x: law.at(*n) * (noise * chance.normal()).exp() }).collect()
}

/// What a parameter of a law is, and how it is read.
type Part = (f64, fn(&Law) -> Option<f64>);

#[test]
fn a_known_law_is_found_again_within_its_ranges() {
    for law in [
        Law { lambda: 995.0, sigma: 0.0267, kappa: 0.000_769 },
        Law { lambda: 50.0, sigma: 0.1, kappa: 0.002 },
        Law { lambda: 3000.0, sigma: 0.3, kappa: 0.0 },
    ] {
        let (mut held, mut ahead) = ([0; 3], 0);
        for seed in 0..40 {
            let found = fit(&measured(&law, 0.03, seed)).unwrap();
            assert!(found.explained > 0.8, "{found:?}");
            let parts: [Part; 3] =
                [(law.lambda, |l| Some(l.lambda)), (law.sigma, |l| Some(l.sigma)), (law.kappa, |l| Some(l.kappa))];
            for (count, (truth, part)) in held.iter_mut().zip(parts) {
                let range = found.ranged(part).unwrap();
                *count += usize::from(range.low - 1e-12 <= truth && truth <= range.high + 1e-12);
            }
            // What a measurement at 56 users would show.
            let next = law.at(56.0) * (0.03 * Noise::seeded(seed + 5000).normal()).exp();
            let range = found.at(56.0);
            ahead += usize::from(range.low <= next && next <= range.high);
        }
        assert!(held.iter().all(|count| *count >= 36), "{law:?}: {held:?} of 40 ranges hold the truth");
        assert!(ahead >= 36, "{law:?}: {ahead} of 40 predictions hold");
    }
}

#[test]
fn the_peak_is_where_gunther_puts_it() {
    let law = Law { lambda: 995.0, sigma: 0.0267, kappa: 0.000_769 };
    assert!((law.peak().unwrap() - 35.57).abs() < 0.05);
    let found = fit(&measured(&law, 0.02, 3)).unwrap();
    let peak = found.ranged(|l| l.peak()).unwrap();
    assert!(peak.low <= 35.57 && 35.57 <= peak.high && peak.high - peak.low < 15.0, "{peak:?}");
    assert!((law.at(law.concurrency(5000.0).unwrap()) - 5000.0).abs() < 1e-3);
    assert_eq!(law.concurrency(1e9), None);
    assert_eq!(Law { kappa: 0.0, ..law }.peak(), None);
    assert!((Law { kappa: 0.0, ..law }.most().unwrap() - 995.0 / 0.0267).abs() < 1e-6);
}

#[test]
fn too_little_or_too_wild_data_say_nothing() {
    let law = Law { lambda: 100.0, sigma: 0.05, kappa: 0.001 };
    let few: Vec<Observation> = measured(&law, 0.0, 1).into_iter().take(3).collect();
    assert!(fit(&few).unwrap_err().contains("3 different loads"));
    let narrow: Vec<Observation> = (0..20).map(|i| 10.0 + f64::from(i) * 0.2).map(|n| Observation { n, x: law.at(n) }).collect();
    assert!(fit(&narrow).unwrap_err().contains("hardly varied"));
    let mut chance = Noise::seeded(4);
    let wild: Vec<Observation> = USERS.iter().map(|n| Observation { n: *n, x: 100.0 * (1.5 * chance.normal()).exp() }).collect();
    assert!(fit(&wild).unwrap_err().contains("does not follow"));
    for odd in [vec![], vec![Observation { n: f64::NAN, x: 1.0 }; 9], vec![Observation { n: 1.0, x: 0.0 }; 9]] {
        assert!(fit(&odd).is_err());
    }
    let huge: Vec<Observation> = USERS.iter().map(|n| Observation { n: *n, x: 1e14 * n }).collect();
    assert!(fit(&huge).unwrap().law.sigma < 1e-6, "a straight line has no contention");
}

/// A disk that follows a law, whose load goes up and down, and is steady at the end.
fn disk(seed: u64) -> impl Fn(&Key) -> Option<Vec<f64>> {
    let law = Law { lambda: 40e6, sigma: 0.15, kappa: 0.0005 };
    let mut chance = Noise::seeded(seed);
    let course = |t: usize| if t < 1100 { 3.0 + 2.6 * (t as f64 / 90.0).sin() } else { 3.0 };
    let queue: Vec<f64> = (0..1200).map(|t| (course(t) + 0.1 * chance.normal()).max(0.1)).collect();
    let moved: Vec<f64> = queue.iter().map(|n| law.at(*n) * (0.1 * chance.normal()).exp()).collect();
    // Requests of 64 KiB: by Little's law the time of each is queue over requests.
    let latency: Vec<f64> = queue.iter().zip(&moved).map(|(n, x)| n / (x / 65_536.0)).collect();
    move |key| match key.metric {
        Metric::DiskQueue => Some(queue.clone()),
        Metric::DiskRead => Some(moved.iter().map(|x| x * 0.4).collect()),
        Metric::DiskWrite => Some(moved.iter().map(|x| x * 0.6).collect()),
        Metric::DiskLatency => Some(latency.clone()),
        _ => None,
    }
}

#[test]
fn more_load_on_a_disk_is_answered_with_latency_and_range() {
    let law = Law { lambda: 40e6, sigma: 0.15, kappa: 0.0005 };
    let mut held = 0;
    for seed in 0..10 {
        let past = disk(seed);
        let said = what_if(&Question::Disk { name: "vda".into(), load: 1.3 }, &past).unwrap();
        let truth = law.residence(law.concurrency(1.3 * law.at(3.0)).unwrap()) * 65_536.0;
        let latency = &said.effects[1];
        assert!(said.explained > 0.8 && latency.then.high < 1.5 * truth, "{said:#?}");
        held += usize::from(latency.then.low <= truth && truth <= latency.then.high);
    }
    assert!(held >= 8, "{held} of 10 ranges hold the truth");
    let past = disk(1);
    let refused = what_if(&Question::Disk { name: "vda".into(), load: 50.0 }, &past).unwrap_err();
    assert!(refused.contains("cannot be served"), "{refused}");
    assert!(what_if(&Question::Disk { name: "vda".into(), load: 1.5 }, &|_| None).unwrap_err().contains("nothing is known"));
}

#[test]
fn a_service_with_more_workers_is_answered_and_far_is_said() {
    let law = Law { lambda: 50.0, sigma: 0.05, kappa: 0.004 };
    let mut chance = Noise::seeded(8);
    let inside: Vec<f64> = (0..900).map(|t| 3.5 + 2.5 * (t as f64 / 60.0).sin()).collect();
    let rate: Vec<f64> = inside.iter().map(|n| law.at(*n) * (0.05 * chance.normal()).exp()).collect();
    let p50: Vec<f64> = inside.iter().zip(&rate).map(|(n, x)| n / x).collect();
    let past = move |key: &Key| match key.metric {
        Metric::ServiceRate => Some(rate.clone()),
        Metric::ServiceP50 => Some(p50.clone()),
        _ => None,
    };
    let said = what_if(&Question::Workers { name: "shop".into(), workers: 8 }, &past).unwrap();
    let throughput = said.effects[0].then;
    assert!(throughput.low <= law.at(8.0) && law.at(8.0) <= throughput.high, "{}: {said:#?}", law.at(8.0));
    let far = what_if(&Question::Workers { name: "shop".into(), workers: 40 }, &past).unwrap();
    assert!(far.doubts.iter().any(|d| d.contains("a guess")), "{far:?}");
}

/// Four cores with the pressure of a queue, bunched 1.2 times.
fn cores(most: f64) -> impl Fn(&Key) -> Option<Vec<f64>> {
    let mut chance = Noise::seeded(2);
    let load: Vec<f64> = (0..900)
        .map(|t| most * (0.55 + 0.4 * (t as f64 / 70.0).sin()) + 0.05 * chance.normal())
        .map(|a| a.clamp(0.05, 4.0))
        .collect();
    let pressure: Vec<f64> =
        load.iter().map(|a| (queue::pressed(4, (a * 1.2).min(3.999)) + 0.01 * chance.normal()).clamp(0.0, 1.0)).collect();
    move |key| match key.metric {
        Metric::CpuBusy => Some(load.iter().map(|a| a / 4.0).collect()),
        Metric::PressureCpuSome => Some(pressure.clone()),
        _ => None,
    }
}

#[test]
fn cores_are_answered_by_the_queue() {
    let past = cores(3.2);
    let demand = past(&Key::host(Metric::CpuBusy)).unwrap().iter().rev().take(60).sum::<f64>() / 60.0 * 4.0;
    for cores in [2, 3, 8] {
        let said = what_if(&Question::Cpu { have: 4, cores, load: 1.0 }, &past).unwrap();
        let truth = queue::pressed(cores, (demand * 1.2).min(f64::from(cores) * 0.9999));
        let pressure = said.effects[1].then;
        assert!(
            (pressure.value - truth).abs() < 0.06 && pressure.low <= truth + 0.02 && truth - 0.02 <= pressure.high,
            "{truth}: {said:#?}"
        );
    }
    let more = what_if(&Question::Cpu { have: 4, cores: 4, load: 4.0 }, &past).unwrap();
    assert!(more.doubts.iter().any(|d| d.contains("do not fit")), "{more:?}");
    assert!(what_if(&Question::Cpu { have: 4, cores: 8, load: 1.0 }, &cores_full()).unwrap_err().contains("cannot be seen"));
}

fn cores_full() -> impl Fn(&Key) -> Option<Vec<f64>> {
    |key| match key.metric {
        Metric::CpuBusy => Some(vec![1.0; 300]),
        Metric::PressureCpuSome => Some(vec![0.9; 300]),
        _ => None,
    }
}
