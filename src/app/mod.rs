//! The only room that knows every other: run modes, wiring, command line.

pub mod access;
pub mod anomalies;
pub mod attach;
pub mod audit;
pub mod bystander;
pub mod cli;
pub mod console;
pub mod daemon;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod env;
pub mod failure;
pub mod forecast;
pub mod guard;
pub mod halt;
pub mod logger;
pub mod manual;
pub mod metrics;
pub mod once;
pub mod out;
pub mod parts;
pub mod record;
pub mod replay;
pub mod run;
pub mod seat;
pub mod service;
pub mod settings;
pub mod signals;
pub mod snapshot;
pub mod solo;
pub mod started;
pub mod stream;
pub mod syslog;
pub mod text;
pub mod tunnel;
pub mod verbs;
pub mod watching;

/// Runs the program.
pub fn main() -> std::process::ExitCode {
    run::main()
}
pub mod weeks;
pub mod what_if;
