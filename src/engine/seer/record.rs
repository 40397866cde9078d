//! The track record: each forecast is compared with what came, at three distances, and with the last value that it knew.
//!
//! Its ranges are stretched or drawn in by adaptive conformal inference (Gibbs and Candes 2021), here on the logarithm of their width:
//! each value that falls outside widens them, each that falls inside narrows them, by amounts that cancel exactly when the range holds
//! what it promises. So coverage comes back after a series has changed its ways, whatever the models believe.

use crate::{
    model::{
        metric::Key,
        outlook::{Band, Record},
        subject::Subject,
    },
    store::foresight::{Row, Tally},
};
use std::collections::{BTreeMap, VecDeque};

/// How much of what was counted before stays, at each value.
const STAYS: f64 = 0.98;

/// How fast ranges follow what falls outside of them.
const RATE: f64 = 0.06;

/// Ranges are stretched so much at most, and drawn in so much.
const WIDEST: f64 = 32.0;
const NARROWEST: f64 = 0.2;

/// What should fall outside of the 80 and of the 95 % range.
const OUTSIDE: [f64; 2] = [0.2, 0.05];

/// Compared values after which a record means something.
const ENOUGH: u64 = 20;

/// Skill below which the last value does better; a little less than none is rounding.
const POOR: f64 = -0.01;

/// Forecasts of one number and step that wait for their time.
const WAITING: usize = 8;

/// Records at most.
const MOST: usize = 1024;

/// What was said of one step.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// Number of the step that it is about.
    step: i64,
    band: Band,
    /// The last value that was known.
    last: f64,
}

#[derive(Clone, Debug, Default)]
struct Page {
    tally: Tally,
    waiting: VecDeque<Waiting>,
    /// Number of the first step of the newest forecast that waits.
    newest: i64,
    /// When it was scored last, as a count of all that were.
    touched: u64,
}

/// What a forecast says, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Said<'b> {
    /// Of which number.
    pub key: &'b Key,
    /// Seconds per step.
    pub step: i64,
    /// Number of its first step.
    pub first: i64,
    /// The last value that it knew.
    pub last: f64,
    /// What it says, as published.
    pub bands: &'b [Band],
}

/// How all forecasts did.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pages: BTreeMap<(Key, i64), Page>,
    scored: u64,
}

impl Book {
    /// As it was kept.
    pub fn new(rows: Vec<Row>) -> Book {
        let page = |(key, step, tally): Row| ((key, step), Page { tally: sane(tally), ..Page::default() });
        Book { pages: rows.into_iter().take(MOST).map(page).collect(), scored: 0 }
    }

    /// What is to be kept: processes do not outlive a restart in a way that could be told.
    pub fn kept(&self) -> Vec<Row> {
        let lasting = self.pages.iter().filter(|((key, _), page)| page.tally.scored > 0 && !is_fleeting(key));
        lasting.map(|((key, step), page)| (key.clone(), *step, page.tally)).collect()
    }

    /// How forecasts of that number and step did, if any were compared.
    pub fn record(&self, key: &Key, step: i64) -> Option<Record> {
        let tally = &self.pages.get(&(key.clone(), step))?.tally;
        (tally.scored > 0).then(|| record(tally))
    }

    /// Stretches ranges by what earlier ones have missed.
    pub fn stretch(&self, key: &Key, step: i64, bands: &mut [Band]) {
        let Some(page) = self.pages.get(&(key.clone(), step)) else { return };
        let [narrow, wide] = page.tally.stretch;
        for band in bands {
            let point = band.point;
            let from = |end: f64, by: f64| point + (end - point) * by;
            band.lo80 = from(band.lo80, narrow);
            band.hi80 = from(band.hi80, narrow);
            band.lo95 = from(band.lo95, wide).min(band.lo80);
            band.hi95 = from(band.hi95, wide).max(band.hi80);
        }
    }

    /// Remembers what was said, to compare it when its time comes. Of many that say nearly the same, some are left out.
    pub fn expect(&mut self, said: Said<'_>) {
        let horizon = said.bands.len();
        let leads = [horizon / 8, horizon / 2, horizon].map(|lead| lead.max(1));
        let [first, ..] = leads;
        if horizon < leads.len() || !said.last.is_finite() {
            return;
        }
        let touched = self.scored;
        let page = self.pages.entry((said.key.clone(), said.step)).or_insert_with(|| Page { touched, ..Page::default() });
        if !page.waiting.is_empty() && said.first < page.newest + first as i64 {
            return;
        }
        if page.waiting.len() + leads.len() > WAITING * leads.len() {
            return;
        }
        page.newest = said.first;
        let wait = |lead: usize| {
            let band = *said.bands.get(lead - 1)?;
            Some(Waiting { step: said.first + lead as i64 - 1, band, last: said.last })
        };
        page.waiting.extend(leads.into_iter().filter_map(wait));
        self.bound();
    }

