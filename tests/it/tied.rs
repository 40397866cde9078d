//! Hands that are tied: by the stop file, by a dry run, and by what an operator's own programs say. Real hands, real journal.

use crate::laws::scene::quiet;
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;
use trimtab::{
    actions::{self, action::Action, custom},
    analysis::detect::{self, Lane},
    engine::{
        guard::arm::Guard,
        hands::{Bounds, Hands},
        job::{Apply, Done, Job},
        undo::{Tools, fold},
        worker::Work,
    },
    host::{
        host::Host,
        real::RealHost,
        recorded::{RecordedHost, at},
    },
    model::{
        change::{Change, ChangeId, ChangeState, Deed, Entry, Who},
        custom::{CustomAction, When},
        finding::{Finding, FindingKind},
        message::GuardState,
        metric::{Key, Metric},
        note::Note,
        plan::{Held, Obstacle, Plan, Undone},
        proposal::{Domain, Proposal, Risk},
        series::Point,
    },
    store::{
        journal::{FILE, Journal},
        stop,
    },
};

const ONE: ChangeId = ChangeId(1);

fn you() -> Who {
    Who::Operator { user: "you".into(), via: "test".into() }
}

/// A guard that may put the stop file there in the last moment.
struct Watcher(Option<PathBuf>);

impl Guard for Watcher {
    fn arm(&mut self, _: ChangeId) -> Result<GuardState, String> {
        if let Some(file) = &self.0 {
            stop::raise(file, "eve").unwrap();
        }
        Ok(GuardState::Idle)
    }
    fn disarm(&mut self, _: ChangeId) {}
    fn state(&mut self) -> GuardState {
        GuardState::Idle
    }
}

/// An action whose programs make and remove a file, in a directory of their own.
struct Bench {
    directory: TempDir,
    hands: Hands,
    action: &'static dyn Action,
    entries: Vec<Entry>,
}

fn program(directory: &TempDir, name: &str, body: &str) -> Vec<String> {
    let path = directory.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    vec![path.to_str().unwrap().into()]
}

fn definition(directory: &TempDir, apply: &str) -> CustomAction {
    let flag = directory.path().join("flag");
    let flag = flag.display();
    CustomAction {
        name: "flag".into(),
        when: When { metric: "pressure_cpu_some".into(), above: Some(0.5), below: None, span: 10.0 },
        apply: program(directory, "do", &apply.replace("FLAG", &flag.to_string())),
        verify: program(directory, "verify", &format!("test -e {flag}")),
        undo: program(directory, "undo", &format!("rm {flag}")),
        timeout: 2,
        user: Some(rustix::process::geteuid().as_raw().to_string()),
        env: [].into(),
        risk: Risk::Medium,
        domain: Domain::Cpu,
        cooldown: 60.0,
        watch: "pressure_cpu_some".into(),
        better: None,
    }
}

/// What the action proposes where its condition has held for a while.
fn advice(action: &dyn Action, definition: &CustomAction) -> (Proposal, Finding) {
    let mut scene = quiet();
    for second in 60..=100 {
        let point = Point { at: at(f64::from(second)), value: 0.8 };
        scene.series.push(Key::host(Metric::PressureCpuSome), point, 1000);
    }
    assert!(action.propose(&scene.world()).is_empty(), "without a finding there is nothing to answer");
    scene.thresholds.conditions = definition.condition().into_iter().collect();
    let signals = detect::look(Lane::Sweep, &scene.world());
    let signal = signals.into_iter().find(|s| s.finding.id.kind == FindingKind::Condition).expect("the condition is told");
    scene.findings.push(signal.finding.clone());
    let all = action.propose(&scene.world());
    assert_eq!(all.len(), 1, "{all:?}");
    (all[0].clone(), signal.finding)
}

impl Bench {
    fn new(bounds: impl Fn(&TempDir) -> Bounds, late: bool) -> Bench {
        Bench::doing("touch FLAG", bounds, late)
    }

    fn doing(apply: &str, bounds: impl Fn(&TempDir) -> Bounds, late: bool) -> Bench {
        let directory = TempDir::new().unwrap();
        let definition = definition(&directory, apply);
        let defined = custom::defined(std::slice::from_ref(&definition));
        let action = defined[0];
        let bounds = bounds(&directory);
        let watcher = Watcher(bounds.stop.clone().filter(|_| late));
        let hands = Bench::hands(&directory, Box::new(watcher)).tied(bounds).knowing(defined);
        let mut bench = Bench { directory, hands, action, entries: Vec::new() };
        let (proposal, finding) = advice(action, &definition);
        bench.record(Deed::Proposed { proposal: Box::new(proposal), finding: Box::new(finding) });
        bench
    }

