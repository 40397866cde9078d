//! The `trimtab` program: parse, call [`trimtab::app`], exit with its code.

use std::process::ExitCode;

fn main() -> ExitCode {
    trimtab::app::main()
}
