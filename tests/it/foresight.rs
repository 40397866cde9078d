//! Foresight over a stored history: what was fills the ladders, the thread looks ahead in the loop, and what it learns of itself outlives it.

use std::{path::Path, sync::Arc};
use trimtab::{
    analysis::{
        derive::deriver::Deriver,
        forecast::forecast::{Past, Prediction},
    },
    app::desk,
    app::replay,
    engine::{
        parts::{ForesightSettings, Settings},
        seer::{refill, stored},
    },
    model::change::Who,
    model::{
        facts::Facts,
        limits::{Foresight, Mode, Policy},
        message::{Ask, Body, View},
        metric::{Key, Metric},
        outlook::{Band, Method},
        sample::{MemorySample, Sample, SourceName},
        time::{Now, Tick, Wall},
    },
    store::{
        foresight,
        history::{
            frame::{Frame, Reading, Readings},
            reader::History,
            writer::{HistoryWriter, Place},
        },
    },
};

/// On the hour.
const BEGIN: i64 = 1_795_269_600_000;
const TOTAL: u64 = 1 << 33;

fn at(seconds: i64) -> Now {
    Now { tick: Tick(1_000_000_000_000_u64.saturating_add_signed(seconds * 1_000_000_000)), wall: Wall(BEGIN + seconds * 1000) }
}

/// A mebibyte is taken each second.
fn available(seconds: i64) -> u64 {
    TOTAL - ((seconds.unsigned_abs() % 7200) << 20) / 8
}

fn frame(seconds: i64) -> Frame {
    let now = at(seconds);
    let memory = MemorySample { total: TOTAL, available: available(seconds), ..MemorySample::default() };
    let reading = Arc::new(Reading { at: now, sample: Ok(Sample::Memory(memory)) });
    let facts = Arc::new(Facts { host: "web".into(), boot: "b".into(), ..Facts::default() });
    Frame { now, readings: Readings::from([(SourceName::Memory, reading)]), facts, ..Frame::default() }
}

/// A history of so many seconds, one instant each ten.
fn history(directory: &Path, seconds: i64) -> History {
    let place = Place { path: directory.join("history.db"), bytes: 64 << 20 };
    let (mut writer, mut deriver) = (HistoryWriter::open(&place, Wall(BEGIN)).unwrap().0, Deriver::default());
    for frame in (0..seconds).step_by(10).map(frame) {
        for (name, reading) in &frame.readings {
            deriver.take(*name, reading.at, reading.sample.clone());
        }
        writer.put(&frame, &deriver.snapshot(frame.now)).unwrap();
    }
    writer.flush().unwrap();
    History::open(&place.path).unwrap()
}

fn key() -> Key {
    Key::host(Metric::MemoryAvailable)
}

/// The last value: what is tested here is all around the models.
fn flat(past: &Past<'_>, horizon: usize) -> Prediction {
    let last = past.values.iter().copied().rfind(|value| value.is_finite()).unwrap_or_default();
    let band = Band { point: last, lo80: last * 0.99, hi80: last * 1.01, lo95: last * 0.98, hi95: last * 1.02 };
    Prediction {
        bands: vec![band; horizon],
        blend: vec![(Method::LastValue, 1.0)],
        skill: None,
        reliable: false,
        season: None,
        trained: past.values.len() as f64 * past.step,
        changed: None,
    }
}

fn settings(file: &Path) -> Settings {
    let foresight = ForesightSettings { wish: Foresight::default(), model: flat, file: Some(file.into()) };
    Settings { policy: Policy { mode: Mode::Observe, ..Policy::default() }, foresight, ..Settings::default() }
}

