//! @NAME@: a reader of Level 1. A line of the file is a row: its number, and its text. Replace the source.
mod json;
mod level1;
mod reader;

use json::{path_of, Json};
use level1::*;
use reader::{Column, Row, Source};
use std::os::raw::c_char;
use std::fs::File;
use std::io::{BufRead, BufReader};

struct Lines {
    path: String,
    file: BufReader<File>,
    line: i64,
    text: Vec<u8>,
}

impl Source for Lines {
    const OPTIONS: &'static [&'static str] = &["skip_lines"];

    fn open(config: &Json) -> Result<(Lines, Vec<Column>), Failure> {
        let path = path_of(config).map_err(|fault| failure(CONFIG, format!("files[0].path {fault}")))?;
        if config.get("files").items().len() > 1 {
            return Err(failure(UNSUPPORTED, "there are several files: this reader reads one".to_string()));
        }
        let file = File::open(path).map_err(|e| io_failure(path, &e))?;
        let mut lines = Lines { path: path.to_string(), file: BufReader::new(file), line: 0, text: Vec::new() };
        let skip = int_option(config, "skip_lines", 0..=i64::MAX, 0)?;
        while lines.line < skip && lines.line_read()? {}
        let columns = vec![
            Column { name: "line".to_string(), data: Type::Int64, not_null: true },
            Column { name: "text".to_string(), data: Type::Text, not_null: true },
        ];
        Ok((lines, columns))
    }

    fn next(&mut self, row: &mut Row) -> Result<bool, Failure> {
        let is_there = self.line_read()?;
        if is_there {
            let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
            let broken = |e: std::str::Utf8Error| failure(DATA, format!("line {}: byte {} is no UTF-8", self.line, e.valid_up_to()));
            row.int64(0, self.line);
            row.text(1, std::str::from_utf8(text).map_err(broken)?);
        }
        Ok(is_there)
    }
}

impl Lines {
    /// false: the end, and only the end.
    fn line_read(&mut self) -> Result<bool, Failure> {
        self.text.clear();
        let n = self.file.read_until(b'\n', &mut self.text).map_err(|e| io_failure(&self.path, &e))?;
        self.line += (n > 0) as i64;
        Ok(n > 0)
    }
}

type Mine = Lines; // what reader.rs makes a plugin of

static PLUGIN: Plugin = Plugin {
    struct_size: std::mem::size_of::<Plugin>() as u32,
    abi_version: ABI,
    name: b"@NAME@\0".as_ptr() as *const c_char,
    version: b"0.1.0\0".as_ptr() as *const c_char,
    description: b"the lines of a file\0".as_ptr() as *const c_char,
    get_extension: reader::extension,
    free_text,
};

#[no_mangle]
pub unsafe extern "C" fn dativo_plugin_get(host_abi: u32, err: *mut Error) -> *const Plugin {
    plugin_get(&PLUGIN, host_abi, err)
}
