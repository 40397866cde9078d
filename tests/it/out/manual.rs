//! Shell completions and the manual page name every verb and every option, and the shells take them.

use crate::cli::{Home, ended};
use clap::CommandFactory;
use std::{
    io::Write,
    process::{Command, Stdio},
};
use trimtab::app::cli::Cli;

/// Every verb and every long option that people may use.
fn names() -> (Vec<String>, Vec<String>) {
    let mut command = Cli::command();
    command.build();
    let verbs: Vec<&clap::Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
    let of =
        |command: &clap::Command| command.get_arguments().filter_map(|arg| arg.get_long().map(String::from)).collect::<Vec<_>>();
    let mut options: Vec<String> = verbs.iter().flat_map(|verb| of(verb)).chain(of(&command)).collect();
    options.sort();
    options.dedup();
    (verbs.iter().map(|verb| verb.get_name().to_string()).collect(), options)
}

fn told(args: &[&str]) -> String {
    let (code, out, errors) = ended(&Home::new().run(args));
    assert_eq!((code, errors.as_str()), (0, ""));
    out
}

#[test]
fn completions_name_every_verb_and_option_and_none_that_is_hidden() {
    let (verbs, options) = names();
    assert!(verbs.len() > 12 && options.contains(&"stream".into()));
    for shell in ["bash", "zsh", "fish"] {
        let text = told(&["completions", shell]);
        for verb in &verbs {
            assert!(text.contains(verb.as_str()), "{shell}: {verb}");
        }
        for option in &options {
            // fish writes `-l option`.
            assert!(text.contains(&format!("--{option}")) || text.contains(&format!("-l {option}")), "{shell}: --{option}");
        }
        assert!(!text.contains("demo-part"), "{shell}");
        let Ok(mut child) = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn() else { continue };
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(ended(&Home::new().run(&["completions", "tcsh"])).0, 2);
}

#[test]
fn bash_completes_a_verb_and_an_option() {
    let script = format!(
        "{}\ntry() {{ COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _trimtab trimtab \"${{!#}}\" \"\"; echo \"${{COMPREPLY[@]}}\"; }}\n\
         try trimtab do\ntry trimtab --str\n",
        told(&["completions", "bash"])
    );
    let mut child = Command::new("bash").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(out, "doctor\n--stream\n");
}

#[test]
fn the_manual_names_every_verb_and_option() {
    let text = told(&["man"]);
    let (verbs, options) = names();
    assert!(text.contains(".TH trimtab 1"), "{text}");
    for verb in verbs {
        assert!(text.contains(&format!("TRIMTAB {}\"", verb.to_uppercase())), "{verb}");
    }
    for option in options.iter().filter(|option| !matches!(option.as_str(), "help" | "version")) {
        assert!(text.contains(&format!("\\-\\-{}", option.replace('-', "\\-"))), "--{option}");
    }
    assert!(!text.contains("DEMO-PART"));
}