#[test]
fn a_history_alone_tells_the_course_of_a_number_at_every_resolution_that_it_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path(), 4 * 3600);
    let ladder = refill::ladder(&history, &key()).unwrap().unwrap();
    let lengths = [0, 1, 2, 3].map(|rung| ladder.length(rung));
    assert_eq!(lengths[0], 0, "trends begin at ten seconds");
    assert!(
        (710..=720).contains(&lengths[1]) && (235..=240).contains(&lengths[2]) && (45..=48).contains(&lengths[3]),
        "{lengths:?}"
    );
    for (rung, step) in [(1, 10), (2, 60), (3, 300)] {
        let course = ladder.course(rung).unwrap();
        assert_eq!(course.known(), course.values.len(), "no gaps");
        for (i, value) in course.values.iter().enumerate() {
            let begins = (course.start as i64 - BEGIN / 1000) + i as i64 * step;
            let instants: Vec<i64> = (begins..begins + step).step_by(10).collect();
            let mean = instants.iter().map(|s| available(*s) as f64).sum::<f64>() / instants.len() as f64;
            assert!((value - mean).abs() < 1e-6 * TOTAL as f64, "{step} s at {begins}: {value} for {mean}");
        }
    }
    let steal = Key::host(Metric::CpuSteal);
    assert!(refill::ladder(&history, &steal).unwrap().is_none());
    let (forecast, last) = stored::forecast(&history, &key(), 1800.0, Vec::new()).unwrap();
    assert_eq!((forecast.step, forecast.bands.len()), (60.0, 30));
    assert!((last.unwrap() - available(4 * 3600 - 5) as f64).abs() < 60.0 * f64::from(1 << 17));
    assert!(stored::forecast(&history, &steal, 1800.0, Vec::new()).unwrap_err().contains("nothing of steal"));
}

async fn foreseen(views: &mut tokio::sync::watch::Receiver<Arc<View>>, scored: u64) -> Arc<View> {
    let has = |view: &Arc<View>| {
        let outlook = view.outlook.as_ref().unwrap();
        outlook.of(&key()).any(|forecast| forecast.record.map_or(0, |record| record.scored) >= scored)
    };
    views.wait_for(has).await.unwrap().clone()
}

#[tokio::test]
async fn the_thread_foresees_keeps_score_answers_and_remembers() {
    let dir = tempfile::tempdir().unwrap();
    let (history, file) = (history(dir.path(), 2 * 3600), dir.path().join(foresight::FILE));
    let engine = replay::start(&history, at(5400).wall, 400.0, settings(&file)).unwrap();
    let mut views = engine.views.clone();
    let view = foreseen(&mut views, 6).await;
    let outlook = view.outlook.as_ref().unwrap();
    let steps: Vec<f64> = outlook.of(&key()).map(|forecast| forecast.step).collect();
    assert!(steps.contains(&10.0) && steps.contains(&60.0), "what was stored was enough for both: {steps:?}");
    assert!(outlook.effort.series >= 2 && outlook.effort.bytes > 1000 && outlook.effort.budget == 0.01, "{:?}", outlook.effort);
    let ask = |of: &str, horizon| desk::answer(engine.clone(), Who::Engine, Ask::Forecast { of: of.into(), horizon });
    let Body::Forecast(forecast) = ask("memory_available", 1800.0).await else { panic!("no forecast") };
    assert_eq!((forecast.step, forecast.bands.len(), &forecast.key), (60.0, 30, &key()));
    assert!(matches!(ask("memory_available", -1.0).await, Body::Error(_)) && matches!(ask("memory", 60.0).await, Body::Error(_)));
    engine.stop().await;
    let rows = foresight::load(&file).unwrap();
    assert!(rows.iter().any(|(of, step, tally)| *of == key() && *step == 10 && tally.scored >= 6), "{rows:?}");

    let engine = replay::start(&history, at(5400).wall, 400.0, settings(&file)).unwrap();
    let first = foreseen(&mut engine.views.clone(), 1).await;
    let record = first.outlook.as_ref().unwrap().of(&key()).find_map(|forecast| forecast.record).unwrap();
    assert!(record.scored >= 6, "as it was kept: {record:?}");
    engine.stop().await;
}

#[tokio::test]
async fn a_broken_record_is_told_and_replaced_and_without_foresight_nobody_answers() {
    let dir = tempfile::tempdir().unwrap();
    let (history, file) = (history(dir.path(), 3600), dir.path().join(foresight::FILE));
    std::fs::write(&file, "{\"form\":1,\"rows\":[").unwrap();
    let engine = replay::start(&history, at(1800).wall, 400.0, settings(&file)).unwrap();
    let mut views = engine.views.clone();
    let told = |view: &Arc<View>| view.problems.iter().any(|problem| problem.contains("how earlier forecasts did is not known"));
    views.wait_for(told).await.unwrap();
    engine.stop().await;
    assert!(foresight::load(&file).is_ok());
    let mut off = settings(&file);
    off.foresight.wish.enabled = false;
    let engine = replay::start(&history, at(1800).wall, 400.0, off).unwrap();
    let Body::Error(why) = engine.forecast("memory_available".into(), 60.0).await else { panic!("an answer") };
    assert!(why.contains("foresight"), "{why}");
    engine.stop().await;
}
