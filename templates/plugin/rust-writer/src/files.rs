//! Names of files that are complete.
use std::fs::{self, File};
use std::io::{self, ErrorKind};

/// Give a file its name, and replace nothing: a link, and, on file systems that have no links, a rename that does the same. The hidden
/// name may be left.
pub fn name_give(hidden: &str, path: &str) -> io::Result<()> {
    const NO_LINKS: [i32; 3] = [1, 38, 95]; // EPERM, ENOSYS, EOPNOTSUPP
    match fs::hard_link(hidden, path) {
        Err(e) if cfg!(target_os = "linux") && NO_LINKS.contains(&e.raw_os_error().unwrap_or(0)) => rename_new(hidden, path),
        named => named,
    }
}

#[cfg(target_os = "linux")]
fn rename_new(hidden: &str, path: &str) -> io::Result<()> {
    use std::os::raw::{c_char, c_int, c_uint};
    extern "C" {
        fn renameat2(from_folder: c_int, from: *const c_char, to_folder: c_int, to: *const c_char, flags: c_uint) -> c_int;
    }
    const AT_FDCWD: c_int = -100;
    const RENAME_NOREPLACE: c_uint = 1;
    const NO_SUCH_RENAME: [i32; 3] = [22, 38, 95]; // EINVAL, ENOSYS, EOPNOTSUPP
    let (from, to) = (std::ffi::CString::new(hidden)?, std::ffi::CString::new(path)?);
    if unsafe { renameat2(AT_FDCWD, from.as_ptr(), AT_FDCWD, to.as_ptr(), RENAME_NOREPLACE) } == 0 {
        return Ok(());
    }
    let e = io::Error::last_os_error();
    if NO_SUCH_RENAME.contains(&e.raw_os_error().unwrap_or(0)) {
        return Err(io::Error::new(ErrorKind::Unsupported, "this file system has neither hard links nor renames that replace nothing"));
    }
    Err(e)
}

#[cfg(not(target_os = "linux"))]
fn rename_new(_hidden: &str, _path: &str) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// A name is durable when its folder is.
pub fn folder_sync(folder: &str) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
