//! Alert rules and receivers as operators write them, and what becomes of them. A rule with the name of an earlier one (a built-in one,
//! or one of an earlier layer) changes only the fields that it names.
//!
//! ```ron
//! alerts: [
//!     (name: "filesystem full", enabled: false),
//!     (name: "root full", metric: "filesystem_used", subject: "/", above: 0.8, clear: 0.75, for: 60, severity: Critical),
//! ],
//! notify: [(exec: ["/usr/local/bin/page", "oncall"], severity: Critical), (webhook: "http://127.0.0.1:9093/hook")],
//! ```

use crate::{
    config::complaint::Complaint,
    model::{
        alert::{Rule, Side, Target},
        finding::Severity,
        metric::Metric,
        pick,
    },
};
use serde::Deserialize;

/// A rule as it is written.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wish {
    name: String,
    metric: Option<String>,
    subject: Option<String>,
    above: Option<f64>,
    below: Option<f64>,
    clear: Option<f64>,
    #[serde(rename = "for")]
    span: Option<f64>,
    severity: Option<Severity>,
    note: Option<String>,
    enabled: Option<bool>,
}

/// The rules that `wishes`, earliest layer first, make of those that are built in.
pub(super) fn rules(mut rules: Vec<Rule>, wishes: Vec<(Wish, Complaint)>, complaints: &mut Vec<Complaint>) -> Vec<Rule> {
    for (wish, at) in wishes {
        let place = rules.iter().position(|rule| *rule.name == *wish.name);
        match apply(&wish, place.and_then(|place| rules.get(place))) {
            Err(why) => complaints.push(Complaint { why, ..at }),
            Ok(rule) => match place.and_then(|place| rules.get_mut(place)) {
                Some(known) => *known = rule,
                None => rules.push(rule),
            },
        }
    }
    rules
}

fn apply(wish: &Wish, base: Option<&Rule>) -> Result<Rule, String> {
    if wish.name.trim().is_empty() || wish.name.chars().any(char::is_control) {
        return Err("an alert needs a `name`".into());
    }
    let name = &wish.name;
    let metric = match &wish.metric {
        Some(metric) => Metric::named(metric).ok_or_else(|| pick::unknown(metric))?,
        None => base.map(|rule| rule.metric).ok_or_else(|| format!("the alert `{name}` needs a `metric`"))?,
    };
    let (side, limit) = match (wish.above, wish.below) {
        (Some(_), Some(_)) => return Err(format!("the alert `{name}` has `above` and `below`: it can have one")),
        (Some(limit), None) => (Side::Above, limit),
        (None, Some(limit)) => (Side::Below, limit),
        (None, None) => {
            base.map(|rule| (rule.side, rule.limit)).ok_or_else(|| format!("the alert `{name}` needs `above` or `below`"))?
        }
    };
    // A limit that was moved takes its level of clearing along.
    let moved = wish.above.is_some() || wish.below.is_some();
    let usual = base.filter(|_| !moved).map(|rule| rule.clear);
    let clear = wish.clear.or(usual).unwrap_or(if side == Side::Above { limit * 0.9 } else { limit * 1.1 });
    let rule = Rule {
        name: wish.name.trim().into(),
        metric,
        subject: wish.subject.clone().or_else(|| base.map(|rule| rule.subject.clone())).unwrap_or_else(|| "any".into()),
        side,
        limit,
        clear,
        span: wish.span.or(base.map(|rule| rule.span)).unwrap_or(60.0),
        severity: wish.severity.or(base.map(|rule| rule.severity)).unwrap_or(Severity::Warning),
        note: wish.note.as_deref().map(Into::into).or_else(|| base.map(|rule| rule.note.clone())).unwrap_or_default(),
        enabled: wish.enabled.or(base.map(|rule| rule.enabled)).unwrap_or(true),
    };
    sound(&rule).map(|()| rule)
}

fn sound(rule: &Rule) -> Result<(), String> {
    let name = &rule.name;
    if !rule.limit.is_finite() || !rule.clear.is_finite() {
        return Err(format!("the limits of the alert `{name}` must be numbers"));
    }
    let (fits, word) = match rule.side {
        Side::Above => (rule.clear <= rule.limit, "at most"),
        Side::Below => (rule.clear >= rule.limit, "at least"),
    };
    if !fits {
        return Err(format!("`clear` of the alert `{name}` is {word} its limit ({})", rule.limit));
    }
    if !(0.0..=86_400.0).contains(&rule.span) {
        return Err(format!("`for` of the alert `{name}` is seconds, 0 to 86400"));
    }
    Ok(())
}

/// Receivers must be ones.
pub(super) fn targets(all: &[(Target, Complaint)], complaints: &mut Vec<Complaint>) {
    for (target, at) in all {
        if let Some(why) = wrong(target) {
            complaints.push(Complaint { why, ..at.clone() });
        }
    }
}

fn wrong(target: &Target) -> Option<String> {
    match (&target.webhook, target.exec.first()) {
        (Some(_), Some(_)) => return Some("a receiver is `exec` or `webhook`, not both".into()),
        (None, None) => return Some("a receiver needs `exec: [\"/path\", ...]` or `webhook: \"http://...\"`".into()),
        (Some(url), None) if url.starts_with("https:") => {
            return Some("https needs a program that speaks it: exec: [\"/usr/bin/curl\", \"-fsS\", \"--data-binary\", \"@-\", \"https://...\"]".into());
        }
        (Some(url), None) if !url.starts_with("http://") || url.len() < 8 || url.contains(|c: char| c.is_control() || c == ' ') => {
            return Some(format!("`{url}` is no http:// address"));
        }
        (None, Some(program)) if !program.starts_with('/') => {
            return Some(format!("`exec` begins with an absolute path, not `{program}`"));
        }
        _ => {}
    }
    if !(0.1..=300.0).contains(&target.timeout) {
        return Some("`timeout` is 0.1 to 300 seconds".into());
    }
    (!(1..=3600).contains(&target.per_hour)).then(|| "`per_hour` is 1 to 3600".into())
}
