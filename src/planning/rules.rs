//! Which rule of policy decides on a change, and what it decides. Pure.
//!
//! The first rule that fits decides, as in a packet filter; where none does, it is as built in: low risk may be automatic on what is not
//! critical, and high risk takes two people. A rule that allows auto fits when every subject of the change is meant, one that holds back
//! when any is: a change is never let through by naming only a part of it, and never escapes a rule by touching more.

use crate::model::{
    hours::Minute,
    limits::{Mode, Policy},
    proposal::{Proposal, Risk},
    rule::{Decision, Rule, Tier, Window, fits},
    time::Wall,
};

/// What of the moment matters to rules.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The minute of the week.
    pub minute: Minute,
    /// A maintenance window is open.
    pub maintenance: bool,
    /// This hour of the week is quiet here; `None` as long as too little is known of the host's week.
    pub low_traffic: Option<bool>,
}

impl Moment {
    /// The moment of that time on the policy's clock.
    pub fn of(policy: &Policy, wall: Wall, low_traffic: Option<bool>) -> Moment {
        let minute = policy.utc_offset.minute(wall);
        Moment { minute, maintenance: policy.maintenance.iter().any(|hours| hours.hold(minute)), low_traffic }
    }

    fn is_open(&self, window: Window) -> bool {
        match window {
            Window::Maintenance => self.maintenance,
            Window::LowTraffic => self.low_traffic == Some(true),
        }
    }
}

/// What policy says of a proposal whose subjects are called so, but for [`Decision::manual`].
pub fn decide(policy: &Policy, proposal: &Proposal, names: Vec<Vec<String>>, moment: &Moment) -> Decision {
    let tier = tier(policy, &names);
    let needed = if proposal.risk == Risk::High { 2 } else { 1 };
    let found = policy.rules.iter().position(|rule| meant(rule, proposal, (tier, &names), moment));
    match found.and_then(|place| Some((place, policy.rules.get(place)?))) {
        Some((place, rule)) => Decision {
            level: rule.allow,
            rule: Some(place + 1),
            tier,
            approvals: rule.approvals.unwrap_or(needed),
            promoted: rule.promoted,
            window: rule.window,
            manual: None,
            names,
        },
        None => {
            let level = if proposal.risk == Risk::Low && tier != Tier::Critical { Mode::Auto } else { Mode::Suggest };
            Decision { level, tier, approvals: needed, names, ..Decision::default() }
        }
    }
}

/// The tier of what matters most.
fn tier(policy: &Policy, names: &[Vec<String>]) -> Tier {
    let of = |called: &Vec<String>| policy.tiers.iter().find(|t| fits(&t.fits, called)).map_or(Tier::default(), |t| t.tier);
    names.iter().map(of).min().unwrap_or_default()
}

