//! How many files may be open on the whole host (catalogue P2; admin-guide/sysctl/fs.rst "file-max & file-nr").
//!
//! Changes: `fs.file-max`, to twice what it is.
//! Helps when: nearly as many files are open as may be, from when on nobody but the superuser opens any (ENFILE).
//! Hurts when: programs leak files: a file takes about a kilobyte that cannot be swapped.
//! Undone how: the number before is written back, but not while more are open than that.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            setting::Setting,
            sysctl,
            trial::{self, rise},
        },
    },
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        finding::{Finding, FindingKind},
        knob::Place,
        metric::{Key, Metric},
        plan::{Plan, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Bytes of a file with its inode and name, roughly (`files_maxfiles_init` in the kernel's `fs/file_table.c`).
const FILE: f64 = 1024.0;
/// Share of the memory available that the files added may take.
const SHARE: f64 = 0.25;

/// Open files at most.
pub struct FileTable;

impl Setting for FileTable {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "file-table",
            row: "P2",
            changes: "fs.file-max",
            helps: "nearly as many files are open on the host as may be",
            hurts: "programs leak files: each takes about 1 KiB of kernel memory",
            undone: "the number before is written back, never below what is open",
            risk: Risk::Low,
            needs: "root (owner of /proc/sys/fs)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let full = world.findings.iter().filter(|f| f.id.kind == FindingKind::FileTable);
        full.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        sysctl::raise(host, "fs/file-max", proposal, Setting::about(self).needs).map(|step| vec![step])
    }

    /// With more open than may be, whoever is not the superuser opens no file at all.
    fn may_undo(&self, plan: &Plan, host: &dyn Host) -> Touch<()> {
        plan.steps.iter().filter(|step| host.get(&step.knob).is_ok_and(|found| found == step.after)).try_for_each(|step| {
            let open = open(&host.text(&Place::proc("sys/fs/file-nr"))?);
            if step.before.parse::<u64>().is_ok_and(|before| open < before) {
                return Ok(());
            }
            let why =
                format!("{open} files are open, not below {}: nobody could open more; later type: {}", step.before, step.undo);
            Err(HostError::plain("write back", &step.knob, Kind::Other, why))
        })
    }
}

/// Handles in `/proc/sys/fs/file-nr`.
fn open(text: &str) -> u64 {
    text.split_ascii_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(u64::MAX)
}

impl FileTable {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let files = world.snapshot.tables.known()?.files?;
        let new = files.most.checked_mul(2)?;
        let available = world.vitals.memory.known()?.available as f64;
        if files.most as f64 * FILE > SHARE * available {
            return None;
        }
        let trial = trial::of(world, Key::host(Metric::FilesUsed), vec![rise(Metric::PressureMemoryFull, 0.05)]);
        let share = |most: u64| Unit::Share.show(files.used as f64 / most.max(1) as f64);
        Some(Proposal {
            title: format!("open files at most {} -> {new}", files.most),
            why: format!("{} of {} files are open on this host: beyond that nobody opens any.", files.used, files.most),
            mechanism: "From the next call on the kernel hands out more files; each program's own limit stays as it is.".into(),
            expect: format!("The table of open files should be {} full instead of {}.", share(new), share(files.most)),
            undo: "The number before is written back, unless more are open than that: then it says so.".into(),
            wants: vec![Want { on: Subject::Host, to: new.to_string() }],
            fit: 0.8,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}
