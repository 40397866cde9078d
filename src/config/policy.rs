//! Rules, tiers and windows of policy as operators write them: what is wrong with each of them, with its place.
//!
//! ```ron
//! policy: (
//!     rules: [(families: ["cgroup-weight"], subjects: ["*.service"], hours: "Mon-Fri 22:00-06:00", allow: Auto), (allow: Suggest)],
//!     tiers: [(match: "postgresql*.service", tier: Critical)],
//!     maintenance: ["Sun 02:00-04:00"],
//! )
//! ```

use crate::{
    config::{
        complaint::Complaint,
        outline::{self, Field},
    },
    model::{
        hours::Hours,
        limits::Mode,
        rule::{Rule, Tiering},
    },
};
use serde::de::DeserializeOwned;

/// Looks at the lists item by item, so that every one that is wrong is told; a list with a wrong item is left out of `fields`.
pub(super) fn lists(fields: &mut Vec<Field<'_>>, complaints: &mut Vec<Complaint>) {
    fields.retain(|field| match field.name {
        "rules" => are_sound::<Rule>(field, rule, complaints),
        "tiers" => are_sound::<Tiering>(field, tiering, complaints),
        "maintenance" => are_sound::<Hours>(field, |_| None, complaints),
        _ => true,
    });
}

fn are_sound<T: DeserializeOwned>(field: &Field<'_>, wrong: fn(&T) -> Option<String>, complaints: &mut Vec<Complaint>) -> bool {
    let before = complaints.len();
    let items = outline::items::<T>(field, complaints);
    complaints.extend(items.into_iter().filter_map(|(item, at)| Some(Complaint { why: wrong(&item)?, ..at })));
    complaints.len() == before
}

fn rule(rule: &Rule) -> Option<String> {
    if rule.families.iter().chain(&rule.subjects).any(|pattern| pattern.trim().is_empty()) {
        return Some("a pattern of `families` or `subjects` is empty".into());
    }
    if rule.approvals.is_some_and(|people| !(1..=2).contains(&people)) {
        return Some("`approvals` is 1 or 2".into());
    }
    if rule.confidence.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
        return Some("`confidence` is a share: more than 0, at most 1 (0.9 is 90 %)".into());
    }
    if rule.promoted && rule.allow != Mode::Auto {
        return Some("`promoted` is for rules that allow Auto".into());
    }
    (rule.approvals == Some(2) && rule.allow == Mode::Auto)
        .then(|| "what two people must approve cannot be automatic: say `allow: Suggest`, or leave `approvals` out".into())
}

fn tiering(tiering: &Tiering) -> Option<String> {
    tiering.fits.trim().is_empty().then(|| "`match` is a pattern of names, such as \"postgresql*.service\"".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::{
        config::{layer::Layer, sections::merge},
        model::{
            limits::Mode,
            rule::{Tier, Window},
        },
    };

    fn layer(text: &str) -> Layer {
        Layer { name: "f".into(), text: text.into() }
    }

    #[test]
    fn rules_tiers_and_windows_are_read() {
        let text = r#"(policy: (
            rules: [
                (families: ["cgroup-*"], subjects: ["*.service", "host"], tier: Stable, risk: Medium, kinds: [CpuContention],
                 hours: "Mon-Fri 22:00-06:00", window: LowTraffic, confidence: 0.9, allow: Auto, promoted: true),
                (allow: Suggest, approvals: 2),
            ],
            tiers: [(match: "postgresql*.service", tier: Critical)],
            maintenance: ["Sun 02:00-04:00"],
            utc_offset: "-05:00",
            dry: true,
        ))"#;
        let policy = merge(&[layer(text)], &|_| vec![]).unwrap().policy;
        assert_eq!((policy.rules.len(), policy.rules[0].allow, policy.rules[0].window), (2, Mode::Auto, Some(Window::LowTraffic)));
        assert!(policy.rules[0].promoted && policy.rules[1].approvals == Some(2) && policy.dry);
        assert_eq!((policy.tiers[0].tier, policy.maintenance.len()), (Tier::Critical, 1));
    }

    #[test]
    fn every_wrong_item_is_told_with_its_line() {
        let text = "(policy: (\nrules: [\n(allow: Sometimes),\n(allow: Auto, approvals: 2),\n(allow: Auto, hours: \"Mo\"),\n\
                    (allow: Suggest, promoted: true),\n(famlies: [], allow: Auto),\n(families: [\"\"], allow: Auto),\n\
                    (allow: Auto, confidence: 90)],\ntiers: [\n(match: \"\", tier: Critical),\n(match: \"x\", tier: Golden)],\n\
                    maintenance: [\n\"Sun\",\n\"25:00-26:00\"],\nutc_offset: \"CET\",\nharms: 0))";
        let told = merge(&[layer(text)], &|_| vec![]).unwrap_err().0;
        let lines: Vec<usize> = told.iter().map(|c| c.at.unwrap().0).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17], "{told:#?}");
        assert!(told[2].why.contains("Mon, Tue") && told[10].why.contains("offset from UTC"), "{told:#?}");
    }
}
