//! SQLite's layer over the simulated disk (sqlite.org/vfs.html): files, locks and the shared memory of the write-ahead log, all of this
//! thread's world.
//!
//! It does what SQLite's own unix layer does, syscall by syscall where that can be lost: a sync of a log that was just made syncs its
//! directory too, and nothing else is durable before its sync. Shared memory is the kernel's: it outlives a process that dies, and is
//! begun anew when nobody maps it any more.
#![allow(unsafe_code)] // a layer of SQLite is a table of C functions

use crate::world::{Actor, Gate, Op, current, gate_of, world};
use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};
use std::{
    collections::BTreeMap,
    ffi::{CStr, c_char, c_int, c_void},
    path::Path,
    slice,
    sync::Once,
};
use trimtab::store::disk::Disk as Files;

pub const NAME: &str = "trimtab-simulated";
const NAME_C: &CStr = c"trimtab-simulated";

/// Words of 8 bytes in a region of shared memory.
const REGION: usize = 32768 / 8;

/// The state of the layer.
#[derive(Default)]
pub struct Layer {
    handles: Vec<Option<Handle>>,
    /// SQLite's lock levels on each inode.
    locks: BTreeMap<usize, Vec<(usize, c_int)>>,
    shared: BTreeMap<String, Shared>,
}

#[derive(Clone)]
struct Handle {
    actor: Actor,
    name: String,
    inode: usize,
    /// Its first sync is one of its directory too: a log, opened to be made where there is none.
    fresh: bool,
}

#[derive(Default)]
struct Shared {
    regions: Vec<Box<[u64; REGION]>>,
    users: Vec<usize>,
    /// Holders of each of the eight locks: (handle, exclusive).
    locks: [Vec<(usize, bool)>; 8],
}

impl Layer {
    /// After a loss of power nothing is open and nothing is shared.
    pub fn clear(&mut self) {
        *self = Layer::default();
    }

    pub fn open_files(&self) -> usize {
        self.handles.iter().flatten().count()
    }
}

/// The disk of this thread's world.
pub struct Simulated;

fn errno(code: c_int) -> std::io::Error {
    std::io::Error::from_raw_os_error(code)
}

/// An operation on names.
fn naming<T>(deed: impl FnOnce(&mut crate::disk::Disk) -> std::io::Result<T>) -> std::io::Result<T> {
    match gate_of(current(), Op::DiskName) {
        Gate::Go => world(|w| deed(&mut w.disk)),
        Gate::DieAfter => world(|w| deed(&mut w.disk)).and(Err(errno(libc::EIO))),
        Gate::Fail(code) => Err(errno(code)),
        Gate::Dead | Gate::DieTorn => Err(errno(libc::EIO)),
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Files for Simulated {
    fn layer(&self) -> Option<&'static str> {
        static ONCE: Once = Once::new();
        ONCE.call_once(register);
        Some(NAME)
    }
    fn size(&self, file: &Path) -> std::io::Result<u64> {
        match gate_of(current(), Op::Look) {
            Gate::Go | Gate::Fail(_) => {}
            _ => return Err(errno(libc::EIO)),
        }
        let name = text(file);
        world(|w| w.disk.find(&name).map(|inode| w.disk.size(inode) as u64)).ok_or_else(|| errno(libc::ENOENT))
    }
    fn make(&self, file: &Path) -> std::io::Result<()> {
        naming(|disk| {
            if disk.find(&text(file)).is_some() {
                return Err(errno(libc::EEXIST));
            }
            disk.make(&text(file));
            Ok(())
        })
    }
    fn remove(&self, file: &Path) -> std::io::Result<()> {
        naming(|disk| if disk.remove(&text(file)) { Ok(()) } else { Err(errno(libc::ENOENT)) })
    }
    fn copy(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        naming(|disk| {
            let source = disk.find(&text(from)).ok_or_else(|| errno(libc::ENOENT))?;
            let mut bytes = vec![0; disk.size(source)];
            disk.read(source, 0, &mut bytes);
            let copy = disk.make(&text(to));
            disk.write(copy, 0, &bytes);
            disk.sync(copy);
            Ok(())
        })
    }
    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        naming(|disk| if disk.rename(&text(from), &text(to)) { Ok(()) } else { Err(errno(libc::ENOENT)) })
    }
    fn sync_directory(&self, _: &Path) -> std::io::Result<()> {
        naming(|disk| {
            disk.sync_names();
            Ok(())
        })
    }
}

