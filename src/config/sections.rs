//! The sections of the configuration, one struct each with its defaults, and how layers become them.

use crate::{
    config::{
        alerts, check,
        complaint::{Complaint, Complaints},
        custom,
        layer::Layer,
        outline::{self, Field, Outline},
        policy, rules,
    },
    model::{
        alert::{Rule, Target},
        custom::CustomAction,
        limits::{Budget, Foresight, Hysteresis, Keeping, Policy, Rescue, ServiceWatch, Thresholds},
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// How the console looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// Name of a theme, or the path of a theme file.
    pub theme: String,
    /// Name of a layout, or the path of a layout file.
    pub layout: String,
    /// Draw with ASCII alone.
    pub ascii: bool,
    /// Charts go on into what is coming.
    pub forecasts: bool,
    /// Whose the mouse is.
    pub mouse: MouseOf,
}

impl Default for Console {
    fn default() -> Self {
        Console { theme: "default".into(), layout: "default".into(), ascii: false, forecasts: true, mouse: MouseOf::Auto }
    }
}

/// The endpoint for Prometheus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Where to listen; nowhere unless told.
    pub listen: Option<String>,
}

/// Who may come to the engine's socket, beside root and the engine's own user: names of users, `@group`, or `*` for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// They look.
    pub viewers: Vec<String>,
    /// They approve, apply, keep and roll back, too.
    pub operators: Vec<String>,
    /// They let the engine act by itself, too.
    pub admins: Vec<String>,
}

/// Rules of alerts. A layer changes or adds rules by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alerts(pub Vec<Rule>);

impl Default for Alerts {
    fn default() -> Self {
        Alerts(rules::built_in())
    }
}

/// Whose the mouse is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MouseOf {
    /// Ours, but over ssh the terminal's: there it selects text.
    #[default]
    Auto,
    /// Ours.
    Console,
    /// The terminal's.
    Terminal,
}

impl MouseOf {
    /// Whether it is ours where the operator came so.
    pub fn is_ours(self, ssh: bool) -> bool {
        match self {
            MouseOf::Auto => !ssh,
            MouseOf::Console => true,
            MouseOf::Terminal => false,
        }
    }
}

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// What detectors compare with.
    pub thresholds: Thresholds,
    /// When a condition is a finding.
    pub hysteresis: Hysteresis,
    /// Bounds on acting.
    pub policy: Policy,
    /// Services whose latency is watched. A layer replaces the whole list.
    pub services: Vec<ServiceWatch>,
    /// How the console looks.
    pub console: Console,
    /// What trimtab may cost.
    pub cost: Budget,
    /// Keys by the name of what they mean, in place of the built-in ones.
    pub keys: Keys,
    /// The endpoint for Prometheus.
    pub metrics: Metrics,
    /// What of the past is kept.
    pub history: Keeping,
    /// How far ahead it looks.
    pub foresight: Foresight,
    /// What is done when there is no time to ask.
    pub emergency: Rescue,
    /// Who may come.
    pub access: Access,
    /// Limits that somebody is told of.
    pub alerts: Alerts,
    /// Who is told. A layer replaces the whole list.
    pub notify: Vec<Target>,
    /// Actions of the operator's own. A layer replaces the whole list.
    pub actions: Vec<CustomAction>,
}

/// Keys by the name of what they mean.
pub type Keys = BTreeMap<String, Vec<String>>;

/// Says what is wrong with keys, each with the name that it is about. Only the console knows, which this room does not.
pub type KeyCheck<'a> = &'a dyn Fn(&Keys) -> Vec<(String, String)>;

const SECTIONS: &[&str] = &[
    "thresholds",
    "hysteresis",
    "policy",
    "services",
    "console",
    "cost",
    "keys",
    "metrics",
    "history",
    "foresight",
    "emergency",
    "access",
    "alerts",
    "notify",
    "actions",
];