fn meant(rule: &Rule, proposal: &Proposal, (tier, names): (Tier, &[Vec<String>]), moment: &Moment) -> bool {
    let family = [proposal.action.to_string()];
    let named = |called: &Vec<String>| rule.subjects.iter().any(|pattern| fits(pattern, called));
    let subjects = || match rule.allow {
        Mode::Auto => !names.is_empty() && names.iter().all(named),
        _ => names.iter().any(named),
    };
    (rule.families.is_empty() || rule.families.iter().any(|pattern| fits(pattern, &family)))
        && (rule.subjects.is_empty() || subjects())
        && rule.tier.is_none_or(|wanted| wanted == tier)
        && rule.risk.is_none_or(|wanted| wanted == proposal.risk)
        && (rule.kinds.is_empty() || rule.kinds.contains(&proposal.finding.kind))
        && rule.hours.as_ref().is_none_or(|hours| hours.hold(moment.minute))
        && rule.window.is_none_or(|window| moment.is_open(window))
        && rule.confidence.is_none_or(|least| proposal.foreseen.unwrap_or(1.0) >= least)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        finding::{FindingId, FindingKind},
        hours::Hours,
        metric::{Better, Key, Metric},
        proposal::Domain,
        rule::Tiering,
        subject::Subject,
        trial::{Trial, Windows},
    };

    fn rule(allow: Mode) -> Rule {
        Rule {
            families: vec![],
            subjects: vec![],
            tier: None,
            risk: None,
            kinds: vec![],
            hours: None,
            window: None,
            confidence: None,
            allow,
            promoted: false,
            approvals: None,
        }
    }

    fn proposal(action: &str, risk: Risk) -> Proposal {
        Proposal {
            action: action.into(),
            finding: FindingId { kind: FindingKind::CpuContention, subject: Subject::Host },
            title: String::new(),
            why: String::new(),
            mechanism: String::new(),
            expect: String::new(),
            undo: String::new(),
            wants: vec![],
            risk,
            reversible: true,
            domain: Domain::Cpu,
            trial: Trial {
                primary: Key::host(Metric::PressureCpuSome),
                better: Better::Lower,
                least: 0.1,
                guardrails: vec![],
                controls: vec![],
                windows: Windows::default(),
                prevents: None,
            },
            fit: 0.5,
            cooldown: 60.0,
            asked: false,
            foreseen: None,
            course: crate::model::proposal::Course::Judged,
        }
    }

    fn names(all: &[&[&str]]) -> Vec<Vec<String>> {
        all.iter().map(|of| of.iter().map(ToString::to_string).collect()).collect()
    }

    // A Saturday, 23:30 UTC.
    const AT: Wall = Wall(1_795_303_800_000);

    fn decided(policy: &Policy, proposal: &Proposal, called: &[&[&str]]) -> Decision {
        decide(policy, proposal, names(called), &Moment::of(policy, AT, None))
    }

    fn of(rules: Vec<Rule>) -> Policy {
        Policy { rules, ..Policy::default() }
    }

    #[test]
    fn without_rules_it_is_as_built_in() {
        let plain = |risk| decided(&Policy::default(), &proposal("nice", risk), &[&["host"]]);
        assert_eq!((plain(Risk::Low).level, plain(Risk::Low).approvals), (Mode::Auto, 1));
        assert_eq!((plain(Risk::Medium).level, plain(Risk::Medium).approvals), (Mode::Suggest, 1));
        assert_eq!((plain(Risk::High).level, plain(Risk::High).approvals), (Mode::Suggest, 2));
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let policy = of(vec![
            Rule { families: vec!["cgroup-*".into()], ..rule(Mode::Observe) },
            Rule { risk: Some(Risk::Medium), approvals: Some(2), ..rule(Mode::Auto) },
            rule(Mode::Suggest),
        ]);
        let level = |action, risk| decided(&policy, &proposal(action, risk), &[&["host"]]);
        assert_eq!((level("cgroup-weight", Risk::Medium).level, level("cgroup-weight", Risk::Low).rule), (Mode::Observe, Some(1)));
        assert_eq!((level("nice", Risk::Medium).rule, level("nice", Risk::Medium).approvals), (Some(2), 2));
        assert_eq!((level("nice", Risk::Low).level, level("nice", Risk::Low).rule), (Mode::Suggest, Some(3)));
    }

    #[test]
    fn letting_through_takes_all_subjects_and_holding_back_takes_one() {
        let to = |allow| Rule { subjects: vec!["*.service".into()], ..rule(allow) };
        let both: &[&[&str]] = &[&["cgroup:/a/nginx.service", "nginx.service"], &["cgroup:/batch/x"]];
        let advice = proposal("nice", Risk::Low);
        assert_eq!(decided(&of(vec![to(Mode::Auto)]), &advice, both).rule, None, "the other subject is not meant");
        assert_eq!(decided(&of(vec![to(Mode::Auto)]), &advice, &both[..1]).rule, Some(1));
        assert_eq!(decided(&of(vec![to(Mode::Observe)]), &advice, both).rule, Some(1), "one is enough to hold it back");
        assert_eq!(decided(&of(vec![to(Mode::Auto)]), &advice, &[]).rule, None, "nothing named is not everything");
    }

    #[test]
    fn the_subject_that_matters_most_makes_the_tier() {
        let tiers = vec![
            Tiering { fits: "postgresql*.service".into(), tier: Tier::Critical },
            Tiering { fits: "cgroup:/batch/*".into(), tier: Tier::Research },
            Tiering { fits: "*".into(), tier: Tier::Experimental },
        ];
        let policy = Policy { tiers, ..Policy::default() };
        let called: &[&[&str]] = &[&["cgroup:/batch/x"], &["postgresql@15.service"]];
        let decision = decided(&policy, &proposal("nice", Risk::Low), called);
        assert_eq!((decision.tier, decision.level), (Tier::Critical, Mode::Suggest), "built in: nothing critical by itself");
        assert_eq!(decided(&policy, &proposal("nice", Risk::Low), &called[..1]).tier, Tier::Research);
        let policy = Policy { rules: vec![Rule { tier: Some(Tier::Research), ..rule(Mode::Observe) }], ..policy };
        assert_eq!(decided(&policy, &proposal("nice", Risk::Low), called).rule, None);
    }

    #[test]
    fn hours_windows_kinds_and_confidence_are_conditions() {
        let advice = proposal("nice", Risk::Low);
        let holds =
            |rule: Rule, policy: Policy| decided(&Policy { rules: vec![rule], ..policy }, &advice, &[&["host"]]).rule.is_some();
        let hours = |text: &str| Hours::try_from(text.to_string()).unwrap();
        let at = |text| Rule { hours: Some(hours(text)), ..rule(Mode::Auto) };
        assert!(holds(at("Sat 22:00-06:00"), Policy::default()) && !holds(at("Sun"), Policy::default()));
        let ahead = Policy { utc_offset: "+01:00".to_string().try_into().unwrap(), ..Policy::default() };
        assert!(holds(at("Sun"), ahead), "it is Sunday there");
        let window = |window| Rule { window: Some(window), ..rule(Mode::Auto) };
        assert!(!holds(window(Window::Maintenance), Policy::default()));
        assert!(holds(window(Window::Maintenance), Policy { maintenance: vec![hours("Sat,Sun")], ..Policy::default() }));
        assert!(!holds(window(Window::LowTraffic), Policy::default()), "what is not known is not low");
        assert!(!holds(Rule { kinds: vec![FindingKind::Leak], ..rule(Mode::Auto) }, Policy::default()));
        let sure = Rule { confidence: Some(0.9), ..rule(Mode::Auto) };
        assert!(holds(sure.clone(), Policy::default()), "trouble that is there is sure");
        let foreseen = Proposal { foreseen: Some(0.8), ..advice.clone() };
        assert_eq!(decided(&of(vec![sure]), &foreseen, &[&["host"]]).rule, None);
    }
}