    fn hands(directory: &TempDir, guard: Box<dyn Guard>) -> Hands {
        let host = Arc::new(RealHost::default());
        let opened = Journal::open(&directory.path().join(FILE), host.now()).unwrap();
        let tools = Tools { host, actions: actions::named, journal: opened.journal, boot: "this boot".into() };
        Hands::new(tools, guard, opened.entries.len() as u64)
    }

    fn perform(&mut self, job: Job) -> Done {
        let done = self.hands.perform(job);
        self.entries.extend(done.entries.iter().map(|(_, entry)| entry.clone()));
        done
    }

    fn record(&mut self, deed: Deed) {
        assert_eq!(self.perform(Job::Record(vec![(ONE, deed, you())])).error, None);
    }

    fn change(&self) -> Change {
        fold(self.entries.iter().filter(|entry| entry.change == ONE)).unwrap()
    }

    fn flag(&self) -> bool {
        self.directory.path().join("flag").exists()
    }

    /// Previews, approves, applies.
    fn apply(&mut self) -> Done {
        let proposal = self.change().proposal;
        let preview = self.perform(Job::Preview(ONE, Box::new(proposal.clone()))).preview.unwrap().1;
        let (_, digest) = preview.unwrap_or_else(|refusal| panic!("{}", refusal.why));
        self.record(Deed::Approved { digest: digest.clone() });
        let confirm = Duration::from_secs(60);
        self.perform(Job::Apply(Box::new(Apply { change: ONE, proposal, digest, who: you(), confirm, leave: false })))
    }
}

fn free(_: &TempDir) -> Bounds {
    Bounds::default()
}

fn stoppable(directory: &TempDir) -> Bounds {
    Bounds { stop: Some(directory.path().join("STOP")), dry: false }
}

#[test]
fn a_custom_action_goes_the_way_of_every_other() {
    let mut bench = Bench::new(free, false);
    assert_eq!(bench.apply().error, None);
    assert_eq!((bench.change().state, bench.flag()), (ChangeState::Watching, true));
    let plan = bench.change().plan.unwrap();
    assert_eq!(bench.perform(Job::Verify(ONE, Box::new(plan.clone()))).held, Some((ONE, Held::Holds)));
    assert!(plan.steps[0].undo.ends_with("/undo"), "a human could type it: {}", plan.steps[0].undo);
    // Another engine, without that configuration, finds it and puts it right from the plan alone.
    let mut other = Bench::hands(&bench.directory, Box::new(Watcher(None)));
    let entries: Vec<(u64, Entry)> = bench.entries.iter().cloned().enumerate().map(|(i, e)| (i as u64 + 1, e)).collect();
    let done = other.recover(&entries);
    assert_eq!(done.error, None);
    assert!(!bench.flag(), "nobody watched it: undone");
    assert_eq!(done.entries.last().unwrap().1.deed, Deed::RolledBack);
}

#[test]
fn a_program_that_fails_or_hangs_leaves_a_change_that_is_undone_and_says_why() {
    for (body, why) in [
        ("touch FLAG; echo disk full; exit 7", "ended with 7: disk full"),
        ("touch FLAG; sleep 50", "longer than 2 s"),
        ("true", "reads undone"),
    ] {
        let mut bench = Bench::doing(body, free, false);
        let error = bench.apply().error.unwrap();
        assert!(error.contains(why), "{error}");
        assert_eq!((bench.change().state, bench.flag()), (ChangeState::RolledBack, false), "{body}");
    }
}

#[test]
fn a_program_that_was_replaced_after_the_approval_is_not_run() {
    let mut bench = Bench::new(free, false);
    let proposal = bench.change().proposal;
    let digest = bench.perform(Job::Preview(ONE, Box::new(proposal.clone()))).preview.unwrap().1.unwrap().1;
    bench.record(Deed::Approved { digest: digest.clone() });
    let path = bench.directory.path().join("do");
    program(&bench.directory, "other", "echo other");
    fs::rename(bench.directory.path().join("other"), path).unwrap();
    let confirm = Duration::from_secs(60);
    bench.perform(Job::Apply(Box::new(Apply { change: ONE, proposal, digest, who: you(), confirm, leave: false })));
    assert_eq!(bench.change().state, ChangeState::Refused);
    assert!(bench.change().trouble.unwrap().contains("moved since the approval"));
}

