//! The history: what comes back is what went in, whatever befalls the file; and a replay is the live loop on stored samples.

#![allow(clippy::indexing_slicing)]

use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use trimtab::{
    analysis::derive::deriver::Deriver,
    app::replay,
    engine::{parts::Settings, past},
    model::{
        change::{Change, ChangeId, ChangeState, Entry},
        facts::Facts,
        finding::{Finding, FindingId, FindingKind, Severity},
        limits::{Mode, Policy},
        message::{Ask, Body, Reply},
        metric::{Key, Metric},
        past::Event,
        sample::{CgroupSample, CpuSample, CpuTimes, MemorySample, ProcessSample, Sample, SourceName},
        snapshot::Snapshot,
        subject::{ProcessId, Subject},
        time::{Now, Tick, Wall},
    },
    store::history::{
        frame::{Frame, Own, Reading, Readings},
        reader::History,
        snapshot,
        writer::{HistoryWriter, Place, TIERS, size},
    },
};

const BEGIN: i64 = 1_795_269_600_000;

fn at(seconds: i64) -> Now {
    Now { tick: Tick(1_000_000_000_000_u64.saturating_add_signed(seconds * 1_000_000_000)), wall: Wall(BEGIN + seconds * 1000) }
}

fn reading(at: Now, sample: Sample) -> Arc<Reading> {
    Arc::new(Reading { at, sample: Ok(sample) })
}

fn process(pid: u32, cpu: u64) -> ProcessSample {
    ProcessSample { id: ProcessId { pid, start: 7 }, name: format!("p{pid}").into(), cpu, state: 'S', ..ProcessSample::default() }
}

/// A host whose counters are known functions of time.
fn frame(seconds: i64) -> Frame {
    let (now, n) = (at(seconds), seconds.unsigned_abs());
    let times = CpuTimes { user: n * 30, idle: n * 70, ..CpuTimes::default() };
    let cpu = CpuSample { total: times, cores: vec![(0, times)], load: Some([0.12, 0.5, 1.25]), ..CpuSample::default() };
    let rows = (1..=20).map(|pid| process(pid, if pid % 5 == 0 { n * 100_000_000 * u64::from(pid) } else { 9 })).collect();
    let group = |path: &str| CgroupSample { path: path.into(), cpu: Some(n * 10_000_000), ..CgroupSample::default() };
    let readings = Readings::from([
        (SourceName::Cpu, reading(now, Sample::Cpu(cpu))),
        (
            SourceName::Memory,
            reading(now, Sample::Memory(MemorySample { total: 1 << 33, available: (1 << 32) - n, ..MemorySample::default() })),
        ),
        (SourceName::Processes, reading(now, Sample::Processes(Arc::new(rows)))),
        (SourceName::Cgroups, reading(now, Sample::Cgroups(vec![group("/"), group("/a.slice")]))),
        // Read once in a while.
        (SourceName::Filesystems, reading(at(seconds - seconds % 30), Sample::Filesystems(vec![]))),
        (SourceName::Disks, Arc::new(Reading { at: now, sample: Err("no disks here".into()) })),
    ]);
    let own = Own { mode: Mode::Suggest, engine: 5, ..Own::default() };
    Frame {
        now,
        readings,
        facts: Arc::new(Facts { host: "web".into(), boot: "b".into(), ..Facts::default() }),
        own,
        ..Frame::default()
    }
}

/// What two frames differ in, as text: samples have no equality of their own.
fn told(frame: &Frame) -> String {
    let readings: BTreeMap<_, _> = frame.readings.iter().map(|(name, r)| (name, (r.at, &r.sample))).collect();
    format!("{:?} {readings:?} {:?} {:?} {:?}", frame.now, frame.facts, frame.findings, frame.own)
}

struct Shelf {
    _dir: tempfile::TempDir,
    place: Place,
}

impl Shelf {
    fn new(bytes: u64) -> Shelf {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { path: dir.path().join("history.db"), bytes };
        Shelf { _dir: dir, place }
    }

    fn path(&self) -> &Path {
        &self.place.path
    }

    fn writer(&self) -> HistoryWriter {
        HistoryWriter::open(&self.place, Wall(BEGIN)).unwrap().0
    }