    /// Compares what is due. `came` tells what came of a step of that number: `None` while it is not over, a gap is nothing.
    pub fn settle(&mut self, came: impl Fn(&Key, i64, i64) -> Option<Option<f64>>) {
        for ((key, step), page) in &mut self.pages {
            let Page { tally, waiting, touched, .. } = page;
            waiting.retain(|one| {
                let Some(value) = came(key, *step, one.step) else { return true };
                if let Some(value) = value {
                    score(tally, one, value);
                    self.scored += 1;
                    *touched = self.scored;
                }
                false
            });
        }
    }

    /// Somebody has changed the machine: what was said before is about another one.
    pub fn forget_waiting(&mut self) {
        self.pages.values_mut().for_each(|page| page.waiting.clear());
    }

    /// Nobody looks at these numbers any more.
    pub fn keep_only(&mut self, is_known: impl Fn(&Key) -> bool) {
        self.pages.retain(|(key, _), _| is_known(key) || !is_fleeting(key));
        self.pages.iter_mut().filter(|((key, _), _)| !is_known(key)).for_each(|(_, page)| page.waiting.clear());
    }

    /// The clock was set by so many seconds.
    pub fn shift(&mut self, seconds: f64) {
        for ((_, step), page) in &mut self.pages {
            let by = (seconds / *step as f64).round() as i64;
            page.newest += by;
            page.waiting.iter_mut().for_each(|one| one.step += by);
        }
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let waiting: usize = self.pages.values().map(|page| page.waiting.capacity() * size_of::<Waiting>()).sum();
        waiting + self.pages.len() * size_of::<((Key, i64), Page)>()
    }

    fn bound(&mut self) {
        while self.pages.len() > MOST {
            let oldest = self.pages.iter().min_by_key(|(_, page)| page.touched).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { return };
            self.pages.remove(&oldest);
        }
    }
}

/// It has been compared often enough, and the last value would have done better.
pub fn is_poor(record: Option<&Record>) -> bool {
    record.is_some_and(|record| record.scored >= ENOUGH && record.skill < POOR)
}

fn record(tally: &Tally) -> Record {
    let [within80, within95] = tally.within.map(|within| within / tally.weight.max(f64::MIN_POSITIVE));
    let skill = if tally.naive > 0.0 { 1.0 - tally.error / tally.naive } else { 0.0 };
    Record { scored: tally.scored, skill, within80, within95 }
}

fn score(tally: &mut Tally, one: &Waiting, value: f64) {
    let Band { point, lo80, hi80, lo95, hi95 } = one.band;
    tally.scored += 1;
    tally.weight = tally.weight * STAYS + 1.0;
    tally.error = tally.error * STAYS + (value - point).abs();
    tally.naive = tally.naive * STAYS + (value - one.last).abs();
    let inside = [(lo80..=hi80).contains(&value), (lo95..=hi95).contains(&value)];
    for ((within, stretch), (inside, outside)) in
        tally.within.iter_mut().zip(&mut tally.stretch).zip(inside.into_iter().zip(OUTSIDE))
    {
        let missed = if inside { 0.0 } else { 1.0 };
        *within = *within * STAYS + (1.0 - missed);
        *stretch = (*stretch * (RATE * (missed - outside)).exp()).clamp(NARROWEST, WIDEST);
    }
}

/// What stood in a file is believed only where it can be.
fn sane(tally: Tally) -> Tally {
    let numbers = [tally.weight, tally.error, tally.naive].into_iter().chain(tally.within);
    let fits = |stretch: f64| (NARROWEST..=WIDEST).contains(&stretch);
    if numbers.into_iter().all(|n| n.is_finite() && n >= 0.0) && tally.stretch.into_iter().all(fits) {
        tally
    } else {
        Tally::default()
    }
}

