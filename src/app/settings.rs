//! The configuration in force: files, then the command line.

use crate::{
    app::{cli::Common, env::Env, failure::Failure},
    config::{layer, sections},
    model::limits::Mode,
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
    config.console.ascii |= common.ascii;
    Ok(config)
}