    fn history(&self) -> History {
        History::open(self.path()).unwrap()
    }

    /// Stores the frames of these seconds, with the numbers that follow from them.
    fn fill(&self, seconds: impl Iterator<Item = i64>) -> HistoryWriter {
        let (mut writer, mut deriver) = (self.writer(), Deriver::default());
        for frame in seconds.map(frame) {
            writer.put(&frame, &derive(&mut deriver, &frame)).unwrap();
        }
        writer
    }
}

fn derive(deriver: &mut Deriver, frame: &Frame) -> Snapshot {
    for (name, reading) in &frame.readings {
        deriver.take(*name, reading.at, reading.sample.clone());
    }
    deriver.snapshot(frame.now)
}

fn all(history: &History) -> Vec<Frame> {
    let (mut frames, mut after): (Vec<Frame>, _) = (Vec::new(), Wall(i64::MIN + 1));
    loop {
        let some = history.some_after(after).unwrap();
        let Some(last) = some.last() else { return frames };
        after = last.now.wall;
        frames.extend(some);
    }
}

#[test]
fn every_frame_comes_back_as_it_was_while_it_is_written_and_after() {
    let shelf = Shelf::new(64 << 20);
    let writer = shelf.fill(0..200);
    let expect: Vec<String> = (0..200).map(|s| told(&frame(s))).collect();
    assert_eq!(all(&shelf.history()).iter().map(told).collect::<Vec<_>>(), expect, "beside the writer");
    drop(writer);
    assert_eq!(all(&shelf.history()).iter().map(told).collect::<Vec<_>>(), expect, "after a writer that just went away");
    shelf.fill(200..205).finish().unwrap();
    assert_eq!(all(&shelf.history()).len(), 205);
    assert!(!shelf.path().with_extension("db-wal").exists(), "a finished history is one file");
}

#[test]
fn a_view_of_the_past_has_the_rates_of_then_in_whichever_tier() {
    let shelf = Shelf::new(64 << 20);
    let _writer = shelf.fill(0..150);
    let history = shelf.history();
    for second in [1_i64, 59, 60, 61, 119, 149] {
        let past = past::past(&history, Wall(BEGIN + second * 1000 + 999)).unwrap().unwrap();
        assert_eq!(past.view.now, at(second));
        assert_eq!((past.over, past.before), (1.0, Some(at(second - 1).wall)));
        assert_eq!(past.after, (second < 149).then(|| at(second + 1).wall));
        let snapshot = &past.view.snapshot;
        assert!((snapshot.vitals.cpu.known().unwrap().total.user - 0.3).abs() < 1e-9, "second {second}");
        let busy = snapshot.process(ProcessId { pid: 10, start: 7 }).unwrap();
        assert!((busy.cpu.unwrap() - 1.0).abs() < 1e-9);
        assert!(snapshot.filesystems.known().is_some(), "what is read seldom is there as well");
        assert!(snapshot.gaps.iter().any(|(name, gap)| *name == SourceName::Disks && &*gap.why == "no disks here"));
    }
    assert_eq!(past::past(&history, Wall(0)).unwrap().unwrap().view.now, at(0), "the oldest there is");
}

#[test]
fn old_frames_leave_in_the_order_of_their_tiers_and_the_file_stays_in_its_bytes() {
    let shelf = Shelf::new(8 << 20);
    let (mut writer, mut deriver, mut most) = (shelf.writer(), Deriver::default(), 0);
    let mut seed = 1_u64;
    let mut noise = || {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        seed
    };
    for second in 0..4000_i64 {
        let mut frame = frame(second);
        // Names that do not compress, so that the budget is reached soon.
        let mut command = || (0..8).map(|_| format!("{:016x}", noise())).collect::<String>().into();
        let rows = (1..=50).map(|pid| ProcessSample { command: command(), ..process(pid, second.unsigned_abs()) }).collect();
        frame.readings.insert(SourceName::Processes, reading(frame.now, Sample::Processes(Arc::new(rows))));
        writer.put(&frame, &derive(&mut deriver, &frame)).unwrap();
        most = most.max(size(shelf.path()));
    }
    assert!(most <= 8 << 20, "{most} bytes");
    drop(writer);
    let history = shelf.history();
    let times: Vec<i64> = all(&history).iter().map(|frame| (frame.now.wall.0 - BEGIN) / 1000).collect();
    assert!(times.is_sorted() && times.windows(2).all(|w| w[0] < w[1]));
    assert_eq!(times.last(), Some(&3999));
    let apart = |gap| times.windows(2).filter(|w| w[1] - w[0] == gap).count();
    let finest = times.windows(2).position(|w| w[1] - w[0] == 1).unwrap();
    assert!(times[finest] > 60, "seconds go first");
    assert!(times[0] < times[finest], "while coarser frames of that time are still there");
    assert!(apart(1) > 100 && apart(10) + apart(60) + apart(600) > 0, "{times:?}");
    assert_eq!(history.damaged(), 0);
}

