//! Names of system calls in which threads wait; others are shown by number. Numbers differ by architecture and come from libc.

use std::sync::Arc;

/// The call of a `/proc/PID/task/TID/syscall` (proc_pid_syscall(5)); `None` while it runs.
pub fn name(text: &str) -> Option<Arc<str>> {
    let number: i64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    if number < 0 {
        return None;
    }
    let known = NAMES.iter().chain(OLD).find(|(call, _)| *call == number);
    Some(known.map_or_else(|| format!("system call {number}").into(), |(_, name)| (*name).into()))
}

macro_rules! named {
    ($($call:ident $name:literal),* $(,)?) => { &[$((libc::$call, $name)),*] };
}

const NAMES: &[(i64, &str)] = named![
    SYS_read "read", SYS_write "write", SYS_readv "readv", SYS_writev "writev", SYS_pread64 "pread64", SYS_pwrite64 "pwrite64",
    SYS_preadv "preadv", SYS_pwritev "pwritev", SYS_preadv2 "preadv2", SYS_pwritev2 "pwritev2", SYS_openat "openat", SYS_close "close",
    SYS_fsync "fsync", SYS_fdatasync "fdatasync", SYS_sync "sync", SYS_syncfs "syncfs", SYS_sync_file_range "sync_file_range",
    SYS_msync "msync", SYS_fallocate "fallocate", SYS_ftruncate "ftruncate", SYS_lseek "lseek", SYS_getdents64 "getdents64",
    SYS_newfstatat "newfstatat", SYS_fstat "fstat", SYS_statx "statx", SYS_statfs "statfs", SYS_unlinkat "unlinkat",
    SYS_renameat2 "renameat2", SYS_mkdirat "mkdirat", SYS_faccessat "faccessat", SYS_readlinkat "readlinkat",
    SYS_sendfile "sendfile", SYS_splice "splice", SYS_copy_file_range "copy_file_range", SYS_flock "flock", SYS_fcntl "fcntl",
    SYS_ioctl "ioctl", SYS_ppoll "ppoll", SYS_pselect6 "pselect6", SYS_epoll_pwait "epoll_pwait", SYS_epoll_pwait2 "epoll_pwait2",
    SYS_futex "futex", SYS_nanosleep "nanosleep", SYS_clock_nanosleep "clock_nanosleep", SYS_wait4 "wait4", SYS_waitid "waitid",
    SYS_accept "accept", SYS_accept4 "accept4", SYS_connect "connect", SYS_recvfrom "recvfrom", SYS_recvmsg "recvmsg",
    SYS_recvmmsg "recvmmsg", SYS_sendto "sendto", SYS_sendmsg "sendmsg", SYS_sendmmsg "sendmmsg", SYS_shutdown "shutdown",
    SYS_rt_sigsuspend "rt_sigsuspend", SYS_rt_sigtimedwait "rt_sigtimedwait", SYS_restart_syscall "restart_syscall",
    SYS_mmap "mmap", SYS_munmap "munmap", SYS_mprotect "mprotect", SYS_mremap "mremap", SYS_madvise "madvise", SYS_brk "brk",
    SYS_mlock "mlock", SYS_clone "clone", SYS_clone3 "clone3", SYS_execve "execve", SYS_exit_group "exit_group", SYS_exit "exit",
    SYS_sched_yield "sched_yield", SYS_io_getevents "io_getevents", SYS_io_submit "io_submit", SYS_io_uring_enter "io_uring_enter",
    SYS_msgrcv "msgrcv", SYS_msgsnd "msgsnd", SYS_semop "semop", SYS_semtimedop "semtimedop", SYS_mq_timedreceive "mq_timedreceive",
    SYS_mount "mount", SYS_umount2 "umount2", SYS_getrandom "getrandom", SYS_process_vm_readv "process_vm_readv",
];

/// Calls that only the oldest architectures have.
#[cfg(target_arch = "x86_64")]
const OLD: &[(i64, &str)] = named![
    SYS_open "open", SYS_stat "stat", SYS_lstat "lstat", SYS_poll "poll", SYS_select "select", SYS_epoll_wait "epoll_wait",
    SYS_pause "pause", SYS_fork "fork", SYS_vfork "vfork", SYS_rename "rename", SYS_unlink "unlink", SYS_mkdir "mkdir",
    SYS_access "access", SYS_getdents "getdents", SYS_readlink "readlink",
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[(i64, &str)] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names_or_numbers() {
        assert_eq!(name(&format!("{} 0x3 0x0\n", libc::SYS_fsync)).as_deref(), Some("fsync"));
        assert_eq!(name("99999 0x3\n").as_deref(), Some("system call 99999"));
        assert_eq!((name("running\n"), name("-1 0x7ffe 0x7f00\n"), name("")), (None, None, None));
    }
}
