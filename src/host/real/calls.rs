//! System calls that neither std nor rustix offers. The only file with unsafe code; each block says why it is sound.
#![allow(unsafe_code)]

use std::io;

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

/// Runs the calling thread, and those that it will start, before all ordinary ones: `SCHED_FIFO` at the lowest of its priorities.
pub(super) fn real_time() -> io::Result<()> {
    let lowest = libc::sched_param { sched_priority: 1 };
    // SAFETY: `lowest` is a valid sched_param for the kernel to read; 0 is the calling thread.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const lowest) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