#[test]
fn the_laws_hold_for_programs_too() {
    let directory = TempDir::new().unwrap();
    let definition = definition(&directory, "touch FLAG");
    let action = custom::defined(std::slice::from_ref(&definition))[0];
    let proposal = advice(action, &definition).0;
    let fresh = || {
        let host = crate::laws::scene::host();
        for path in definition.program(vec![]).paths() {
            host.put(path, "#!/bin/sh\n");
        }
        host
    };
    let plan = |host: &RecordedHost| -> Plan { action.prepare(&proposal, host).unwrap() };
    let (host, carried) = (fresh(), actions::named("custom").unwrap());
    let (plan_, before) = (plan(&host), host.dump());
    assert_eq!((host.writes(), plan_.action.as_str()), (0, "custom"), "prepare writes nothing");
    carried.apply(&plan_, &host).unwrap();
    assert_ne!(host.dump(), before);
    carried.apply(&plan_, &host).unwrap();
    assert_eq!(host.writes(), 1, "twice is once");
    assert_eq!(carried.verify(&plan_, &host).unwrap(), Held::Holds);
    host.fail_write(1);
    assert!(carried.rollback(&plan_, &host).is_err());
    host.heal();
    for _ in 0..2 {
        assert_eq!(carried.rollback(&plan_, &host).unwrap(), Undone::Undone);
        assert_eq!(host.dump(), before);
    }
    assert_eq!(host.writes(), 2);
    let told: Plan = serde_json::from_str(&serde_json::to_string(&plan_).unwrap()).unwrap();
    assert_eq!(told, plan_, "the plan survives the journal");
    let bare = CustomAction { undo: vec![], ..definition.clone() };
    let action = custom::defined(std::slice::from_ref(&bare))[0];
    let advice = advice(action, &bare).0;
    assert!(!advice.reversible);
    let host = fresh();
    let plan = action.prepare(&advice, &host).unwrap();
    action.apply(&plan, &host).unwrap();
    assert!(matches!(action.rollback(&plan, &host).unwrap(), Undone::Yielded(_)), "what has no undo is not undone");
}

#[test]
fn the_stop_file_holds_the_hands_even_in_the_last_moment_and_not_the_way_back() {
    let mut bench = Bench::new(stoppable, false);
    let file = bench.directory.path().join("STOP");
    assert_eq!(bench.perform(Job::Halt(true, you())).error, None);
    assert!(file.exists());
    assert_eq!(bench.entries.last().unwrap().deed, Deed::Noted(Box::new(Note::Halted(true))));
    assert!(bench.apply().error.unwrap().contains("HALTED"));
    assert_eq!((bench.change().state, bench.flag()), (ChangeState::Approved, false), "nothing was begun");
    assert_eq!(bench.perform(Job::Halt(false, you())).error, None);

    let mut bench = Bench::new(stoppable, true);
    assert!(bench.apply().error.unwrap().contains("HALTED"), "it came between intent and write");
    assert_eq!((bench.change().state, bench.flag()), (ChangeState::RolledBack, false));

    let mut bench = Bench::new(stoppable, false);
    assert_eq!(bench.apply().error, None);
    fs::write(bench.directory.path().join("STOP"), "").unwrap();
    let plan = Box::new(bench.change().plan.unwrap());
    let cause = trimtab::model::change::Cause::Operator;
    assert_eq!(bench.perform(Job::RollBack { change: ONE, plan, cause, who: you() }).error, None);
    assert_eq!((bench.change().state, bench.flag()), (ChangeState::RolledBack, false));
}

#[test]
fn a_dry_run_goes_the_whole_way_and_tells_what_it_would_have_written() {
    let mut bench = Bench::new(|_| Bounds { stop: None, dry: true }, false);
    assert_eq!(bench.apply().error, None);
    let change = bench.change();
    assert!(change.is_dry() && change.state == ChangeState::Refused && !bench.flag());
    assert_eq!(change.trouble.as_deref(), Some("dry run: would have written custom action flag: undone -> done"));
    let words: Vec<&str> = bench.entries.iter().map(|entry| entry.deed.words()).collect();
    assert_eq!(words, ["proposed", "approved", "prepared", "refused"], "no intent: there is nothing to recover");
    assert!(matches!(&bench.entries.last().unwrap().deed, Deed::Refused(r) if r.kind == Obstacle::Policy));
    assert!(bench.action.about().name.starts_with("custom:"));
}
