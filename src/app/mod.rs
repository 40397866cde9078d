//! The only room that knows every other: run modes, wiring, command line.

pub mod cli;
pub mod console;
pub mod env;
pub mod failure;
pub mod out;
pub mod run;
pub mod seat;
pub mod text;
pub mod verbs;

/// Runs the program.
pub fn main() -> std::process::ExitCode {
    run::main()
}
