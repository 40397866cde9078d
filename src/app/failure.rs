//! How a run ends when it does not end well: what is said, and the exit code.

use crate::link::{client::LinkError, socket::SocketError};
use std::process::ExitCode;

/// Exit codes: 0 is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Refused or failed.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// No engine runs.
    NoEngine = 3,
}

/// An end that is no success.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Exit code.
    pub code: Code,
    /// What is said on standard error, without `trimtab: `; nothing when it has been said.
    pub why: String,
}

impl Failure {
    /// Failed, and why.
    pub fn new(why: impl ToString) -> Failure {
        Failure { code: Code::Failed, why: why.to_string() }
    }

    /// Wrong use, and why.
    pub fn usage(why: impl ToString) -> Failure {
        Failure { code: Code::Usage, why: why.to_string() }
    }

    /// Failed, and it has been said already.
    pub fn said() -> Failure {
        Failure::new("")
    }
}

impl From<LinkError> for Failure {
    fn from(e: LinkError) -> Self {
        let code = if matches!(e, LinkError::Nobody(_)) { Code::NoEngine } else { Code::Failed };
        Failure { code, why: e.to_string() }
    }
}

impl From<SocketError> for Failure {
    fn from(e: SocketError) -> Self {
        Failure::new(e)
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        ExitCode::from(code as u8)
    }
}
