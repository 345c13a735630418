//! @NAME@: a writer of Level 0. Each batch becomes one file of JSON, as it came.
mod files;
mod json;
mod level0;

use files::{folder_sync, name_give};
use json::{quoted, unknown_option, Json};
use level0::{free, give, give_error, handle};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::raw::{c_char, c_void};
use std::sync::atomic::{AtomicU64, Ordering};

struct Writer {
    base: Result<String, String>, // once an error, every call returns it: NULL would be success without a file
    n_files: i64,
    owner: u32,
}

static OPENED: AtomicU64 = AtomicU64::new(0); // for names of hidden files

/// A complete, durable file under a name that nobody looks for; none if that fails. Of a killed process such a one may be left.
fn file_write(base: &str, text: &[u8]) -> io::Result<String> {
    loop {
        let hidden = format!("{base}/.@NAME@-{}-{}.tmp", std::process::id(), OPENED.fetch_add(1, Ordering::Relaxed));
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&hidden) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
            file => file?,
        };
        return match file.write_all(text).and_then(|_| file.sync_all()) {
            Ok(()) => Ok(hidden),
            Err(e) => fs::remove_file(&hidden).and(Err(e)),
        };
    }
}

/// The name of its batch for it, or, where that is taken, the next free one, whatever other writers do meanwhile.
/// So a job that runs again adds files. A real writer knows which of them an earlier run left, by a list with a lock on it, and removes
/// those when the new run has ended well, not before.
fn file_name(hidden: &str, base: &str, counter: i64) -> io::Result<String> {
    let mut path = format!("{base}/@NAME@_{counter:06}.json");
    let mut named = name_give(hidden, &path);
    for i in 1..i32::MAX {
        match &named {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => path = format!("{base}/@NAME@_{counter:06}-{i}.json"),
            _ => break,
        }
        named = name_give(hidden, &path);
    }
    let _ = fs::remove_file(hidden);
    named.map(|_| path)
}

/// {"records":[...],"file_counter":n}, or the list alone: make a file of it, and say which.
fn batch_write(writer: &mut Writer, batch: &Json, text: &[u8]) -> Result<String, String> {
    let base = writer.base.clone()?;
    let records = if let Json::Object(_) = batch { batch.get("records") } else { batch };
    let n = records.items().len();
    if !matches!(records, Json::List(_)) || !records.items().iter().all(|record| matches!(record, Json::Object(_))) {
        return Err("the records are no list of objects".to_string());
    }
    let counter = match (batch.get("file_counter"), batch.get("file_counter").int()) {
        (Json::Null, _) => writer.n_files,
        (_, Some(counter)) if counter >= 0 => counter,
        _ => return Err("file_counter must be from 0 on".to_string()),
    };
    let path = file_write(&base, text).and_then(|hidden| file_name(&hidden, &base, counter)).map_err(|e| format!("{base}: {e}"))?;
    folder_sync(&base).map_err(|e| format!("{base}: {e}"))?;
    writer.n_files += 1;
    Ok(format!("[{{\"path\":{},\"size_bytes\":{},\"record_count\":{n}}}]", quoted(&path), text.len()))
}

const OPTIONS: [&str; 0] = []; // your own; option(&config, "name") is the value of one

#[no_mangle]
pub unsafe extern "C" fn create_writer(config: *const c_char) -> *mut c_void {
    let base = match Json::parse(config as *const u8) {
        Some((config @ Json::Object(_), _)) => match unknown_option(&config, &OPTIONS) {
            Some((place, _)) => Err(format!("{place} is no option of this writer")),
            None => config.get("output_base").name().map(str::to_string).map_err(|fault| format!("output_base {fault}")),
        },
        _ => Err("the configuration is not a JSON object".to_string()),
    };
    handle(Writer { base, n_files: 0, owner: std::process::id() })
}

#[no_mangle]
pub unsafe extern "C" fn write_batch(handle: *mut c_void, records: *const c_char) -> *const c_char {
    let writer = match (handle as *mut Writer).as_mut() {
        None => return give_error("no writer"),
        Some(writer) if writer.owner != std::process::id() => return give_error("the writer belongs to another process"),
        Some(writer) => writer,
    };
    let result = match Json::parse(records as *const u8) {
        None => Err("the records are no JSON".to_string()),
        Some((value, len)) => batch_write(writer, &value, std::slice::from_raw_parts(records as *const u8, len)),
    };
    result.map_or_else(
        |e| {
            writer.base = Err(e.clone());
            give_error(&e)
        },
        give,
    )
}

#[no_mangle]
pub unsafe extern "C" fn free_writer(handle: *mut c_void) {
    if (handle as *mut Writer).as_ref().map_or(false, |writer| writer.owner == std::process::id()) {
        free::<Writer>(handle);
    }
}
