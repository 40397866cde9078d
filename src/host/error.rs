//! The one error of the outside world: what was done, where, and what the machine answered.

use std::fmt;
use std::io;

/// Kinds of answer that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No such file, device, call or feature.
    Absent,
    /// The process, thread or cgroup ended, or its id belongs to another one now.
    Gone,
    /// Missing rights.
    Denied,
    /// The machine does not take that value.
    Invalid,
    /// No space left.
    Full,
    /// Anything else.
    Other,
}

/// A touch of the machine that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// What was tried: `read`, `write`, `list`, `setpriority` ...
    pub op: &'static str,
    /// On what, as an operator would name it.
    pub spot: String,
    /// What kind of answer.
    pub kind: Kind,
    /// The errno by name, such as `EPERM`, where the kernel gave one.
    pub errno: Option<&'static str>,
    /// The answer in words.
    pub source: String,
}

impl HostError {
    /// The error of `op` on `spot` with the system's answer.
    pub fn new(op: &'static str, spot: impl fmt::Display, source: &io::Error) -> HostError {
        let code = source.raw_os_error().unwrap_or(0);
        let (kind, errno) = classify(code);
        let words = source.to_string();
        // The number behind the words is noise where the name is told.
        let words = if errno.is_some() { words.trim_end_matches(&format!(" (os error {code})")).into() } else { words };
        HostError { op, spot: spot.to_string(), kind, errno, source: words }
    }

    /// An error that no system call gave.
    pub fn plain(op: &'static str, spot: impl fmt::Display, kind: Kind, why: impl Into<String>) -> HostError {
        HostError { op, spot: spot.to_string(), kind, errno: None, source: why.into() }
    }

    /// The same, and if rights were missing also which ones would do, such as `CAP_SYS_NICE`.
    pub fn needing(mut self, rights: &str) -> HostError {
        if self.kind == Kind::Denied && self.errno != Some("EROFS") {
            self.source = format!("{}: needs {rights}", self.source);
        }
        self
    }
}

fn classify(code: i32) -> (Kind, Option<&'static str>) {
    match code {
        libc::ENOENT => (Kind::Absent, Some("ENOENT")),
        libc::ENODEV => (Kind::Absent, Some("ENODEV")),
        libc::ENOSYS => (Kind::Absent, Some("ENOSYS")),
        libc::EOPNOTSUPP => (Kind::Absent, Some("EOPNOTSUPP")),
        libc::ENOTDIR => (Kind::Absent, Some("ENOTDIR")),
        libc::ESRCH => (Kind::Gone, Some("ESRCH")),
        libc::EPERM => (Kind::Denied, Some("EPERM")),
        libc::EACCES => (Kind::Denied, Some("EACCES")),
        libc::EROFS => (Kind::Denied, Some("EROFS")),
        libc::EINVAL => (Kind::Invalid, Some("EINVAL")),
        libc::ERANGE => (Kind::Invalid, Some("ERANGE")),
        libc::ENOSPC => (Kind::Full, Some("ENOSPC")),
        libc::EIO => (Kind::Other, Some("EIO")),
        libc::EBUSY => (Kind::Other, Some("EBUSY")),
        libc::EAGAIN => (Kind::Other, Some("EAGAIN")),
        libc::EINTR => (Kind::Other, Some("EINTR")),
        libc::ENOMEM => (Kind::Other, Some("ENOMEM")),
        _ => (Kind::Other, None),
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.op, self.spot, self.source)
    }
}

impl std::error::Error for HostError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_what_where_why() {
        let error = |code| HostError::new("write", "/proc/x", &io::Error::from_raw_os_error(code));
        assert_eq!(error(libc::EPERM).to_string(), "write /proc/x: Operation not permitted");
        assert_eq!(error(libc::EPERM).needing("root").to_string(), "write /proc/x: Operation not permitted: needs root");
        assert_eq!(error(libc::EROFS).needing("root"), error(libc::EROFS), "no right makes a read-only file writable");
        assert_eq!(error(libc::EINVAL).needing("root"), error(libc::EINVAL));
        assert!(error(libc::EXDEV).to_string().ends_with("(os error 18)"), "a number is better than nothing");
    }
}