/// What SQLite holds of a file: its table of functions, and which handle it is.
#[repr(C)]
struct File {
    base: sqlite3_file,
    handle: usize,
}

fn register() {
    let vfs = sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<File>() as c_int,
        mxPathname: 512,
        pNext: std::ptr::null_mut(),
        zName: NAME_C.as_ptr(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_millis),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: SQLite keeps the pointer for good, and the table is never freed.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) };
    assert_eq!(code, ffi::SQLITE_OK);
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe fn string(name: *const c_char) -> String {
    if name.is_null() {
        return String::new();
    }
    // SAFETY: SQLite gives names that end with a zero.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

/// Which handle that is.
unsafe fn handle(file: *mut sqlite3_file) -> usize {
    // SAFETY: SQLite made room for a `File` and `open` filled it.
    unsafe { (*file.cast::<File>()).handle }
}

fn of(handle: usize) -> Handle {
    world(|w| w.layer.handles[handle].clone().expect("an open handle"))
}

/// The answer of SQLite's unix layer to an errno.
fn answer(code: c_int, usual: c_int) -> c_int {
    if code == libc::ENOSPC { ffi::SQLITE_FULL } else { usual }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: as SQLite's contract says.
    let name = unsafe { string(name) };
    // SAFETY: a null table tells SQLite not to close what was never opened.
    unsafe { (*file).pMethods = std::ptr::null() };
    let actor = current();
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    let op = if create { Op::DiskName } else { Op::Look };
    let there = world(|w| w.disk.find(&name));
    let op = if there.is_some() { Op::Look } else { op };
    let passed = gate_of(actor, op);
    match passed {
        Gate::Go | Gate::DieAfter => {}
        _ => return ffi::SQLITE_CANTOPEN,
    }
    let logs = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let opened = world(|w| {
        let (inode, fresh) = match there {
            Some(inode) => (inode, create && flags & logs != 0),
            None if name.is_empty() => (w.disk.scratch(), false),
            None if create => (w.disk.make(&name), flags & logs != 0),
            None => return None,
        };
        w.layer.handles.push(Some(Handle { actor, name, inode, fresh }));
        Some(w.layer.handles.len() - 1)
    });
    let Some(handle) = opened else { return ffi::SQLITE_CANTOPEN };
    if passed == Gate::DieAfter {
        world(|w| w.layer.handles[handle] = None);
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: SQLite made room for a `File`.
    unsafe {
        (*file.cast::<File>()).handle = handle;
        (*file).pMethods = &raw const METHODS;
        if !out.is_null() {
            *out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    world(|w| {
        if let Some(held) = w.layer.handles[handle].take() {
            w.layer.locks.entry(held.inode).or_default().retain(|(holder, _)| *holder != handle);
        }
    });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut sqlite3_file, into: *mut c_void, count: c_int, at: i64) -> c_int {
    // SAFETY: an open file and a buffer of that size.
    let (held, into) = unsafe { (of(handle(file)), slice::from_raw_parts_mut(into.cast::<u8>(), count as usize)) };
    match gate_of(held.actor, Op::DiskRead) {
        Gate::Go | Gate::DieAfter => {}
        _ => return ffi::SQLITE_IOERR_READ,
    }
    let found = world(|w| w.disk.read(held.inode, at as usize, into));
    if found == into.len() {
        return ffi::SQLITE_OK;
    }
    into[found..].fill(0);
    ffi::SQLITE_IOERR_SHORT_READ
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    // SAFETY: an open file and a buffer of that size.
    let (held, from) = unsafe { (of(handle(file)), slice::from_raw_parts(from.cast::<u8>(), count as usize)) };
    let put = |bytes: &[u8]| world(|w| w.disk.write(held.inode, at as usize, bytes));
    match gate_of(held.actor, Op::DiskWrite) {
        Gate::Go => {
            put(from);
            ffi::SQLITE_OK
        }
        Gate::Fail(code) => {
            // A full disk or a broken one may have taken a part.
            put(&from[..from.len() / 2]);
            answer(code, ffi::SQLITE_IOERR_WRITE)
        }
        Gate::Dead => ffi::SQLITE_IOERR_WRITE,
        Gate::DieAfter => {
            put(from);
            ffi::SQLITE_IOERR_WRITE
        }
        Gate::DieTorn => {
            put(&from[..from.len() / 2]);
            ffi::SQLITE_IOERR_WRITE
        }
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    // SAFETY: an open file.
    let held = unsafe { of(handle(file)) };
    match gate_of(held.actor, Op::DiskWrite) {
        Gate::Go | Gate::DieAfter => {
            world(|w| w.disk.truncate(held.inode, size as usize));
            ffi::SQLITE_OK
        }
        _ => ffi::SQLITE_IOERR_TRUNCATE,
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let held = of(handle);
    match gate_of(held.actor, Op::DiskSync) {
        passed @ (Gate::Go | Gate::DieAfter) => {
            world(|w| {
                w.disk.sync(held.inode);
                if held.fresh {
                    w.disk.sync_names();
                    if let Some(held) = &mut w.layer.handles[handle] {
                        held.fresh = false;
                    }
                }
            });
            if passed == Gate::Go { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_FSYNC }
        }
        Gate::Fail(_) => {
            world(|w| w.disk.lose(held.inode, &mut w.dice));
            ffi::SQLITE_IOERR_FSYNC
        }
        _ => ffi::SQLITE_IOERR_FSYNC,
    }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: an open file.
    let held = unsafe { of(handle(file)) };
    // SAFETY: SQLite's own variable.
    unsafe { *size = world(|w| w.disk.size(held.inode)) as i64 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let held = of(handle);
    if gate_of(held.actor, Op::DiskLock) != Gate::Go {
        return ffi::SQLITE_BUSY;
    }
    world(|w| {
        let locks = w.layer.locks.entry(held.inode).or_default();
        let others = locks.iter().filter(|(holder, _)| *holder != handle).map(|(_, level)| *level).max().unwrap_or(0);
        let free = match level {
            ffi::SQLITE_LOCK_SHARED => others < ffi::SQLITE_LOCK_PENDING,
            ffi::SQLITE_LOCK_RESERVED => others < ffi::SQLITE_LOCK_RESERVED,
            _ => others == 0,
        };
        if !free {
            return ffi::SQLITE_BUSY;
        }
        match locks.iter_mut().find(|(holder, _)| *holder == handle) {
            Some(own) => own.1 = own.1.max(level),
            None => locks.push((handle, level)),
        }
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let inode = of(handle).inode;
    world(|w| {
        let locks = w.layer.locks.entry(inode).or_default();
        locks.iter_mut().filter(|(holder, _)| *holder == handle).for_each(|own| own.1 = level);
        locks.retain(|(_, level)| *level > 0);
    });
    ffi::SQLITE_OK
}

unsafe extern "C" fn reserved(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file.
    let inode = unsafe { of(handle(file)) }.inode;
    let any = world(|w| w.layer.locks.entry(inode).or_default().iter().any(|(_, level)| *level >= ffi::SQLITE_LOCK_RESERVED));
    // SAFETY: SQLite's own variable.
    unsafe { *out = c_int::from(any) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(file: *mut sqlite3_file, region: c_int, _: c_int, extend: c_int, out: *mut *mut c_void) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let held = of(handle);
    let alive = gate_of(held.actor, Op::Look);
    if !matches!(alive, Gate::Go | Gate::Fail(_)) {
        return ffi::SQLITE_IOERR_SHMMAP;
    }
    world(|w| {
        let shared = w.layer.shared.entry(held.name).or_default();
        if shared.users.is_empty() {
            shared.regions.clear();
        }
        if !shared.users.contains(&handle) {
            shared.users.push(handle);
        }
        let region = region as usize;
        while extend != 0 && shared.regions.len() <= region {
            shared.regions.push(Box::new([0; REGION]));
        }
        let found = shared.regions.get_mut(region).map_or(std::ptr::null_mut(), |region| region.as_mut_ptr().cast::<c_void>());
        // SAFETY: SQLite's own variable.
        unsafe { *out = found };
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let held = of(handle);
    let (take, exclusive) = (flags & ffi::SQLITE_SHM_LOCK != 0, flags & ffi::SQLITE_SHM_EXCLUSIVE != 0);
    if take && gate_of(held.actor, Op::DiskLock) != Gate::Go {
        return ffi::SQLITE_BUSY;
    }
    world(|w| {
        let shared = w.layer.shared.entry(held.name).or_default();
        let locks = &mut shared.locks[first as usize..(first + count) as usize];
        if !take {
            locks.iter_mut().for_each(|holders| holders.retain(|(holder, _)| *holder != handle));
            return ffi::SQLITE_OK;
        }
        let other = |(holder, sole): &(usize, bool)| *holder != handle && (*sole || exclusive);
        if locks.iter().flatten().any(other) {
            return ffi::SQLITE_BUSY;
        }
        for holders in locks {
            holders.retain(|(holder, _)| *holder != handle);
            holders.push((handle, exclusive));
        }
        ffi::SQLITE_OK
    })
}

unsafe extern "C" fn shm_barrier(_: *mut sqlite3_file) {}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: an open file.
    let handle = unsafe { handle(file) };
    let held = of(handle);
    world(|w| {
        let Some(shared) = w.layer.shared.get_mut(&held.name) else { return };
        shared.users.retain(|user| *user != handle);
        shared.locks.iter_mut().for_each(|holders| holders.retain(|(holder, _)| *holder != handle));
        if delete != 0 && shared.users.is_empty() {
            shared.regions.clear();
        }
    });
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as SQLite's contract says.
    let name = unsafe { string(name) };
    if world(|w| w.disk.find(&name)).is_none() {
        return ffi::SQLITE_IOERR_DELETE_NOENT;
    }
    match gate_of(current(), Op::DiskName) {
        Gate::Go | Gate::DieAfter => {
            world(|w| {
                w.disk.remove(&name);
                if sync != 0 {
                    w.disk.sync_names();
                }
            });
            ffi::SQLITE_OK
        }
        _ => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(_: *mut sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: as SQLite's contract says.
    let name = unsafe { string(name) };
    let size = world(|w| w.disk.find(&name).map(|inode| w.disk.size(inode)));
    // As the unix layer: an empty file does not exist.
    let there = if flags == ffi::SQLITE_ACCESS_EXISTS { size.is_some_and(|size| size > 0) } else { size.is_some() };
    // SAFETY: SQLite's own variable.
    unsafe { *out = c_int::from(there) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(_: *mut sqlite3_vfs, name: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: as SQLite's contract says.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > room as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: there is room for them.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SAFETY: a buffer of that size.
    let out = unsafe { slice::from_raw_parts_mut(out.cast::<u8>(), count as usize) };
    out.iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 37 + 11) as u8);
    count
}

unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, micros: c_int) -> c_int {
    crate::world::pass(std::time::Duration::from_micros(micros as u64));
    micros
}

unsafe extern "C" fn current_time(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite's own variable.
    unsafe { *out = 2_460_000.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_millis(_: *mut sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: SQLite's own variable.
    unsafe { *out = 212_544_000_000_000 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}
