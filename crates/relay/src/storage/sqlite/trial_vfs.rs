//! A file layer of SQLite that makes the disk as bad as disks are: for fault trials and measurements, never in a release.
//!
//! `SHOPBELL_DISK` says what is wrong, several things with commas: `hold` keeps writes in memory until they are synced, so that the end
//! of the process is a power cut; `sync-ms=N` makes every sync take so much longer; `fail-sync=K` lets the K-th sync fail and loses
//! what it should have kept, though later syncs are fine, as systems do it; `fail-write=K` the K-th write; `full-after=N` answers that
//! the disk is full once files have grown by N bytes.
//!
//! Invariant: what is held is seen by every reader of this process and by nobody else; it reaches the file in the order of writing, at a
//! sync. The index of the log (shared memory) passes through: SQLite makes it anew after a crash. The core has the same need and
//! includes this file.
#![allow(unsafe_code, reason = "SQLite's file layer is a table of C functions")]

use std::{
    collections::HashMap,
    ffi::{CStr, c_int, c_void},
    mem::size_of,
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use libsqlite3_sys as ffi;

const NAME: &CStr = c"shopbell-trial";

/// Registers the layer when `SHOPBELL_DISK` asks for it; answers its name.
pub(crate) fn chosen() -> Option<&'static str> {
    static READY: OnceLock<bool> = OnceLock::new();
    let asked = wrong().is_some();
    (asked && *READY.get_or_init(register)).then_some("shopbell-trial")
}

#[derive(Default)]
struct Wrong {
    hold: bool,
    sync_ms: u64,
    fail_sync: u64,
    fail_write: u64,
    full_after: Option<i64>,
    syncs: AtomicU64,
    writes: AtomicU64,
    grown: AtomicI64,
}

fn wrong() -> Option<&'static Wrong> {
    static WRONG: OnceLock<Option<Wrong>> = OnceLock::new();
    WRONG
        .get_or_init(|| {
            let text = std::env::var("SHOPBELL_DISK").ok()?;
            let mut wrong = Wrong::default();
            for word in text.split(',') {
                let (name, number) = word.split_once('=').unwrap_or((word, "0"));
                let number: u64 = number.parse().unwrap_or(0);
                match name {
                    "hold" => wrong.hold = true,
                    "sync-ms" => wrong.sync_ms = number,
                    "fail-sync" => wrong.fail_sync = number,
                    "fail-write" => wrong.fail_write = number,
                    "full-after" => wrong.full_after = i64::try_from(number).ok(),
                    _ => return None,
                }
            }
            Some(wrong)
        })
        .as_ref()
}

fn register() -> bool {
    // SAFETY: the default layer lives as long as the process, and so does the copy, which is leaked. Its other functions ask nothing of
    // the layer they are called with but `pAppData`, which is the default's own.
    unsafe {
        let default = ffi::sqlite3_vfs_find(ptr::null());
        if default.is_null() {
            return false;
        }
        let mut layer = *default;
        layer.zName = NAME.as_ptr();
        layer.szOsFile += offset() as c_int;
        layer.pNext = ptr::null_mut();
        layer.xOpen = Some(open);
        ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 0) == ffi::SQLITE_OK
    }
}

/// An open file of ours. The default layer's own lies behind it.
#[repr(C)]
struct Open {
    methods: *const ffi::sqlite3_io_methods,
    held: *const Mutex<Held>,
}

/// Where the default layer's file begins.
const fn offset() -> usize {
    size_of::<Open>().next_multiple_of(16)
}

/// What is not on disk of one file.
#[derive(Default)]
struct Held {
    waiting: Vec<Change>,
    /// A sync failed: these never get there.
    lost: Vec<Change>,
}

enum Change {
    Write(i64, Vec<u8>),
    Truncate(i64),
}

