//! The configuration in force: files, then the command line.

use crate::{
    actions,
    app::{cli::Common, env::Env, failure::Failure},
    config::{layer, sections},
    model::{limits::Mode, pick::Pattern},
    ui::keymap,
};

/// Reads and merges. Everything that is wrong is told at once.
pub fn load(common: &Common, env: &Env) -> Result<sections::Config, Failure> {
    let layers = layer::read(&env.config_files(), common.config.as_deref()).map_err(Failure::usage)?;
    let mut config = sections::merge(&layers, &keymap::wrong).map_err(Failure::usage)?;
    if common.observe {
        config.policy.mode = Mode::Observe;
    }
    if let Some(mode) = common.mode {
        config.policy.mode = mode;
    }
    if let Some(theme) = &common.theme {
        config.console.theme = theme.clone();
    }
    if let Some(layout) = &common.layout {
        config.console.layout = layout.clone();
    }
    if let Some(at) = common.metrics {
        config.metrics.listen = Some(at.to_string());
    }
    config.policy.dry |= common.dry;
    config.console.ascii |= common.ascii;
    families(&config, &layers)?;
    Ok(config)
}

/// A rule for an action that there is not would never fit: it is told, with the place of its name.
fn families(config: &sections::Config, layers: &[layer::Layer]) -> Result<(), Failure> {
    let built_in = actions::all().iter().chain(actions::asked()).map(|action| action.about().name.to_string());
    let known: Vec<String> = built_in.chain(config.actions.iter().map(|action| format!("custom:{}", action.name))).collect();
    let named = config.policy.rules.iter().flat_map(|rule| &rule.families);
    let wrong = named.filter(|family| !known.iter().any(|name| Pattern::new(family.as_str()).fits(name)));
    let told: Vec<String> = wrong.map(|family| format!("{}no action is called `{family}`", place(layers, family))).collect();
    if told.is_empty() { Ok(()) } else { Err(Failure::usage(told.join("\n"))) }
}

/// File and line of a name in quotes, as complaints have it.
fn place(layers: &[layer::Layer], name: &str) -> String {
    let quoted = format!("\"{name}\"");
    let line =
        |layer: &layer::Layer| layer.text.lines().position(|line| line.contains(&quoted)).map(|n| (layer.name.clone(), n + 1));
    layers.iter().rev().find_map(line).map_or_else(String::new, |(file, line)| format!("{file}:{line}: "))
}