#[test]
fn coarser_tiers_hold_stored_instants_and_peaks_survive_in_trends() {
    let shelf = Shelf::new(64 << 20);
    let mut writer = shelf.writer();
    let mut deriver = Deriver::default();
    for second in 0..1800 {
        let mut frame = frame(second);
        let times = CpuTimes {
            user: second.unsigned_abs() * 30 + u64::from(second >= 905) * 60,
            idle: second.unsigned_abs() * 70,
            ..CpuTimes::default()
        };
        frame.readings.insert(SourceName::Cpu, reading(frame.now, Sample::Cpu(CpuSample { total: times, ..CpuSample::default() })));
        writer.put(&frame, &derive(&mut deriver, &frame)).unwrap();
    }
    writer.flush().unwrap();
    let history = shelf.history();
    let key = Key::host(Metric::CpuBusy);
    for points in [3, 30, 180] {
        let trace = history.trace(std::slice::from_ref(&key), (Wall(BEGIN), Wall(BEGIN + 1_800_000)), points).unwrap();
        let row = &trace.rows[0].1;
        assert_eq!((trace.step, row.len()), (1_800_000 / points as i64, points));
        let peak = row.iter().flatten().map(|trend| trend.max).fold(0.0, f64::max);
        assert!((peak - 90.0 / 160.0).abs() < 1e-6, "{points} points: peak {peak}");
        assert!(row.iter().flatten().all(|trend| trend.min <= trend.mean && trend.mean <= trend.max));
        assert!(row.iter().all(Option::is_some));
        let step = row.iter().position(|slot| slot.is_some_and(|trend| trend.max > 0.5)).unwrap() as i64;
        assert_eq!(step, 905_000 / trace.step, "the peak is where it was");
    }
    let ask = Ask::Trace { keys: vec![key.clone()], from: at(900).wall, to: at(960).wall, points: 60 };
    let Body::Trace(fine) = past::answer(&history, ask).unwrap() else { panic!("no trace") };
    assert!((fine.rows[0].1[5].unwrap().mean - 90.0 / 160.0).abs() < 1e-9 && (fine.rows[0].1[6].unwrap().mean - 0.3).abs() < 1e-9);
    // Within the first minute of a run only the shortest trends are there: a window of minutes is made of those.
    let young = Shelf::new(64 << 20);
    let _writer = young.fill(0..45);
    let window = young.history().trace(std::slice::from_ref(&key), (at(-60).wall, at(60).wall), 1).unwrap();
    assert!((window.rows[0].1[0].unwrap().mean - 0.3).abs() < 1e-6);
    let gone = Key::new(Subject::Disk("none".into()), Metric::DiskRead);
    assert!(history.trace(&[gone], (Wall(BEGIN), Wall(BEGIN + 1000)), 10).unwrap().rows[0].1.iter().all(Option::is_none));
}

fn finding(kind: FindingKind) -> Finding {
    Finding {
        id: FindingId { kind, subject: Subject::Host },
        severity: Severity::Warning,
        headline: "a waits for b".into(),
        evidence: vec![],
        culprits: vec![],
        victims: vec![],
        ruled_out: vec![],
        advice: None,
        impact: 0.25,
        priority: 0.5,
        since: at(0).wall,
        crossing: None,
    }
}

