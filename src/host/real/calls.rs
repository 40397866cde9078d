//! System calls that neither std nor rustix offers. The only file with unsafe code; each block says why it is sound.
#![allow(unsafe_code)]

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, BorrowedFd, IntoRawFd},
};

/// Cpu nanoseconds of a process: `clock_gettime` of its posix cpu clock, whose id is `(~pid << 3) | 2` (CPUCLOCK_SCHED of the whole
/// process, as `clock_getcpuclockid(3)` makes it).
pub(super) fn cpu_clock(pid: u32) -> io::Result<u64> {
    let clock = (!(pid as libc::clockid_t) << 3) | 2;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec for the kernel to fill.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        let error = io::Error::last_os_error();
        // EINVAL is what the kernel says of a process that is not there.
        return Err(if error.raw_os_error() == Some(libc::EINVAL) { io::Error::from_raw_os_error(libc::ESRCH) } else { error });
    }
    Ok(u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// Attributes of a thread's scheduling: `struct sched_attr` of include/uapi/linux/sched/types.h, without the utilisation clamps of
/// later kernels, which are left alone when they are not given.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scheduling {
    pub(super) size: u32,
    pub(super) policy: u32,
    pub(super) flags: u64,
    pub(super) nice: i32,
    pub(super) priority: u32,
    pub(super) runtime: u64,
    pub(super) deadline: u64,
    pub(super) period: u64,
}

const SCHEDULING_SIZE: u32 = size_of::<Scheduling>() as u32;

/// `sched_getattr(2)` of a thread; 0 is the calling one.
pub(super) fn scheduling(tid: u32) -> io::Result<Scheduling> {
    let mut found = Scheduling::default();
    // SAFETY: the kernel writes at most `SCHEDULING_SIZE` bytes into `found`, which is that large and of plain integers.
    let code = unsafe { libc::syscall(libc::SYS_sched_getattr, tid, &raw mut found, SCHEDULING_SIZE, 0u32) };
    answer(code).map(|_| found)
}

/// `sched_setattr(2)` of a thread.
pub(super) fn set_scheduling(tid: u32, wanted: Scheduling) -> io::Result<()> {
    let wanted = Scheduling { size: SCHEDULING_SIZE, ..wanted };
    // SAFETY: the kernel reads `wanted.size` bytes from `wanted`, which is that large.
    let code = unsafe { libc::syscall(libc::SYS_sched_setattr, tid, &raw const wanted, 0u32) };
    answer(code).map(|_| ())
}

/// `IOPRIO_WHO_PROCESS` of ioprio_get(2), which in spite of its name is one thread.
const WHO_THREAD: libc::c_int = 1;

/// `ioprio_get(2)` of a thread: class << 13 | level.
pub(super) fn io_priority(tid: u32) -> io::Result<u16> {
    // SAFETY: only integers are passed.
    let code = unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_THREAD, tid) };
    answer(code).map(|value| u16::try_from(value).unwrap_or(0))
}

/// `ioprio_set(2)` of a thread.
pub(super) fn set_io_priority(tid: u32, value: u16) -> io::Result<()> {
    // SAFETY: only integers are passed.
    let code = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_THREAD, tid, libc::c_int::from(value)) };
    answer(code).map(|_| ())
}

/// Closes a file and says what the close answered, which dropping it would not.
pub(super) fn close(file: File) -> io::Result<()> {
    // SAFETY: the descriptor was owned by `file`, which has given it up, so nobody else closes or uses it.
    let code = unsafe { libc::close(file.into_raw_fd()) };
    answer(code.into()).map(|_| ())
}

/// Confines a program that is about to be started: no rights may be gained on the way (set-uid programs, file capabilities), no core, and
/// bounded cpu seconds, file size and descriptors.
pub(super) fn confine(command: &mut std::process::Command, seconds: u64) {
    use std::os::unix::process::CommandExt;
    let limits = [(libc::RLIMIT_CORE, 0), (libc::RLIMIT_CPU, seconds), (libc::RLIMIT_FSIZE, 64 << 20), (libc::RLIMIT_NOFILE, 256)];
    let confined = move || {
        for (resource, most) in limits {
            let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
            // SAFETY: `limit` is a valid rlimit for the kernel to read; setrlimit(2) is async-signal-safe.
            if unsafe { libc::setrlimit(resource, &raw const limit) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // SAFETY: prctl(2) with these arguments touches no memory.
        if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: between fork and exec it only makes the two system calls above; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(confined) };
}

/// Keeps every page of this process in core as soon as it is used, now and later (`MCL_ONFAULT`, Linux 4.4: what is mapped and never
/// touched costs nothing).
pub(super) fn lock_memory() -> io::Result<()> {
    // SAFETY: only integers are passed, and no memory is changed.
    let code = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT) };
    answer(code.into()).map(|_| ())
}

fn answer(code: libc::c_long) -> io::Result<libc::c_long> {
    if code < 0 { Err(io::Error::last_os_error()) } else { Ok(code) }
}

/// Ignores a signal from now on, in every thread.
pub(super) fn ignore(signal: libc::c_int) {
    // SAFETY: `SIG_IGN` runs no code of ours, so nothing can be interrupted at a wrong place. It fails only for signals that cannot be
    // ignored, and then changes nothing.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Closes every descriptor beyond the standard three (`close_range(2)`, Linux 5.9; an older kernel leaves them open). For the first deed
/// of a process, when whatever is open there was inherited and nothing of ours owns it.
pub(super) fn close_inherited() {
    // SAFETY: no memory is touched, and by the contract above no owner is left with a closed descriptor.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

/// The supplementary groups of the other end of a unix socket, as they were when it connected (`SO_PEERGROUPS`, unix(7), Linux 4.13).
pub(super) fn peer_groups(socket: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let room = groups.len() * size_of::<libc::gid_t>();
        let mut length = libc::socklen_t::try_from(room).unwrap_or(libc::socklen_t::MAX);
        // SAFETY: the kernel writes at most `length` bytes into `groups`, which has room for them, and the real length into `length`.
        let code = unsafe {
            let (into, length) = (groups.as_mut_ptr().cast(), &raw mut length);
            libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERGROUPS, into, length)
        };
        let count = length as usize / size_of::<libc::gid_t>();
        if code == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}
