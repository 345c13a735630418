//! @NAME@: a reader of Level 0. A line of the file is a record: {"line": 1, "text": "..."}.
mod json;
mod level0;

use json::{path_of, quoted, unknown_option, Json};
use level0::{free, give, give_error, handle};
use std::os::raw::{c_char, c_void};
use std::fs::File;
use std::io::{BufRead, BufReader};

const BATCH: usize = 1000; // of a call; it ends at one of them
const BATCH_BYTES: usize = 1 << 24;

struct Reader {
    source: Result<BufReader<File>, String>, // once an error, every call returns it: NULL would be the end of the data
    line: u64,
    owner: u32, // a child of fork() would read on in the same file
}

const OPTIONS: &[&str] = &[]; // your own; option(config, "name") is the value of one

fn open(config: &Json) -> Result<BufReader<File>, String> {
    let path = path_of(config).map_err(|fault| format!("files[0].path {fault}"))?;
    if config.get("files").items().len() > 1 {
        return Err("there are several files: this reader reads one".to_string()); // rows that are not read are lost without a word
    }
    if let Some((place, _)) = unknown_option(config, OPTIONS) {
        return Err(format!("{place} is no option of this reader"));
    }
    File::open(path).map(BufReader::new).map_err(|e| format!("{path}: {e}"))
}

fn next_batch(reader: &mut Reader) -> Result<Option<String>, String> {
    let source = reader.source.as_mut().map_err(|e| e.clone())?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    let mut line = String::new();
    while records.len() < BATCH && bytes < BATCH_BYTES && source.read_line(&mut line).map_err(|e| format!("line {}: {e}", reader.line + 1))? > 0 {
        reader.line += 1;
        let text = line.strip_suffix('\n').unwrap_or(&line);
        records.push(format!("{{\"line\":{},\"text\":{}}}", reader.line, quoted(text)));
        bytes += line.len();
        line.clear();
    }
    Ok(if records.is_empty() { None } else { Some(format!("[{}]", records.join(","))) })
}

#[no_mangle]
pub unsafe extern "C" fn create_reader(config: *const c_char) -> *mut c_void {
    let source = match Json::parse(config as *const u8) {
        Some((config @ Json::Object(_), _)) => open(&config),
        _ => Err("the configuration is not a JSON object".to_string()),
    };
    handle(Reader { source, line: 0, owner: std::process::id() })
}

#[no_mangle]
pub unsafe extern "C" fn extract_batch(handle: *mut c_void) -> *const c_char {
    let reader = match (handle as *mut Reader).as_mut() {
        None => return give_error("no reader"),
        Some(reader) if reader.owner != std::process::id() => return give_error("the reader belongs to another process"),
        Some(reader) => reader,
    };
    match next_batch(reader) {
        Ok(None) => std::ptr::null(), // the end, and only the end
        Ok(Some(batch)) => give(batch),
        Err(e) => {
            reader.source = Err(e.clone());
            give_error(&e)
        }
    }
}

#[no_mangle]
pub unsafe extern "C" fn free_reader(handle: *mut c_void) {
    if (handle as *mut Reader).as_ref().map_or(false, |reader| reader.owner == std::process::id()) {
        free::<Reader>(handle);
    }
}
