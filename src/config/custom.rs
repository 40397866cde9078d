//! Custom actions as operators write them: what is wrong with each, with its place.
//!
//! ```ron
//! actions: [
//!     (name: "drain", when: (metric: "pressure_cpu_some", above: 0.5, for: 30), do: ["/usr/local/bin/drain", "web1"],
//!      verify: ["/usr/local/bin/is-drained", "web1"], undo: ["/usr/local/bin/undrain", "web1"], watch: "service_p95:shop"),
//! ],
//! ```

use crate::{
    config::complaint::Complaint,
    model::{custom::CustomAction, pick::Pick},
};

/// Names are unique; each is sound.
pub(super) fn check(all: &[(CustomAction, Complaint)], complaints: &mut Vec<Complaint>) {
    for (i, (action, at)) in all.iter().enumerate() {
        let twice = all.iter().take(i).any(|(other, _)| other.name == action.name);
        let why = if twice { Some(format!("there are two actions named `{}`", action.name)) } else { wrong(action) };
        complaints.extend(why.map(|why| Complaint { why, ..at.clone() }));
    }
}

fn wrong(action: &CustomAction) -> Option<String> {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if action.name.is_empty() || action.name.len() > 40 || !action.name.chars().all(letters) {
        return Some("an action needs a `name` of at most 40 letters, digits and dashes".into());
    }
    if action.when.above.is_some() == action.when.below.is_some() {
        return Some("`when` needs `above` or `below`, and only one of them".into());
    }
    let limit = action.when.above.or(action.when.below).unwrap_or(f64::NAN);
    if !limit.is_finite() || !(1.0..=1800.0).contains(&action.when.span) {
        return Some("the limit of `when` is a number, its `for` is 1 to 1800 seconds".into());
    }
    if let Err(why) = action.when.metric.parse::<Pick>() {
        return Some(why);
    }
    match action.watch.parse::<Pick>() {
        Err(why) => return Some(why),
        Ok(pick) if pick.path().is_none() => return Some("`watch` is one number, not a pattern".into()),
        Ok(_) => {}
    }
    if action.apply.is_empty() {
        return Some("`do` needs a program".into());
    }
    for command in [&action.apply, &action.verify, &action.undo] {
        if command.first().is_some_and(|path| !path.starts_with('/') || path.contains("/../")) {
            return Some("`do`, `verify` and `undo` begin with the absolute path of a program".into());
        }
        if command.iter().any(|word| word.contains('\0')) {
            return Some("an argument holds a NUL".into());
        }
    }
    if !action.undo.is_empty() && action.verify.is_empty() {
        return Some("`undo` needs `verify`, to know whether there is something to undo".into());
    }
    if !(1..=60).contains(&action.timeout) || !(0.0..=86_400.0).contains(&action.cooldown) {
        return Some("`timeout` is 1 to 60 seconds, `cooldown` 0 to 86400".into());
    }
    let odd = |name: &str| name.is_empty() || name.starts_with("LD_") || name.contains(['=', '\0']);
    action.env.iter().any(|(name, value)| odd(name) || value.contains('\0')).then(|| "`env` holds a name that cannot be set".into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use crate::config::{layer::Layer, sections::merge};

    fn layer(text: &str) -> Layer {
        Layer { name: "f".into(), text: text.into() }
    }

    #[test]
    fn a_custom_action_is_read_and_its_condition_goes_to_the_detectors() {
        let text = r#"(actions: [(name: "drain-node", when: (metric: "pressure_cpu_some", above: 0.5, for: 30),
            do: ["/usr/local/bin/drain", "--node", "web1"], verify: ["/v"], undo: ["/u"], timeout: 20, user: "nobody",
            env: {"LANG": "C"}, risk: High, cooldown: 600, watch: "service_p95:shop", better: Lower)])"#;
        let config = merge(&[layer(text)], &|_| vec![]).unwrap();
        assert_eq!(config.actions[0].apply.len(), 3);
        assert_eq!(config.thresholds.conditions[0].action, "drain-node");
    }

    #[test]
    fn every_wrong_one_is_told_with_its_line() {
        let whole = "when: (metric: \"load\", above: 1), do: [\"/d\"], watch: \"load\"";
        let text = format!(
            "(actions: [\n(name: \"a b\", {whole}),\n(name: \"a\", when: (metric: \"load\"), do: [\"/d\"], watch: \"load\"),\n\
             (name: \"b\", when: (metric: \"lod\", above: 1), do: [\"/d\"], watch: \"load\"),\n\
             (name: \"c\", when: (metric: \"load\", above: 1), do: [\"d\"], watch: \"load\"),\n\
             (name: \"d\", undo: [\"/u\"], {whole}),\n(name: \"e\", timeout: 600, {whole}),\n(name: \"f\", env: {{\"LD_PRELOAD\": \"x\"}}, {whole}),\n\
             (name: \"g\", {whole}),\n(name: \"g\", {whole}),\n(name: \"h\", shell: true, {whole})])"
        );
        let told = merge(&[layer(&text)], &|_| vec![]).unwrap_err().0;
        let lines: Vec<usize> = told.iter().map(|c| c.at.unwrap().0).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 10, 11], "{told:#?}");
    }
}