fn is_fleeting(key: &Key) -> bool {
    matches!(key.subject, Subject::Process(_))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::metric::Metric;

    const HORIZON: usize = 24;

    fn key() -> Key {
        Key::host(Metric::MemoryUsed)
    }

    /// Normal noise from a seed (Box and Muller 1958 on a linear congruence).
    struct Noise(u64);

    impl Noise {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        }
        fn next(&mut self) -> f64 {
            (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
        }
    }

    fn bands(point: f64, sigma: f64) -> Vec<Band> {
        let band = Band {
            point,
            lo80: point - 1.2816 * sigma,
            hi80: point + 1.2816 * sigma,
            lo95: point - 1.96 * sigma,
            hi95: point + 1.96 * sigma,
        };
        vec![band; HORIZON]
    }

    /// Each step a forecast that believes in `sigma` 1 around `point`, of a series whose noise is `sigma`; coverage of the steps from
    /// `from` on.
    fn play(book: &mut Book, steps: i64, from: i64, sigma: impl Fn(i64) -> f64) -> [f64; 2] {
        let mut noise = Noise(7);
        let series: Vec<f64> = (0..steps).map(|i| sigma(i) * noise.next()).collect();
        let (mut inside, mut all) = ([0.0; 2], 0.0);
        for now in 1..steps {
            let mut said = bands(0.0, 1.0);
            book.stretch(&key(), 60, &mut said);
            if now >= from {
                let (value, band) = (series[now as usize], said[0]);
                inside[0] += f64::from(u8::from((band.lo80..=band.hi80).contains(&value)));
                inside[1] += f64::from(u8::from((band.lo95..=band.hi95).contains(&value)));
                all += 1.0;
            }
            book.expect(Said { key: &key(), step: 60, first: now, last: series[now as usize - 1], bands: &said });
            book.settle(|_, _, step| (step <= now).then(|| series.get(step as usize).copied()));
        }
        inside.map(|inside| inside / all)
    }

    #[test]
    fn ranges_come_back_to_what_they_promise_after_the_series_has_changed() {
        for factor in [3.0, 0.4] {
            let mut book = Book::default();
            let [within80, within95] = play(&mut book, 6000, 2000, |i| if i < 1000 { 1.0 } else { factor });
            assert!((within80 - 0.8).abs() < 0.03 && (within95 - 0.95).abs() < 0.02, "{factor}: {within80} {within95}");
        }
        let honest = play(&mut Book::default(), 3000, 0, |_| 1.0);
        assert!((honest[0] - 0.8).abs() < 0.03 && (honest[1] - 0.95).abs() < 0.02, "{honest:?}");
        let record = {
            let mut book = Book::default();
            play(&mut book, 500, 0, |_| 1.0);
            book.record(&key(), 60).unwrap()
        };
        assert!(record.scored > 300 && (0.2..0.4).contains(&record.skill), "the mean beats the last value by 0.29: {record:?}");
    }

    #[test]
    fn stretched_ranges_hold_each_other_and_the_point() {
        let tally = Tally { stretch: [3.0, 0.5], scored: 1, ..Tally::default() };
        let book = Book::new(vec![(key(), 60, tally)]);
        let mut said = bands(5.0, 1.0);
        book.stretch(&key(), 60, &mut said);
        let band = said[0];
        assert!(band.lo95 <= band.lo80 && band.lo80 < band.point && band.point < band.hi80 && band.hi80 <= band.hi95);
        assert!((band.hi80 - 5.0 - 3.0 * 1.2816).abs() < 1e-9);
    }

    #[test]
    fn a_poor_record_is_one_that_is_long_enough() {
        let record = |scored, skill| Some(Record { scored, skill, within80: 0.8, within95: 0.95 });
        assert!(is_poor(record(50, -0.02).as_ref()) && !is_poor(record(5, -3.0).as_ref()));
        assert!(!is_poor(record(50, 0.0).as_ref()) && !is_poor(None));
    }

    #[test]
    fn what_spans_a_change_of_the_machine_is_not_compared_nor_what_falls_into_a_gap() {
        let mut book = Book::default();
        let said = bands(0.0, 1.0);
        let expect = |book: &mut Book, first| book.expect(Said { key: &key(), step: 60, first, last: 0.0, bands: &said });
        expect(&mut book, 0);
        book.forget_waiting();
        book.settle(|_, _, _| Some(Some(100.0)));
        assert_eq!(book.record(&key(), 60), None);
        expect(&mut book, 0);
        book.settle(|_, _, step| Some((step > 2).then_some(0.5)));
        assert_eq!(book.record(&key(), 60).unwrap().scored, 2, "the first of three fell into a gap");
        assert_eq!(book.record(&key(), 10), None);
    }

    #[test]
    fn records_and_what_waits_are_bounded() {
        let mut book = Book::default();
        let said = bands(0.0, 1.0);
        for first in 0..1000 {
            book.expect(Said { key: &key(), step: 60, first, last: 0.0, bands: &said });
        }
        assert_eq!(book.pages[&(key(), 60)].waiting.len(), 3 * WAITING);
        for n in 0..2000_u64 {
            let key = Key::new(Subject::Network(n), Metric::TcpResets);
            book.expect(Said { key: &key, step: 60, first: 0, last: 0.0, bands: &said });
        }
        assert_eq!(book.pages.len(), MOST);
        book.keep_only(|_| false);
        assert!(book.pages.values().all(|page| page.waiting.is_empty()));
    }

    #[test]
    fn what_is_kept_comes_back_and_nonsense_does_not() {
        let mut book = Book::default();
        play(&mut book, 200, 0, |_| 4.0);
        let kept = book.kept();
        let again = Book::new(kept.clone());
        assert_eq!(again.kept(), kept);
        assert_eq!(again.record(&key(), 60), book.record(&key(), 60));
        let odd = Tally { scored: 9, stretch: [f64::NAN, 1.0], ..Tally::default() };
        assert_eq!(Book::new(vec![(key(), 60, odd)]).kept(), []);
    }
}
