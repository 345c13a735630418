//! @NAME@: a writer of Level 0. Each batch becomes one file of JSON, as it came.
mod json;
mod level0;

use json::{quoted, Json};
use level0::{free, give, give_error, handle};
use std::os::raw::{c_char, c_void};
use std::io::Write;

struct Writer {
    base: Result<String, String>, // once an error, every call returns it: NULL would be success without a file
    n_files: u64,
}

/// Make a complete, durable file, and say which.
fn batch_write(writer: &mut Writer, records: &Json, text: &[u8]) -> Result<String, String> {
    let base = writer.base.clone()?;
    let n = if let Json::List(all) = records { all.len() } else { records.get("records").items().len() };
    let path = format!("{base}/@NAME@_{:06}.json", writer.n_files);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&path)?;
        file.write_all(text)?;
        file.sync_all()
    };
    write().map_err(|e| format!("{path}: {e}"))?;
    writer.n_files += 1;
    Ok(format!("[{{\"path\":{},\"size_bytes\":{},\"record_count\":{n}}}]", quoted(&path), text.len()))
}

#[no_mangle]
pub unsafe extern "C" fn create_writer(config: *const c_char) -> *mut c_void {
    let base = match Json::parse(config as *const u8) {
        None => Err("the configuration is no JSON".to_string()),
        Some((config, _)) => config.get("output_base").text().map(String::from).ok_or("output_base is missing".to_string()),
    };
    handle(Writer { base, n_files: 0 })
}

#[no_mangle]
pub unsafe extern "C" fn write_batch(handle: *mut c_void, records: *const c_char) -> *const c_char {
    let writer = match (handle as *mut Writer).as_mut() {
        None => return give_error("no writer"),
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
    free::<Writer>(handle);
}
