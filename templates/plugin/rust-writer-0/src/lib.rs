//! @NAME@: a writer of Level 0. Each batch becomes one file of JSON, as it came.
use std::ffi::{c_char, c_void, CStr, CString};

struct Writer {
    base: Result<String, String>, // once an error, every call returns it: NULL would be success without a file
    n_files: u64,
}

/// The text of a key. Of JSON's escapes only those that paths need are understood; a crate such as serde_json knows all.
fn text_of(json: &str, key: &str) -> Option<String> {
    let rest = json.split_once(&format!("\"{key}\""))?.1.split_once('"')?.1;
    let mut out = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => match chars.next()? {
                'u' => return None,
                c => out.push(c),
            },
            c => out.push(c),
        }
    }
}

/// How many records {"records":[{...},...]} holds; None: it is cut off. Objects at depth 3 are the records.
fn count_records(json: &str) -> Option<u64> {
    let (mut n, mut depth, mut in_text) = (0, 0, false);
    let mut bytes = json.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'\\' if in_text => {
                bytes.next()?;
            }
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                n += (depth == 3 && b == b'{') as u64;
            }
            b'}' | b']' if !in_text => {
                depth -= 1;
                if depth == 0 {
                    return Some(n);
                }
            }
            _ => {}
        }
    }
    None
}

fn batch_write(writer: &mut Writer, json: &str) -> Result<String, String> {
    let base = writer.base.clone()?;
    let n = count_records(json).ok_or("the records are cut off")?;
    let path = format!("{base}/@NAME@_{:06}.json", writer.n_files);
    std::fs::write(&path, json).map_err(|e| format!("{path}: {e}"))?;
    writer.n_files += 1;
    Ok(format!("[{{\"path\":{path:?},\"size_bytes\":{},\"record_count\":{n}}}]", json.len()))
}

fn give(text: String) -> *const c_char {
    CString::new(text).expect("no NUL").into_raw()
}

#[no_mangle]
pub unsafe extern "C" fn create_writer(config: *const c_char) -> *mut c_void {
    let config = if config.is_null() { "".into() } else { CStr::from_ptr(config).to_string_lossy() };
    let base = text_of(&config, "output_base").ok_or("output_base is missing, or has a \\u escape".to_string());
    Box::into_raw(Box::new(Writer { base, n_files: 0 })) as *mut c_void
}

#[no_mangle]
pub unsafe extern "C" fn write_batch(handle: *mut c_void, records: *const c_char) -> *const c_char {
    let result = match (handle as *mut Writer).as_mut() {
        None => Err("no writer".to_string()),
        Some(writer) => {
            let result = batch_write(writer, &CStr::from_ptr(records).to_string_lossy());
            if let Err(e) = &result {
                writer.base = Err(e.clone());
            }
            result
        }
    };
    match result {
        Ok(files) => give(files),
        Err(e) => give(format!("DATIVO_PLUGIN_ERROR {{\"code\":\"io\",\"message\":{e:?}}}")),
    }
}

#[no_mangle]
pub unsafe extern "C" fn free_writer(handle: *mut c_void) {
    if !handle.is_null() {
        drop(Box::from_raw(handle as *mut Writer));
    }
}

#[no_mangle]
pub unsafe extern "C" fn free_string(text: *const c_char) {
    if !text.is_null() {
        drop(CString::from_raw(text as *mut c_char));
    }
}
