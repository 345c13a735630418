//! @NAME@: a reader of Level 0. A line of the file is a record: {"line": 1, "text": "..."}.
mod json;
mod level0;

use json::{quoted, Json};
use level0::{free, give, give_error, handle};
use std::os::raw::{c_char, c_void};
use std::fs::File;
use std::io::{BufRead, BufReader};

const BATCH: usize = 1000;

struct Reader {
    source: Result<BufReader<File>, String>, // once an error, every call returns it: NULL would be the end of the data
    line: u64,
}

fn open(config: &Json) -> Result<BufReader<File>, String> {
    let files = config.get("files").items();
    let path = files.first().and_then(|f| f.get("path").text()).ok_or("files[0].path is missing")?;
    if files.len() > 1 {
        return Err("there are several files: this reader reads one".to_string()); // rows that are not read are lost without a word
    }
    if let Some((name, _)) = config.get("engine").get("options").members().iter().find(|(name, _)| name != "native") {
        return Err(format!("engine.options.{name}: this reader has no options"));
    }
    File::open(path).map(BufReader::new).map_err(|e| format!("{path}: {e}"))
}

fn next_batch(reader: &mut Reader) -> Result<Option<String>, String> {
    let source = reader.source.as_mut().map_err(|e| e.clone())?;
    let mut records = Vec::new();
    let mut line = String::new();
    while records.len() < BATCH && source.read_line(&mut line).map_err(|e| format!("line {}: {e}", reader.line + 1))? > 0 {
        reader.line += 1;
        let text = line.strip_suffix('\n').unwrap_or(&line);
        records.push(format!("{{\"line\":{},\"text\":{}}}", reader.line, quoted(text)));
        line.clear();
    }
    Ok(if records.is_empty() { None } else { Some(format!("[{}]", records.join(","))) })
}

#[no_mangle]
pub unsafe extern "C" fn create_reader(config: *const c_char) -> *mut c_void {
    let source = match Json::parse(config as *const u8) {
        None => Err("the configuration is no JSON".to_string()),
        Some((config, _)) => open(&config),
    };
    handle(Reader { source, line: 0 })
}

#[no_mangle]
pub unsafe extern "C" fn extract_batch(handle: *mut c_void) -> *const c_char {
    let reader = match (handle as *mut Reader).as_mut() {
        None => return give_error("no reader"),
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
    free::<Reader>(handle);
}