/// The configuration that these layers make, earlier ones overridden by later ones, or everything that is wrong with them.
pub fn merge(layers: &[Layer], check_keys: KeyCheck<'_>) -> Result<Config, Complaints> {
    let mut complaints = Vec::new();
    let outlines: Vec<Outline<'_>> = layers.iter().filter_map(|layer| outline::of_file(layer, SECTIONS, &mut complaints)).collect();
    let mut gather = |name| section_fields(&outlines, name, &mut complaints);
    let [thresholds, hysteresis, mut bounds, console, cost, metrics, history, foresight, access] =
        ["thresholds", "hysteresis", "policy", "console", "cost", "metrics", "history", "foresight", "access"].map(&mut gather);
    let emergency = gather("emergency");
    policy::lists(&mut bounds, &mut complaints);
    let mut services = Vec::new();
    for field in outlines.iter().filter_map(|outline| outline.field("services")) {
        services = outline::items::<ServiceWatch>(field, &mut complaints);
    }
    let (keys, places) = keys(&outlines, &mut complaints);
    let mut wishes = Vec::new();
    for field in outlines.iter().filter_map(|outline| outline.field("alerts")) {
        wishes.extend(outline::items::<alerts::Wish>(field, &mut complaints));
    }
    let mut notify = Vec::new();
    for field in outlines.iter().filter_map(|outline| outline.field("notify")) {
        notify = outline::items::<Target>(field, &mut complaints);
    }
    alerts::targets(&notify, &mut complaints);
    let mut actions = Vec::new();
    for field in outlines.iter().filter_map(|outline| outline.field("actions")) {
        actions = outline::items::<CustomAction>(field, &mut complaints);
    }
    custom::check(&actions, &mut complaints);
    let actions: Vec<CustomAction> = actions.into_iter().map(|(action, _)| action).collect();
    let config = Config {
        alerts: Alerts(alerts::rules(rules::built_in(), wishes, &mut complaints)),
        notify: notify.into_iter().map(|(target, _)| target).collect(),
        thresholds: Thresholds {
            conditions: actions.iter().filter_map(CustomAction::condition).collect(),
            ..build(&thresholds, &mut complaints)
        },
        actions,
        hysteresis: build(&hysteresis, &mut complaints),
        policy: build(&bounds, &mut complaints),
        services: services.iter().map(|(service, _)| service.clone()).collect(),
        console: build(&console, &mut complaints),
        cost: build(&cost, &mut complaints),
        keys,
        metrics: build(&metrics, &mut complaints),
        history: build(&history, &mut complaints),
        foresight: build(&foresight, &mut complaints),
        emergency: build(&emergency, &mut complaints),
        access: build(&access, &mut complaints),
    };
    check::emergency(&config.emergency, &mut |name, why| blame(&emergency, name, why, &mut complaints));
    check::thresholds(&config.thresholds, &mut |name, why| blame(&thresholds, name, why, &mut complaints));
    check::hysteresis(&config.hysteresis, &mut |name, why| blame(&hysteresis, name, why, &mut complaints));
    check::policy(&config.policy, &mut |name, why| blame(&bounds, name, why, &mut complaints));
    check::budget(&config.cost, &mut |name, why| blame(&cost, name, why, &mut complaints));
    check::metrics(&config.metrics, &mut |name, why| blame(&metrics, name, why, &mut complaints));
    check::history(&config.history, &mut |name, why| blame(&history, name, why, &mut complaints));
    check::foresight(&config.foresight, &mut |name, why| blame(&foresight, name, why, &mut complaints));
    check::services(&services, &mut complaints);
    for (name, why) in check_keys(&config.keys) {
        complaints.extend(places.get(&name).map(|place| Complaint { why, ..place.clone() }));
    }
    if complaints.is_empty() { Ok(config) } else { Err(Complaints::sorted(complaints)) }
}

/// The keys, a later layer's in place of an earlier one's, and where each is set.
fn keys(outlines: &[Outline<'_>], complaints: &mut Vec<Complaint>) -> (Keys, BTreeMap<String, Complaint>) {
    let (mut keys, mut places) = (Keys::new(), BTreeMap::new());
    for field in outlines.iter().filter_map(|outline| outline.field("keys")) {
        for (name, wish, place) in outline::entries::<Vec<String>>(field, complaints) {
            keys.insert(name.clone(), wish);
            places.insert(name, place);
        }
    }
    (keys, places)
}

/// The fields of one section in every layer, earliest layer first.
fn section_fields<'a>(outlines: &[Outline<'a>], name: &str, complaints: &mut Vec<Complaint>) -> Vec<Field<'a>> {
    outlines.iter().filter_map(|outline| outline.field(name)).flat_map(|field| outline::fields(field, complaints)).collect()
}

