//! What must never be slowed: pid 1, kernel threads, trimtab with its guard and the operator's session, and the daemons that log
//! people in or run everything else. Catalogue B0 (protect list) of the actions.

use crate::{
    actions::knob::{
        refuse::{from_host, refusal},
        threads::{self, Stat},
    },
    host::{error::Kind, host::Host},
    model::{
        knob::Place,
        plan::{Obstacle, Refusal},
        subject::ProcessId,
    },
};

/// Names (`comm`, cut to 15 characters by the kernel) that keep the host reachable and running.
const NAMES: &[&str] = &[
    "init",
    "sshd",
    "sshd-session",
    "dropbear",
    "dbus-daemon",
    "dbus-broker",
    "dbus-broker-lau",
    "agetty",
    "getty",
    "login",
    "containerd",
    "containerd-shim",
    "dockerd",
    "kubelet",
    "crio",
    "elogind",
    "elogind-daemon",
    "runit",
    "runsvdir",
    "openrc-init",
    "s6-svscan",
];

/// True for a name on the list; `systemd` and all that begins with it (journald and logind too) is.
pub fn known(comm: &str) -> bool {
    comm.starts_with("systemd") || comm == "(sd-pam)" || NAMES.contains(&comm)
}

/// Names of programs that hold data for others: never paused and never ended. What waits for them would wait with them, and what they
/// had not written would be lost.
const DATABASES: &[&str] = &[
    "postgres",
    "postmaster",
    "mysqld",
    "mariadbd",
    "mongod",
    "mongos",
    "redis-server",
    "valkey-server",
    "keydb-server",
    "memcached",
    "etcd",
    "consul",
    "zookeeper",
    "cockroach",
    "clickhouse-serv",
    "clickhouse",
    "influxd",
    "oracle",
    "db2sysc",
    "sqlservr",
    "slapd",
    "ns-slapd",
    "beam.smp",
    "ceph-osd",
    "ceph-mon",
    "glusterfsd",
    "nfsd",
    "dockerd",
];

/// True for a program that holds data for others.
pub fn database(comm: &str) -> bool {
    DATABASES.contains(&comm)
}

/// Refuses what may not be paused or ended: all that is protected, and databases.
pub fn pausable(host: &dyn Host, id: ProcessId) -> Result<(), Refusal> {
    let stat = threads::same(host, id).map_err(|e| from_host(&e, "read access to it"))?;
    stands_free(&stat, &host.family())?;
    holds_no_data(&stat)
}

fn holds_no_data(stat: &Stat) -> Result<(), Refusal> {
    if !database(&stat.comm) {
        return Ok(());
    }
    let name = crate::model::text::clean(&stat.comm, 32);
    Err(refusal(Obstacle::Protected, format!("{name} ({}) is a database: it is never paused nor ended.", stat.id.pid)))
}

/// Refuses a process that must not be touched, or that is gone.
pub fn process(host: &dyn Host, process: ProcessId) -> Result<(), Refusal> {
    let stat = threads::same(host, process).map_err(|e| from_host(&e, "read access to it"))?;
    stands_free(&stat, &host.family())
}

/// Refuses a process that must not be touched; one that ended is no obstacle, its steps are left out.
pub fn living(host: &dyn Host, id: ProcessId) -> Result<(), Refusal> {
    match process(host, id) {
        Err(refusal) if refusal.kind == Obstacle::Gone => Ok(()),
        other => other,
    }
}

/// Refuses a session that holds a protected process, and gives its members.
pub fn session(host: &dyn Host, session: u32) -> Result<Vec<Stat>, Refusal> {
    let family = host.family();
    let members = threads::session(host, session).map_err(|e| from_host(&e, "read access to it"))?;
    members.iter().try_for_each(|stat| stands_free(stat, &family))?;
    Ok(members)
}

/// Refuses a cgroup that holds a protected process, in it or below; the root and `init.scope` always.
pub fn cgroup(host: &dyn Host, path: &str, directory: &Place) -> Result<(), Refusal> {
    if path.trim_matches('/').is_empty() || path.ends_with("/init.scope") {
        return Err(refusal(Obstacle::Protected, format!("cgroup {path} holds the whole host. Choose a smaller one.")));
    }
    let family = host.family();
    members(host, directory, &mut |stat| stands_free(stat, &family))
}

/// Refuses a cgroup that may not be paused or ended: one with a protected process or a database in it or below.
pub fn pausable_cgroup(host: &dyn Host, path: &str, directory: &Place) -> Result<(), Refusal> {
    cgroup(host, path, directory)?;
    members(host, directory, &mut holds_no_data)
}

/// Shows every process of a cgroup and those below it to `look`, which may refuse.
pub fn members(host: &dyn Host, directory: &Place, look: &mut dyn FnMut(&Stat) -> Result<(), Refusal>) -> Result<(), Refusal> {
    let Ok(pids) = host.text(&directory.join("cgroup.procs")) else { return Ok(()) };
    for pid in pids.lines().filter_map(|line| line.trim().parse().ok()) {
        match threads::stat(host, pid) {
            Ok(stat) => look(&stat)?,
            Err(e) if e.kind == Kind::Gone => {}
            Err(e) => return Err(from_host(&e, "read access to it")),
        }
    }
    let mut names = Vec::new();
    if host.list(directory, &mut names).is_err() {
        return Ok(());
    }
    // Interface files have a dot after the controller's name, and hold no `cgroup.procs`: reading it there fails at once.
    names.iter().filter(|name| *name != "cgroup.procs").try_for_each(|name| members(host, &directory.join(name), look))
}

fn stands_free(stat: &Stat, family: &[u32]) -> Result<(), Refusal> {
    let (pid, name) = (stat.id.pid, crate::model::text::clean(&stat.comm, 32));
    let why = if pid == 1 {
        "is pid 1"
    } else if stat.kernel {
        "is a kernel thread"
    } else if family.contains(&pid) {
        "is trimtab itself or the operator's own session"
    } else if known(&stat.comm) {
        "keeps this host reachable"
    } else {
        return Ok(());
    };
    Err(refusal(Obstacle::Protected, format!("{name} ({pid}) {why}: it is never touched. Reject this proposal.")))
}