/// The journal of a change that was applied.
fn entries() -> Vec<(u64, Entry)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/journal-1.jsonl")).unwrap();
    let mut number = 0;
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    let mut all: Vec<(u64, Entry)> = Vec::new();
    let mut known: BTreeMap<ChangeId, Change> = BTreeMap::new();
    for mut entry in entries {
        let begun = Change::begin(&entry);
        let taken = match begun {
            Some(change) => known.insert(entry.change, change).is_none(),
            None => known.get_mut(&entry.change).is_some_and(|change| change.take(&entry).is_ok()),
        };
        if taken {
            number += 1;
            entry.now = at(number);
            all.push((number.unsigned_abs(), entry));
        }
    }
    assert!(all.len() > 4, "the golden journal has a change");
    all
}

#[test]
fn findings_and_deeds_are_marks_and_stand_in_the_view_of_their_time() {
    let shelf = Shelf::new(64 << 20);
    let mut writer = shelf.writer();
    let entries = entries();
    writer.deeds(&entries).unwrap();
    writer.deeds(&entries).unwrap();
    for second in 0..30 {
        let mut frame = frame(second);
        if (10..20).contains(&second) {
            frame.findings = Arc::new(vec![finding(FindingKind::CpuContention)]);
        }
        writer.put(&frame, &Snapshot::default()).unwrap();
    }
    let history = shelf.history();
    let marks = history.marks(at(0).wall, at(100).wall).unwrap();
    let deeds = marks.iter().filter(|mark| matches!(mark.event, Event::Moved(..))).count();
    assert_eq!(deeds, entries.len(), "each deed once");
    let id = finding(FindingKind::CpuContention).id;
    assert!(marks.iter().any(|m| m.at == at(10).wall && m.event == Event::Raised(id.clone(), Severity::Warning)));
    assert!(marks.iter().any(|m| m.at == at(20).wall && m.event == Event::Ended(id.clone())));
    let view = |second| past::past(&history, at(second).wall).unwrap().unwrap().view;
    assert_eq!((view(9).findings.len(), view(15).findings.len(), view(20).findings.len()), (0, 1, 0));
    let first = entries[0].1.change;
    let state = |second| view(second).changes.iter().find(|c| c.id == first).map(|c| c.state);
    assert_eq!((state(0), state(1)), (None, Some(ChangeState::Proposed)));
}

#[test]
fn a_snapshot_file_holds_its_minutes_and_nothing_else() {
    let shelf = Shelf::new(64 << 20);
    let mut writer = shelf.fill(0..400);
    writer.deeds(&entries()).unwrap();
    let file = shelf.path().with_file_name("for-ann");
    let ask = Ask::WriteSnapshot { file: file.display().to_string(), from: at(100).wall, to: at(220).wall };
    let answer = past::answer(&shelf.history(), ask.clone()).unwrap();
    assert!(matches!(&answer, Body::Reply(Reply::Done(text)) if text.contains("121 sweeps")), "{answer:?}");
    let history = History::open(&file).unwrap();
    assert_eq!(history.kept().unwrap(), Some((at(100).wall, at(220).wall)));
    assert_eq!(all(&history).iter().map(told).collect::<Vec<_>>(), (100..=220).map(|s| told(&frame(s))).collect::<Vec<_>>());
    assert!(!history.marks(at(0).wall, at(300).wall).unwrap().is_empty());
    assert!(!history.keys(at(100).wall, at(220).wall).unwrap().is_empty());
    assert!(matches!(past::answer(&shelf.history(), ask).unwrap(), Body::Reply(Reply::Refused(_))), "never over another file");
    assert!(snapshot::write(&shelf.history(), Path::new("/no/such/place"), (at(0).wall, at(1).wall)).is_err());
}

#[test]
fn a_damaged_file_is_set_aside_and_a_newer_one_is_left_alone() {
    let shelf = Shelf::new(64 << 20);
    fs::write(shelf.path(), b"this is a letter to my aunt, and no database at all").unwrap();
    let (writer, told) = HistoryWriter::open(&shelf.place, Wall(BEGIN)).unwrap();
    let told = told.unwrap();
    drop(writer);
    let kept = fs::read_dir(shelf.path().parent().unwrap())
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.display().to_string().contains("damaged"));
    assert_eq!(fs::read(kept.unwrap()).unwrap(), b"this is a letter to my aunt, and no database at all");
    assert!(told.contains("damaged-1795269600"), "{told}");
    let database = rusqlite::Connection::open(shelf.path()).unwrap();
    database.execute_batch("UPDATE header SET format = 99").unwrap();
    drop(database);
    let newer = HistoryWriter::open(&shelf.place, Wall(BEGIN)).err().unwrap().to_string();
    assert!(newer.contains("form 99") && newer.contains("newer"), "{newer}");
    let foreign = Shelf::new(64 << 20);
    rusqlite::Connection::open(foreign.path()).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(History::open(foreign.path()).err().unwrap().to_string().contains("no history of trimtab"));
}