type Files = Mutex<HashMap<Vec<u8>, Arc<Mutex<Held>>>>;

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(Files::default)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    fn all(&self) -> impl Iterator<Item = &Change> {
        // Lost ones are older.
        self.lost.iter().chain(&self.waiting)
    }

    fn size(&self, on_disk: i64) -> i64 {
        self.all().fold(on_disk, |size, change| match change {
            Change::Write(at, bytes) => size.max(at + bytes.len() as i64),
            Change::Truncate(to) => *to,
        })
    }

    /// Lays what is held over what was read from the file at `at`.
    fn lay_over(&self, at: i64, out: &mut [u8]) {
        let end = at + out.len() as i64;
        for change in self.all() {
            match change {
                Change::Write(from, bytes) => {
                    let (first, last) = ((*from).max(at), (from + bytes.len() as i64).min(end));
                    if first < last {
                        let (to, source) = ((first - at) as usize, (first - from) as usize);
                        let length = (last - first) as usize;
                        out[to..to + length].copy_from_slice(&bytes[source..source + length]);
                    }
                }
                Change::Truncate(to) => {
                    let first = (*to).clamp(at, end);
                    out[(first - at) as usize..].fill(0);
                }
            }
        }
    }
}

/// SAFETY of all below: SQLite calls them with a file that [`open`] made, from one thread at a time for each file.
unsafe fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    unsafe { file.cast::<u8>().add(offset()).cast() }
}

unsafe fn held<'a>(file: *mut ffi::sqlite3_file) -> MutexGuard<'a, Held> {
    unsafe { lock(&*(*file.cast::<Open>()).held) }
}

/// Calls the same function of the default layer's file.
macro_rules! through {
    ($file:expr, $name:ident $(, $argument:expr)*) => {{
        let real = real($file);
        match (*(*real).pMethods).$name {
            Some(call) => call(real $(, $argument)*),
            None => ffi::SQLITE_IOERR,
        }
    }};
}

/// Writes a change to the file.
unsafe fn put(file: *mut ffi::sqlite3_file, change: &Change) -> c_int {
    unsafe {
        match change {
            Change::Write(at, bytes) => {
                through!(
                    file,
                    xWrite,
                    bytes.as_ptr().cast(),
                    bytes.len() as c_int,
                    *at
                )
            }
            Change::Truncate(size) => through!(file, xTruncate, *size),
        }
    }
}