/// The section made of its fields. A field that does not fit is complained about and left out.
fn build<T: DeserializeOwned + Default>(fields: &[Field<'_>], complaints: &mut Vec<Complaint>) -> T {
    let mut good: Vec<(&str, &str)> = Vec::new();
    for field in fields {
        match outline::alone::<T>(field) {
            Ok(_) => {
                good.retain(|(name, _)| *name != field.name);
                good.push((field.name, field.value));
            }
            Err(complaint) => complaints.push(complaint),
        }
    }
    let text: String = good.iter().map(|(name, value)| format!("{name}: {value}\n,")).collect();
    // Each field was accepted by itself, so that all of them together are.
    outline::options().from_str(&format!("({text})")).unwrap_or_default()
}

/// Complains about a field's value where it was set last. Built-in values are in range, so there is such a place.
fn blame(fields: &[Field<'_>], name: &str, why: String, complaints: &mut Vec<Complaint>) {
    complaints.extend(fields.iter().rev().find(|field| field.name == name).map(|field| field.complaint(why)));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::limits::Mode;
    use proptest::prelude::*;

    fn layer(name: &str, text: &str) -> Layer {
        Layer { name: name.into(), text: text.into() }
    }

    fn no_check(_: &Keys) -> Vec<(String, String)> {
        Vec::new()
    }

    fn told(layers: &[Layer]) -> Vec<String> {
        merge(layers, &no_check).unwrap_err().0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_layer_is_the_built_in_configuration() {
        assert_eq!(merge(&[], &no_check), Ok(Config::default()));
        assert_eq!(merge(&[layer("a", "()")], &no_check), Ok(Config::default()));
    }

    #[test]
    fn later_layers_win_field_by_field() {
        let config = merge(
            &[
                layer("system", "(thresholds: (steal: 0.2, cpu_busy: 0.8), policy: (mode: Observe))"),
                layer("user", "(thresholds: (steal: 0.3), console: (ascii: true))"),
            ],
            &no_check,
        )
        .unwrap();
        assert_eq!(config.thresholds, Thresholds { steal: 0.3, cpu_busy: 0.8, ..Thresholds::default() });
        assert_eq!(config.policy.mode, Mode::Observe);
        assert!(config.console.ascii);
    }

    #[test]
    fn every_complaint_comes_at_once_with_its_place() {
        let text = "(\n    thresholds: (\n        cpu_presure: 0.3,\n        steal: \"much\",\n        cpu_busy: 1.5,\n    ),\n    \
                    policy: (mode: Sometimes, per_hour: -1),\n    colours: (),\n    services: [(name: \"a\")],\n)\n";
        let told = told(&[layer("/etc/x.ron", text), layer("user.ron", "(hysteresis: (raise: 9))")]);
        let expect = [
            ("/etc/x.ron:3:", "cpu_presure"),
            ("/etc/x.ron:4:", "float"),
            ("/etc/x.ron:5:", "at most 1"),
            ("/etc/x.ron:7:", "Sometimes"),
            ("/etc/x.ron:7:", ""),
            ("/etc/x.ron:8:", "colours"),
            ("/etc/x.ron:9:", "file"),
            ("user.ron:1:", "raise"),
        ];
        assert_eq!(told.len(), expect.len(), "{told:#?}");
        for ((place, word), line) in expect.iter().zip(&told) {
            assert!(line.starts_with(place) && line.contains(word), "{place} {word}: {told:#?}");
        }
    }

    #[test]
    fn columns_point_at_the_value_behind_wide_characters() {
        let told = told(&[layer("f", "(/* é漢 */ console: (theme: 7, ascii: \"é\", ascii: true))")]);
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(told[0].starts_with("f:1:2") && told[2].contains("twice"), "{told:#?}");
    }

    #[test]
    fn alerts_are_changed_and_added_by_name_and_receivers_replaced() {
        let config = merge(&[
            layer("a", "(alerts: [(name: \"cpu stolen\", enabled: false), (name: \"x\", metric: \"cpu_busy\", above: 0.5)], notify: [(exec: [\"/a\"])])"),
            layer("b", "(alerts: [(name: \"x\", above: 0.8, for: 5, severity: Critical)], notify: [(webhook: \"http://h/\")])"),
        ], &no_check)
        .unwrap();
        let built_in = rules::built_in();
        let rule = |name: &str| config.alerts.0.iter().find(|rule| &*rule.name == name).unwrap();
        assert_eq!(config.alerts.0.len(), built_in.len() + 1);
        assert!(!rule("cpu stolen").enabled && rule("cpu stolen").limit == 0.3);
        assert_eq!((rule("x").limit, rule("x").span, rule("x").subject.as_str()), (0.8, 5.0, "any"));
        assert!((rule("x").clear - 0.72).abs() < 1e-12, "a moved limit takes its level of clearing along");
        assert_eq!(config.notify.len(), 1);
        assert_eq!(config.notify[0].webhook.as_deref(), Some("http://h/"));
    }

    #[test]
    fn wrong_alerts_and_receivers_are_told_with_their_places() {
        let text = "(\nalerts: [\n(name: \"a\", metric: \"cpu_bussy\", above: 1),\n(name: \"b\", metric: \"cpu_busy\"),\n\
                    (name: \"c\", metric: \"cpu_busy\", above: 0.5, clear: 0.6),\n(name: \"d\", above: 1),\n\
                    (name: \"e\", metric: \"load\", above: 1, below: 2),\n(name: \"f\", metric: \"load\", above: 1, fro: 3)],\n\
                    notify: [\n(webhook: \"https://x\"),\n(exec: [\"page\"]),\n()]\n)";
        let told = told(&[layer("f", text)]);
        let expect = [
            (3, "cpu_busy"),
            (4, "above"),
            (5, "clear"),
            (6, "metric"),
            (7, "one"),
            (8, "fro"),
            (10, "curl"),
            (11, "absolute"),
            (12, "needs"),
        ];
        assert_eq!(told.len(), expect.len(), "{told:#?}");
        for ((line, word), complaint) in expect.iter().zip(&told) {
            assert!(complaint.starts_with(&format!("f:{line}:")) && complaint.contains(word), "{line} {word}: {told:#?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_as_ron_is_told_with_its_place() {
        let told = told(&[layer("f", "(\n  thresholds: (steal: 0.1\n"), layer("g", "(policy: (flaps: 1.5))")]);
        assert!(told[0].starts_with("f:2:26") && told[1] == "g:1:19: `flaps`: this is no value of its kind", "{told:#?}");
    }

    #[test]
    fn keys_are_layered_by_name_and_each_complaint_has_its_place() {
        let layers = [
            layer("system", "(keys: {\"freeze\": [\"z\"], \"help\": [\"h\"]})"),
            layer("user", "(\n  keys: {\n    \"freeze\": [\"F12\", \"f\"],\n    \"odd\": [\"x\"],\n  },\n)"),
        ];
        let keys = merge(&layers, &no_check).unwrap().keys;
        assert_eq!(
            (keys["freeze"].as_slice(), keys["help"].as_slice()),
            (&["F12".to_string(), "f".into()][..], &["h".to_string()][..])
        );
        let odd = |keys: &Keys| keys.keys().filter(|name| *name == "odd").map(|name| (name.clone(), "odd indeed".into())).collect();
        let told = merge(&layers, &odd).unwrap_err().to_string();
        assert_eq!(told, "user:4:5: odd indeed");
        let told = self::told(&[layer("f", "(keys: {\"a\": \"b\", 7: [\"c\"], \"d\": [1]}, policy: (per_hour: -1))")]);
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(told[0].starts_with("f:1:14"), "{told:#?}");
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,80}", inner in "[a-z(){}\\[\\]:,0-9\"' /*.\n]{0,60}") {
            let _ = merge(&[layer("a", &text), layer("b", &format!("(thresholds: ({inner}), keys: {{{inner}}})"))], &no_check);
        }
    }
}
