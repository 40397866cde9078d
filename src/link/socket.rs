//! Where the socket stands, and who may own it.
//!
//! It stands in a directory that only its user can enter, unless the configuration lets others come (see `doors`). A lock file beside it says whether an engine lives: a socket without a
//! holder of the lock is stale and is replaced, never one with. See unix(7), flock(2).

use rustix::fs::{FlockOperation, flock};
use std::{
    fmt,
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// Why a socket could not be had.
#[derive(Debug)]
pub enum SocketError {
    /// An engine holds it already.
    Held(PathBuf),
    /// The directory belongs to somebody else, or others may write in it.
    Unsafe(PathBuf, &'static str),
    /// The system's answer.
    Failed(PathBuf, io::Error),
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SocketError::Held(path) => write!(f, "an engine runs already on {}", path.display()),
            SocketError::Unsafe(path, why) => write!(f, "{} is not safe for a socket: {why}", path.display()),
            SocketError::Failed(path, e) => write!(f, "{}: {e}", path.display()),
        }
    }
}

impl std::error::Error for SocketError {}

/// A socket that is ours as long as this lives; then its file is removed.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// Held open for its lock.
    _lock: File,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Gone already is as good; the lock file stays, since removing it would let two engines lock two files of one name.
        let _gone_already = std::fs::remove_file(&self.path);
    }
}

/// The directory of a user's sockets: `run` for root, else `$XDG_RUNTIME_DIR/trimtab`, else one of the user's own below `tmp`.
pub fn usual_directory(uid: u32, runtime: Option<&Path>, tmp: &Path) -> PathBuf {
    match runtime {
        _ if uid == 0 => PathBuf::from("/run/trimtab"),
        Some(runtime) => runtime.join("trimtab"),
        None => tmp.join(format!("trimtab-{uid}")),
    }
}

/// Makes the directory, for its user alone, or checks that it is such a one.
pub fn private_directory(path: &Path, uid: u32) -> Result<(), SocketError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(SocketError::Failed(path.into(), e)),
    }
    let meta = std::fs::symlink_metadata(path).map_err(|e| SocketError::Failed(path.into(), e))?;
    match () {
        () if !meta.is_dir() => Err(SocketError::Unsafe(path.into(), "it is no directory")),
        () if meta.uid() != uid && meta.uid() != 0 => Err(SocketError::Unsafe(path.into(), "it belongs to another user")),
        () if meta.mode() & 0o022 != 0 && meta.mode() & 0o1000 == 0 => {
            Err(SocketError::Unsafe(path.into(), "others may write in it"))
        }
        () => Ok(()),
    }
}

/// Whom the socket's file lets in; who they may be is asked of each that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Its user.
    Own,
    /// All users of this host.
    Host,
}

/// Takes the lock, clears a stale socket away, listens. Must run within tokio.
pub fn claim(path: &Path, uid: u32, reach: Reach) -> Result<(UnixListener, Claim), SocketError> {
    let failed = |e: io::Error| SocketError::Failed(path.into(), e);
    let directory = path.parent().unwrap_or(Path::new("."));
    private_directory(directory, uid)?;
    let (entry, mode) = if reach == Reach::Host { (Some(0o711), 0o666) } else { (None, 0o600) };
    // A directory that others can enter already is left as it is.
    if let Some(entry) = entry.filter(|_| std::fs::metadata(directory).is_ok_and(|meta| meta.mode() & 0o011 != 0o011)) {
        std::fs::set_permissions(directory, Permissions::from_mode(entry)).map_err(failed)?;
    }
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.with_extension("lock"))
        .map_err(failed)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Err(SocketError::Held(path.into())),
        Err(e) => return Err(failed(e.into())),
    }
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    let claim = Claim { path: path.into(), _lock: lock };
    std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
    Ok((listener, claim))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn uid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _within = runtime.enter();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let (_listener, held) = claim(&path, uid(), Reach::Own).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(matches!(claim(&path, uid(), Reach::Own), Err(SocketError::Held(_))));
        drop(held);
        assert!(!path.exists());
        claim(&path, uid(), Reach::Own).unwrap();
    }

    #[test]
    fn a_directory_that_others_may_write_in_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(private_directory(&open, uid()), Err(SocketError::Unsafe(..))));
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        assert!(matches!(private_directory(&link, uid()), Err(SocketError::Unsafe(..))));
    }

    #[test]
    fn each_user_has_a_directory_of_their_own() {
        let tmp = Path::new("/tmp");
        assert_eq!(usual_directory(0, Some(Path::new("/x")), tmp), Path::new("/run/trimtab"));
        assert_eq!(usual_directory(7, Some(Path::new("/x")), tmp), Path::new("/x/trimtab"));
        assert_eq!(usual_directory(7, None, tmp), Path::new("/tmp/trimtab-7"));
    }
}