unsafe extern "C" fn open(
    _layer: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    unsafe {
        (*file).pMethods = ptr::null();
        let default = ffi::sqlite3_vfs_find(ptr::null());
        let Some(call) = (*default).xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        (*real(file)).pMethods = ptr::null();
        let code = call(default, name, real(file), flags, out_flags);
        if (*real(file)).pMethods.is_null() {
            return code;
        }
        let shared = match name.is_null() {
            true => Arc::default(),
            false => {
                let name = CStr::from_ptr(name).to_bytes().to_vec();
                Arc::clone(lock(files()).entry(name).or_default())
            }
        };
        (*file.cast::<Open>()).held = Arc::into_raw(shared);
        (*file).pMethods = &raw const METHODS;
        code
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    unsafe {
        let held = Arc::from_raw((*file.cast::<Open>()).held);
        let mut files = lock(files());
        // Held here and in the table: the last to close leaves it to the system, which writes it some time.
        if Arc::strong_count(&held) == 2 {
            for change in lock(&held).waiting.drain(..) {
                put(file, &change);
            }
            files.retain(|_, other| !Arc::ptr_eq(other, &held));
        }
        drop(files);
        let code = through!(file, xClose);
        (*file).pMethods = ptr::null();
        code
    }
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    amount: c_int,
    at: i64,
) -> c_int {
    unsafe {
        let held = held(file);
        let mut on_disk = 0;
        let code = through!(file, xRead, out, amount, at);
        if held.all().next().is_none()
            || (code != ffi::SQLITE_OK && code != ffi::SQLITE_IOERR_SHORT_READ)
        {
            return code;
        }
        let sized = through!(file, xFileSize, &raw mut on_disk);
        if sized != ffi::SQLITE_OK {
            return sized;
        }
        // SAFETY: SQLite gives room for `amount` bytes, and a short read has filled the rest with zeros.
        let bytes = std::slice::from_raw_parts_mut(out.cast::<u8>(), amount as usize);
        held.lay_over(at, bytes);
        if held.size(on_disk) < at + i64::from(amount) {
            return ffi::SQLITE_IOERR_SHORT_READ;
        }
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    amount: c_int,
    at: i64,
) -> c_int {
    unsafe {
        let Some(wrong) = wrong() else {
            return through!(file, xWrite, bytes, amount, at);
        };
        if wrong.writes.fetch_add(1, Ordering::SeqCst) + 1 == wrong.fail_write {
            return ffi::SQLITE_IOERR_WRITE;
        }
        if let Some(full_after) = wrong.full_after {
            let mut size = 0;
            let sized = file_size(file, &raw mut size);
            if sized != ffi::SQLITE_OK {
                return sized;
            }
            let more = (at + i64::from(amount) - size).max(0);
            if more > 0 && wrong.grown.fetch_add(more, Ordering::SeqCst) + more > full_after {
                wrong.grown.fetch_sub(more, Ordering::SeqCst);
                return ffi::SQLITE_FULL;
            }
        }
        if !wrong.hold {
            return through!(file, xWrite, bytes, amount, at);
        }
        // SAFETY: SQLite gives `amount` bytes.
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), amount as usize).to_vec();
        held(file).waiting.push(Change::Write(at, bytes));
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    unsafe {
        if wrong().is_some_and(|wrong| wrong.hold) {
            held(file).waiting.push(Change::Truncate(size));
            return ffi::SQLITE_OK;
        }
        through!(file, xTruncate, size)
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    unsafe {
        let Some(wrong) = wrong() else {
            return through!(file, xSync, flags);
        };
        if wrong.sync_ms > 0 {
            std::thread::sleep(Duration::from_millis(wrong.sync_ms));
        }
        let mut held = held(file);
        if wrong.syncs.fetch_add(1, Ordering::SeqCst) + 1 == wrong.fail_sync {
            let lost = std::mem::take(&mut held.waiting);
            held.lost.extend(lost);
            return ffi::SQLITE_IOERR_FSYNC;
        }
        let waiting = std::mem::take(&mut held.waiting);
        for change in &waiting {
            let code = put(file, change);
            if code != ffi::SQLITE_OK {
                return code;
            }
        }
        if !held.lost.is_empty() {
            // What was lost is still believed, and must not hide what is newer.
            held.lost.extend(waiting);
        }
        through!(file, xSync, flags)
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    unsafe {
        let code = through!(file, xFileSize, size);
        if code == ffi::SQLITE_OK {
            *size = held(file).size(*size);
        }
        code
    }
}

unsafe extern "C" fn take_lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    unsafe { through!(file, xLock, level) }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    unsafe { through!(file, xUnlock, level) }
}

unsafe extern "C" fn is_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    unsafe { through!(file, xCheckReservedLock, out) }
}

unsafe extern "C" fn control(
    file: *mut ffi::sqlite3_file,
    verb: c_int,
    argument: *mut c_void,
) -> c_int {
    // Room is not taken ahead: a size that only the default layer knows would be no size.
    if verb == ffi::SQLITE_FCNTL_SIZE_HINT || verb == ffi::SQLITE_FCNTL_CHUNK_SIZE {
        return ffi::SQLITE_OK;
    }
    unsafe { through!(file, xFileControl, verb, argument) }
}

unsafe extern "C" fn sector(file: *mut ffi::sqlite3_file) -> c_int {
    unsafe { through!(file, xSectorSize) }
}

unsafe extern "C" fn traits(file: *mut ffi::sqlite3_file) -> c_int {
    unsafe { through!(file, xDeviceCharacteristics) }
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    unsafe { through!(file, xShmMap, region, size, extend, out) }
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    from: c_int,
    many: c_int,
    flags: c_int,
) -> c_int {
    unsafe { through!(file, xShmLock, from, many, flags) }
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    unsafe {
        let real = real(file);
        if let Some(call) = (*(*real).pMethods).xShmBarrier {
            call(real);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    unsafe { through!(file, xShmUnmap, delete) }
}

/// Version 2: no files mapped into memory, where writes could not be held.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(take_lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(is_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(traits),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