/// A finished history of a few blocks, as bytes.
fn whole() -> Vec<u8> {
    static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let shelf = Shelf::new(64 << 20);
        shelf.fill(0..200).finish().unwrap();
        fs::read(shelf.path()).unwrap()
    });
    BYTES.clone()
}

/// Reads all that can be read; every frame that comes back is one that went in.
fn survives(bytes: &[u8]) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("h");
    fs::write(&path, bytes).unwrap();
    let mut came = 0;
    if let Ok(history) = History::open(&path) {
        let mut after = Wall(i64::MIN + 1);
        while let Ok(some) = history.some_after(after) {
            let Some(last) = some.last() else { break };
            assert!(last.now.wall > after, "it goes on for ever");
            after = last.now.wall;
            for got in &some {
                let second = (got.now.wall.0 - BEGIN) / 1000;
                assert_eq!(told(got), told(&frame(second)), "a wrong value at second {second}");
            }
            came += some.len();
        }
        for second in [0, 77, 150, 250] {
            let _ = past::past(&history, at(second).wall);
        }
        let _ = history.trace(&[Key::host(Metric::CpuBusy)], (at(0).wall, at(200).wall), 50);
        let _ = history.marks(at(0).wall, at(300).wall);
    }
    let place = Place { path, bytes: 64 << 20 };
    if let Ok((mut writer, _)) = HistoryWriter::open(&place, Wall(BEGIN)) {
        let _ = writer.put(&frame(500), &Snapshot::default());
    }
    came
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn flipped_bits_never_give_wrong_values(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..4)) {
        let mut bytes = whole();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        survives(&bytes);
    }

    #[test]
    fn a_file_cut_anywhere_is_read_as_far_as_it_goes_or_refused(cut: prop::sample::Index) {
        let bytes = whole();
        survives(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn any_samples_come_back(seeds in prop::collection::vec(prop::collection::vec((1..40_u32, any::<u64>(), any::<Option<u64>>(), "[a-z]{0,6}"), 0..12), 1..80)) {
        let shelf = Shelf::new(64 << 20);
        let mut writer = shelf.writer();
        let frames: Vec<Frame> = seeds.iter().enumerate().map(|(second, rows)| {
            let mut frame = frame(second as i64);
            // Some lists are sorted, some are not, some have a row twice.
            let rows: Vec<ProcessSample> = rows.iter().map(|(pid, cpu, run_delay, name)| ProcessSample { run_delay: *run_delay, name: name.as_str().into(), ..process(*pid, *cpu) }).collect();
            frame.readings.insert(SourceName::Processes, reading(frame.now, Sample::Processes(Arc::new(rows))));
            if second % 7 == 3 {
                frame.readings.insert(SourceName::Processes, Arc::new(Reading { at: frame.now, sample: Err("gone".into()) }));
            }
            frame
        }).collect();
        for frame in &frames {
            writer.put(frame, &Snapshot::default()).unwrap();
        }
        let back = all(&shelf.history());
        prop_assert_eq!(back.iter().map(told).collect::<Vec<_>>(), frames.iter().map(told).collect::<Vec<_>>());
    }
}

#[test]
fn damage_within_a_block_costs_that_block_alone() {
    let bytes = whole();
    assert_eq!(survives(&bytes), 200);
    let mut lost = bytes.clone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h");
    fs::write(&path, &bytes).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    let body: Vec<u8> =
        database.query_row("SELECT body FROM blocks WHERE period = 1000 ORDER BY first LIMIT 1", [], |row| row.get(0)).unwrap();
    let needle = &body[body.len() / 2..body.len() / 2 + 32];
    // Pages that are free hold older copies: all of them are overwritten.
    let places: Vec<usize> = lost.windows(needle.len()).enumerate().filter(|(_, w)| *w == needle).map(|(at, _)| at).collect();
    places.iter().for_each(|at| lost[*at..at + 32].fill(0));
    let kept = survives(&lost);
    assert!((140..200).contains(&kept), "{kept} of 200 frames are left");
}

#[test]
fn a_disk_that_is_full_for_a_while_leaves_a_gap_and_no_wrong_value() {
    let shelf = Shelf::new(64 << 20);
    let mut writer = shelf.fill(0..70);
    let pages: i64 =
        rusqlite::Connection::open(shelf.path()).unwrap().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    writer.limit(pages).unwrap();
    let failed = (70..400).find(|second| writer.put(&frame(*second), &Snapshot::default()).is_err()).unwrap();
    assert!(writer.put(&frame(400), &Snapshot::default()).is_err(), "it stays full");
    writer.limit(1 << 20).unwrap();
    for second in 401..480 {
        writer.put(&frame(second), &Snapshot::default()).unwrap();
    }
    let frames = all(&shelf.history());
    assert!(frames.iter().all(|got| told(got) == told(&frame((got.now.wall.0 - BEGIN) / 1000))));
    let expect: Vec<i64> = (0..failed).chain(401..480).collect();
    assert_eq!(frames.iter().map(|got| (got.now.wall.0 - BEGIN) / 1000).collect::<Vec<_>>(), expect);
}

#[test]
fn a_clock_that_is_set_back_and_a_new_run_lose_nothing_before_them() {
    let shelf = Shelf::new(64 << 20);
    drop(shelf.fill((0..90).chain(50..70)));
    drop(shelf.fill(300..310));
    let history = shelf.history();
    assert_eq!(past::past(&history, at(80).wall).unwrap().unwrap().view.now.wall, at(80).wall);
    let first = past::past(&history, at(300).wall).unwrap().unwrap();
    assert_eq!((first.over, first.before), (0.0, Some(at(89).wall)), "no rate across a gap");
    assert_eq!(TIERS[0], 1000);
}

/// Frames of version 1, as a file: whatever the program becomes, it reads them.
#[test]
fn the_first_version_is_readable() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/history-1.db");
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !golden.exists() {
        let shelf = Shelf::new(64 << 20);
        let mut writer = shelf.fill(0..130);
        writer.deeds(&entries()).unwrap();
        writer.finish().unwrap();
        fs::copy(shelf.path(), &golden).unwrap();
    }
    let history = History::open(&golden).unwrap();
    let frames = all(&history);
    assert_eq!(frames.len(), 130);
    for (second, frame) in (0..).zip(&frames) {
        let expect = self::frame(second);
        assert_eq!(frame.now, expect.now);
        assert_eq!(format!("{:?}", frame.readings), format!("{:?}", expect.readings));
    }
    assert_eq!(history.deeds(Wall(i64::MAX)).unwrap(), entries());
    assert!(
        history.trace(&[Key::host(Metric::CpuBusy)], (at(0).wall, at(130).wall), 13).unwrap().rows[0].1.iter().any(Option::is_some)
    );
}

#[tokio::test]
async fn a_replay_is_the_live_loop_on_stored_samples() {
    let shelf = Shelf::new(64 << 20);
    let mut writer = shelf.fill(0..60);
    writer.deeds(&entries()).unwrap();
    drop(writer);
    let settings = Settings { policy: Policy { mode: Mode::Observe, ..Policy::default() }, ..Settings::default() };
    let engine = replay::start(&shelf.history(), at(59).wall, 1000.0, settings).unwrap();
    let mut views = engine.views.clone();
    let view = views.wait_for(|view| view.snapshot.vitals.now.wall == at(59).wall).await.unwrap().clone();
    assert!((view.snapshot.vitals.cpu.known().unwrap().total.user - 0.3).abs() < 1e-9);
    assert_eq!(&*view.facts.host, "web");
    assert!(!view.changes.is_empty(), "changes stand as they stood");
    let Body::Past(past) = engine.past(Ask::Past { at: at(30).wall }).await else { panic!("no past") };
    assert_eq!(past.view.now, at(30));
    engine.stop().await;
}
