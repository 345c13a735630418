//! @NAME@: a reader of Level 0. A line of the file is a record: {"line": 1, "text": "..."}.
use std::ffi::{c_char, c_void, CStr, CString};
use std::fs::File;
use std::io::{BufRead, BufReader};

const BATCH: usize = 1000;

struct Reader {
    source: Result<BufReader<File>, String>, // once an error, every call returns it: NULL would be the end of the data
    line: u64,
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

fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '\0'..='\x1f' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

fn open(config: &str) -> Result<BufReader<File>, String> {
    let path = text_of(config, "path").ok_or("files[0].path is missing, or has a \\u escape")?;
    File::open(&path).map(BufReader::new).map_err(|e| format!("{path}: {e}"))
}

fn next_batch(reader: &mut Reader) -> Result<Option<String>, String> {
    let source = reader.source.as_mut().map_err(|e| e.clone())?;
    let mut records = Vec::new();
    let mut line = String::new();
    while records.len() < BATCH && source.read_line(&mut line).map_err(|e| format!("line {}: {e}", reader.line + 1))? > 0 {
        reader.line += 1;
        records.push(format!("{{\"line\":{},\"text\":{}}}", reader.line, json_text(line.trim_end_matches('\n'))));
        line.clear();
    }
    Ok(if records.is_empty() { None } else { Some(format!("[{}]", records.join(","))) })
}

fn give(text: String) -> *const c_char {
    CString::new(text).expect("no NUL").into_raw()
}

#[no_mangle]
pub unsafe extern "C" fn create_reader(config: *const c_char) -> *mut c_void {
    let config = if config.is_null() { "".into() } else { CStr::from_ptr(config).to_string_lossy() };
    Box::into_raw(Box::new(Reader { source: open(&config), line: 0 })) as *mut c_void
}

#[no_mangle]
pub unsafe extern "C" fn extract_batch(handle: *mut c_void) -> *const c_char {
    let result = match (handle as *mut Reader).as_mut() {
        None => Err("no reader".to_string()),
        Some(reader) => {
            let result = next_batch(reader);
            if let Err(e) = &result {
                reader.source = Err(e.clone());
            }
            result
        }
    };
    match result {
        Ok(None) => std::ptr::null(), // the end, and only the end
        Ok(Some(batch)) => give(batch),
        Err(e) => give(format!("DATIVO_PLUGIN_ERROR {{\"code\":\"io\",\"message\":{}}}", json_text(&e))),
    }
}

#[no_mangle]
pub unsafe extern "C" fn free_reader(handle: *mut c_void) {
    if !handle.is_null() {
        drop(Box::from_raw(handle as *mut Reader));
    }
}

#[no_mangle]
pub unsafe extern "C" fn free_string(text: *const c_char) {
    if !text.is_null() {
        drop(CString::from_raw(text as *mut c_char));
    }
}
