//! Caches of inodes and directory entries given up at once (catalogue M9; sysctl/vm.rst "drop_caches": not for production without need).
//!
//! Changes: nothing that could be read back: a 2 is written to `vm.drop_caches`. Pages of files are left alone.
//! Helps when: these caches hold much of memory and reclaim does not get at them.
//! Hurts when: what was dropped is wanted again: each name is then looked up on disk, by all at once.
//! Undone how: not at all; the caches fill again as names are used.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{refuse::refusal, threads, trial, trigger::Trigger},
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Share of memory in these caches from which on it is worth its price (catalogue M9).
const SHARE: f64 = 0.40;

/// Databases by `comm` (cut to 15 characters by the kernel): with a cold cache they are down for minutes.
const DATABASES: &[&str] = &[
    "postgres",
    "mysqld",
    "mariadbd",
    "mongod",
    "redis-server",
    "valkey-server",
    "clickhouse-serv",
    "oracle",
    "sqlservr",
    "etcd",
    "influxd",
    "scylla",
];

/// Dropping caches.
pub struct DropCaches;

impl Trigger for DropCaches {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "drop-caches",
            row: "M9",
            changes: "vm.drop_caches, 2 written once",
            helps: "caches of inodes and entries hold much of memory and reclaim does not get at them",
            hurts: "what was dropped is wanted again, by all at once",
            undone: "not at all; the caches fill again as names are used",
            risk: Risk::High,
            needs: "root (owner of /proc/sys/vm)",
            cooldown: 21_600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let all = world.snapshot.processes.known().into_iter().flat_map(|all| all.iter());
        if all.into_iter().any(|p| is_database(&p.name)) {
            return Vec::new();
        }
        let bloated = world.findings.iter().filter(|f| f.id.kind == FindingKind::SlabBloat);
        bloated.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn writes(&self, _: &Proposal, host: &dyn Host) -> Result<Vec<(Knob, String)>, Refusal> {
        if let Some(name) = database(host) {
            let why = format!("{name} runs here, and a database with a cold cache is down for minutes: reject this proposal.");
            return Err(refusal(Obstacle::Protected, why));
        }
        Ok(vec![(Knob::File(Place::proc("sys/vm/drop_caches")), "2".into())])
    }
}

fn is_database(comm: &str) -> bool {
    DATABASES.contains(&comm)
}

/// A database that runs now, by name.
fn database(host: &dyn Host) -> Option<String> {
    let mut names = Vec::new();
    host.list(&Place::proc(""), &mut names).ok()?;
    let comm = |pid: u32| threads::stat(host, pid).ok().map(|stat| stat.comm);
    names.iter().filter_map(|name| comm(name.parse().ok()?)).find(|comm| is_database(comm))
}

impl DropCaches {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let memory = world.vitals.memory.known()?;
        let share = memory.slab_reclaimable as f64 / memory.total.max(1) as f64;
        if share < SHARE {
            return None;
        }
        let trial = trial::of(world, Key::host(Metric::SlabReclaimable), vec![trial::rise(Metric::PressureIoFull, 0.05)]);
        let slab = Unit::Bytes.show(memory.slab_reclaimable as f64);
        Some(Proposal {
            title: "drop caches of inodes and entries now".into(),
            why: format!("They hold {slab}, {} of memory, while pages are reclaimed.", Unit::Share.show(share)),
            mechanism: "The kernel frees every inode and entry that nobody uses; pages of files stay.".into(),
            expect: trial::outlook(world, &trial, 0.3),
            undo: "It cannot be taken back: the caches fill again as names are used, from disk.".into(),
            wants: vec![Want { on: Subject::Host, to: "2".into() }],
            fit: 0.2,
            reversible: false,
            ..trial::proposal(&self.about(), &finding.id, Domain::Memory, trial)
        })
    }
}
