//! What the command line says of itself to shells and to `man`: both are made from its own definition, so that neither can lag behind.

use crate::app::{cli::Cli, failure::Failure, out};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

/// Prints what a shell needs to complete the command line.
pub fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut open(), "trimtab", &mut text);
    out::say(&String::from_utf8_lossy(&text))
}

/// Prints the manual page: the program's, then that of each verb.
pub fn page() -> Result<(), Failure> {
    let command = open();
    let mut text = Vec::new();
    let whole = Man::new(command.clone()).title("trimtab").section("1").manual("trimtab");
    whole.render(&mut text).map_err(Failure::new)?;
    for verb in command.get_subcommands() {
        let of_verb = Man::new(verb.clone());
        text.extend_from_slice(format!(".SH \"TRIMTAB {}\"\n", verb.get_name().to_uppercase()).as_bytes());
        of_verb.render_description_section(&mut text).map_err(Failure::new)?;
        of_verb.render_options_section(&mut text).map_err(Failure::new)?;
    }
    out::say(&String::from_utf8_lossy(&text))
}

/// The command line without what is not for people.
fn open() -> Command {
    let command = Cli::command();
    let verbs: Vec<Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
    let mut bare = Command::new("trimtab").version(env!("CARGO_PKG_VERSION"));
    if let Some(about) = command.get_about() {
        bare = bare.about(about.clone());
    }
    bare.args(command.get_arguments().cloned()).subcommands(verbs).disable_help_subcommand(true)
}
