//! The only room that knows every other: run modes, wiring, command line.

pub mod seat;

/// Runs the program.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
