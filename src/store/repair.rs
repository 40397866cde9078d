//! A damaged journal: the file is kept aside as it is, a new one holds the valid records, and what else can still be read is reported.

use crate::{
    model::{
        change::{ChangeId, Deed, Entry},
        plan::Plan,
        time::Wall,
    },
    store::{
        chain::{self, Break},
        disk::{self, Disk},
        error::StoreError,
    },
};
use rusqlite::{Connection, OpenFlags};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What was found and done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Damage {
    /// The first broken record; all before it are in the new journal.
    pub record: u64,
    /// Where the damaged file is kept.
    pub aside: PathBuf,
    /// What is wrong.
    pub why: String,
    /// Plans in later records that can still be read, though nothing proves them: knobs that a person may have to look at.
    pub plans: Vec<(u64, ChangeId, Plan)>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal was damaged at record {} ({}); it is kept as {}", self.record, self.why, self.aside.display())?;
        let undo = self.plans.iter().flat_map(|(_, _, plan)| plan.steps.iter().rev().map(|step| step.undo.as_str()));
        let undo: Vec<&str> = undo.collect();
        if !undo.is_empty() {
            write!(f, "; look at what these would undo: {}", undo.join("; "))?;
        }
        Ok(())
    }
}

/// The file that belongs to a database file, such as its write-ahead log.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes a whole new journal with the first records of `from`, and puts it in place in one step.
pub(super) fn create(disk: &dyn Disk, path: &Path, from: Option<(&Connection, u64)>) -> Result<(), StoreError> {
    let fresh = beside(path, ".new");
    let sql = |tried: &'static str| move |e: rusqlite::Error| StoreError::sql(path, tried, &e);
    let io = |tried: &'static str| move |e: io::Error| StoreError::io(path, tried, &e);
    absent(disk, &fresh).map_err(io("make"))?;
    disk.make(&fresh).map_err(io("make"))?;
    {
        let new = disk::connect(disk, &fresh, OpenFlags::default()).map_err(sql("make"))?;
        new.execute_batch(chain::SCHEMA).map_err(sql("make"))?;
        fill(&new, from).map_err(sql("make"))?;
    }
    for stale in ["-wal", "-shm"] {
        absent(disk, &beside(path, stale)).map_err(io("make"))?;
    }
    disk.rename(&fresh, path).map_err(io("make"))?;
    let directory = path.parent().unwrap_or(Path::new("."));
    disk.sync_directory(directory).map_err(io("sync the directory of"))
}

fn fill(new: &Connection, from: Option<(&Connection, u64)>) -> rusqlite::Result<()> {
    let whole = new.unchecked_transaction()?;
    let (mut newest, mut hash) = (0, chain::ROOT.to_vec());
    if let Some((old, end)) = from {
        let mut query = old.prepare("SELECT number, change, body, hash FROM entries WHERE number < ?1 ORDER BY number")?;
        let mut rows = query.query([end])?;
        while let Some(row) = rows.next()? {
            let (change, body): (u64, String) = (row.get(1)?, row.get(2)?);
            (newest, hash) = (row.get(0)?, row.get(3)?);
            whole.execute("INSERT INTO entries VALUES (?1, ?2, ?3, ?4)", (newest, change, body, &hash))?;
        }
    }
    whole.execute("INSERT INTO header VALUES (1, ?1, ?2, ?3)", (chain::FORMAT, newest, &hash))?;
    whole.commit()
}

fn absent(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    match disk.remove(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Keeps the damaged files aside, and puts a journal of the whole records in their place.
pub(super) fn repair(
    disk: &dyn Disk,
    path: &Path,
    old: Option<&Connection>,
    (broken, wall): (Break, Wall),
) -> Result<Damage, StoreError> {
    let aside = keep_aside(disk, path, wall)?;
    let plans = old.map(|old| plans_after(old, broken.record)).unwrap_or_default();
    create(disk, path, old.filter(|_| broken.record > 1).map(|old| (old, broken.record)))?;
    Ok(Damage { record: broken.record, aside, why: broken.why, plans })
}

fn keep_aside(disk: &dyn Disk, path: &Path, wall: Wall) -> Result<PathBuf, StoreError> {
    let stem = path.with_extension("");
    let named =
        |n: u32| beside(&stem, &if n == 0 { format!(".damaged-{}.db", wall.0) } else { format!(".damaged-{}-{n}.db", wall.0) });
    let there = |file: &Path| disk.size(file).is_ok();
    let aside = (0..).map(named).find(|aside| !there(aside)).unwrap_or_else(|| named(0));
    for suffix in ["", "-wal"] {
        let (from, to) = (beside(path, suffix), beside(&aside, suffix));
        if there(&from) {
            disk.copy(&from, &to).map_err(|e| StoreError::io(&to, "keep the damaged journal aside", &e))?;
        }
    }
    Ok(aside)
}

/// The plans in and after a broken record, as far as they can be read.
fn plans_after(old: &Connection, record: u64) -> Vec<(u64, ChangeId, Plan)> {
    let mut found = Vec::new();
    let Ok(mut query) = old.prepare("SELECT number, body FROM entries WHERE number >= ?1 ORDER BY number") else { return found };
    let Ok(mut rows) = query.query([record]) else { return found };
    while let Ok(Some(row)) = rows.next() {
        let text = row.get::<_, u64>(0).and_then(|number| Ok((number, row.get::<_, String>(1)?)));
        let Ok((number, body)) = text else { continue };
        if let Ok(Entry { change, deed: Deed::ApplyStarted { plan, .. }, .. }) = serde_json::from_str(&body) {
            found.push((number, change, *plan));
        }
    }
    found
}
