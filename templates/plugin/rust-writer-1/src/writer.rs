//! A writer of Level 1 out of a Target, which gets rows. It is a part of your plugin: change what you like. Traps that it takes care
//! of: nothing is seen under the final name before commit(), and nothing is left without it; a file that is there is not replaced
//! unasked; batches are released whatever happens, and may begin anywhere in their buffers; a writer that failed stays failed; calls out
//! of order are errors; columns of types that it does not know are refused by name; a handle is of no use in a child of fork().
#![allow(dead_code)]
use crate::files::{folder_sync, name_give};
use crate::json::{quoted, Json};
use crate::level1::*;
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_void};
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};

pub struct Column {
    pub name: String,
    pub data: Type,
    format: String,
}

/// One value. Dates are days, timestamps microseconds.
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Date(i32),
    Timestamp(i64),
    Text(&'a str),
}

pub type Output = BufWriter<File>;

/// Your plugin: what gets rows. What fails in `out` becomes an error with `?`.
pub trait Target: Sized {
    /// Of engine.options, beside `overwrite`.
    const OPTIONS: &'static [&'static str];
    fn begin(config: &Json, columns: &[Column], out: &mut Output) -> Result<Self, Failure>;
    fn row(&mut self, columns: &[Column], cells: &[Cell], out: &mut Output) -> Result<(), Failure>;
    fn end(&mut self, out: &mut Output) -> Result<(), Failure>;
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Failure {
        io_failure("the output", &e)
    }
}

struct Writer {
    target: crate::Mine,
    out: Option<Output>, // None: finished
    columns: Vec<Column>,
    path: String,
    temporary: Option<Temporary>, // None: committed or aborted
    overwrite: bool,
    n_rows: i64,
    owner: u32,
    failed: Option<Failure>,
}

static OPENED: AtomicU64 = AtomicU64::new(0); // for names of temporary files

/// A file that is removed if it is not renamed.
struct Temporary(String);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Of a path, with its slash; a slash at the end is not passed over, as std::path does: what stands before it is no name of a file.
fn folder_of(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |slash| slash + 1)]
}

/// A hidden file in the same folder, under a short name: any name that the file system takes is good for `path`.
fn temporary_make(path: &str) -> io::Result<(Temporary, File)> {
    loop {
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let hidden = format!("{}.{}-{}-{number}.tmp", folder_of(path), env!("CARGO_PKG_NAME"), std::process::id());
        match fs::OpenOptions::new().write(true).create_new(true).open(&hidden) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => continue, // of a killed process that had this number
            file => return file.map(|file| (Temporary(hidden), file)),
        }
    }
}

/// Can there be such a file? Asked in open() already, and not only in commit(), when all is written.
fn path_check(path: &str, overwrite: bool) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(_) if !overwrite => Err(io::Error::new(ErrorKind::AlreadyExists, "the file exists")),
        Ok(there) if there.is_dir() => Err(io::Error::new(ErrorKind::Other, "it is a folder")),
        Ok(_) => Ok(()),
    }
}

fn type_of(format: &str) -> Option<Type> {
    Some(match format {
        "b" => Type::Bool,
        "c" | "C" | "s" | "S" | "i" | "I" | "l" => Type::Int64,
        "f" | "g" => Type::Float64,
        "tdD" => Type::Date,
        "u" | "U" | "vu" | "n" => Type::Text,
        "tsu:" => Type::Timestamp,
        _ if format.starts_with("tsu:") => Type::Timestamptz,
        _ => return None,
    })
}

unsafe fn columns_take(schema: *const ArrowSchema) -> Result<Vec<Column>, Failure> {
    let mut columns = Vec::new();
    for i in 0..(*schema).n_children as usize {
        let child = *(*schema).children.add(i);
        // Arrow lets a name be left out
        let name = if (*child).name.is_null() { String::new() } else { CStr::from_ptr((*child).name).to_string_lossy().into_owned() };
        let format = CStr::from_ptr((*child).format).to_string_lossy().into_owned();
        match type_of(&format) {
            Some(data) if (*child).dictionary.is_null() => columns.push(Column { name, data, format }),
            _ => return Err(failure(UNSUPPORTED, format!("column {name:?} is of a type that this writer does not take: {format}"))),
        }
    }
    Ok(columns)
}

unsafe fn buffer<T>(array: *const ArrowArray, i: usize) -> *const T {
    *(*array).buffers.add(i) as *const T
}

unsafe fn bit(bits: *const u8, at: usize) -> bool {
    *bits.add(at / 8) >> (at % 8) & 1 != 0
}

unsafe fn bytes_at<'a>(format: &str, array: *const ArrowArray, at: usize) -> &'a [u8] {
    let (p, len): (*const u8, usize) = match format {
        "u" => {
            let offsets: *const i32 = buffer(array, 1);
            (buffer::<u8>(array, 2).wrapping_add(*offsets.add(at) as usize), (*offsets.add(at + 1) - *offsets.add(at)) as usize)
        }
        "U" => {
            let offsets: *const i64 = buffer(array, 1);
            (buffer::<u8>(array, 2).wrapping_add(*offsets.add(at) as usize), (*offsets.add(at + 1) - *offsets.add(at)) as usize)
        }
        _ => {
            // a view: length, and the text itself or where it is
            let view = buffer::<u8>(array, 1).add(16 * at);
            let word = |i: usize| (view.add(4 * i) as *const i32).read_unaligned();
            let len = word(0) as usize;
            (if len <= 12 { view.add(4) } else { buffer::<u8>(array, 2 + word(2) as usize).add(word(3) as usize) }, len)
        }
    };
    if len == 0 { &[] } else { std::slice::from_raw_parts(p, len) }
}

unsafe fn cell_read<'a>(column: &Column, array: *const ArrowArray, row: usize) -> Result<Cell<'a>, Failure> {
    let at = row + (*array).offset as usize;
    let valid: *const u8 = if (*array).null_count != 0 && column.format != "n" { buffer(array, 0) } else { std::ptr::null() };
    if column.format == "n" || (!valid.is_null() && !bit(valid, at)) {
        return Ok(Cell::Null);
    }
    Ok(match column.format.as_str() {
        "b" => Cell::Bool(bit(buffer(array, 1), at)),
        "c" => Cell::Int(*buffer::<i8>(array, 1).add(at) as i64),
        "C" => Cell::Int(*buffer::<u8>(array, 1).add(at) as i64),
        "s" => Cell::Int(*buffer::<i16>(array, 1).add(at) as i64),
        "S" => Cell::Int(*buffer::<u16>(array, 1).add(at) as i64),
        "i" => Cell::Int(*buffer::<i32>(array, 1).add(at) as i64),
        "I" => Cell::Int(*buffer::<u32>(array, 1).add(at) as i64),
        "l" => Cell::Int(*buffer::<i64>(array, 1).add(at)),
        "f" => Cell::Float(*buffer::<f32>(array, 1).add(at) as f64),
        "g" => Cell::Float(*buffer::<f64>(array, 1).add(at)),
        "tdD" => Cell::Date(*buffer::<i32>(array, 1).add(at)),
        format if format.starts_with("ts") => Cell::Timestamp(*buffer::<i64>(array, 1).add(at)),
        format => match std::str::from_utf8(bytes_at(format, array, at)) {
            Ok(text) => Cell::Text(text),
            Err(e) => return Err(failure(DATA, format!("column {:?}: {e}", column.name))),
        },
    })
}

impl Writer {
    unsafe fn open(config: *const c_char, schema: *const ArrowSchema) -> Result<Writer, Failure> {
        let config = config_read(config, &["overwrite"], <crate::Mine as Target>::OPTIONS)?;
        let columns = columns_take(schema)?;
        let path = config.get("path").name().map_err(|fault| failure(CONFIG, format!("path {fault}")))?.to_string();
        let overwrite = bool_option(&config, "overwrite")?;
        let (temporary, file) = path_check(&path, overwrite).and_then(|_| temporary_make(&path)).map_err(|e| io_failure(&path, &e))?;
        let mut out = BufWriter::new(file);
        let target = guarded(|| <crate::Mine as Target>::begin(&config, &columns, &mut out))?;
        let (out, temporary, owner) = (Some(out), Some(temporary), std::process::id());
        Ok(Writer { target, out, columns, path, temporary, overwrite, n_rows: 0, owner, failed: None })
    }

    /// May this call be made now?
    fn check(&self, must_be_finished: bool) -> Result<(), Failure> {
        let wrong = |text: &str| Err(failure(INVALID, text.to_string()));
        match &self.failed {
            Some(why) => Err(why.clone()),
            None if self.owner != std::process::id() => wrong("the writer belongs to another process"),
            None if self.temporary.is_none() => wrong("the writer is committed or aborted"),
            None if must_be_finished && self.out.is_some() => wrong("finish() comes before commit()"),
            None if !must_be_finished && self.out.is_none() => wrong("the writer is finished"),
            None => Ok(()),
        }
    }

    unsafe fn append(&mut self, batch: *const ArrowArray) -> Result<(), Failure> {
        self.check(false)?;
        if (*batch).n_children as usize != self.columns.len() {
            let message = format!("a batch has {} columns, the writer {}", (*batch).n_children, self.columns.len());
            return Err(failure(INVALID, message));
        }
        let Writer { target, out, columns, n_rows, .. } = self;
        for row in 0..(*batch).length as usize {
            let number = *n_rows + 1;
            let mut write = || {
                let child = |i: usize| *(*batch).children.add(i);
                let at = row + (*batch).offset as usize;
                let cells = columns.iter().enumerate().map(|(i, c)| cell_read(c, child(i), at)).collect::<Result<Vec<_>, _>>()?;
                let out = out.as_mut().expect("it is not finished");
                target.row(columns, &cells, out)
            };
            guarded(&mut write).map_err(|e| Failure { row: number, ..e })?;
            *n_rows = number;
        }
        Ok(())
    }

    unsafe fn append_stream(&mut self, stream: *mut ArrowArrayStream) -> Result<(), Failure> {
        self.check(false)?;
        let broken = || failure(INVALID, "the stream has no functions".to_string());
        let (get_schema, get_next) = ((*stream).get_schema.ok_or_else(broken)?, (*stream).get_next.ok_or_else(broken)?);
        let mut schema: ArrowSchema = std::mem::zeroed();
        let mut failed = get_schema(stream, &mut schema);
        if failed == 0 {
            let other = columns_take(&schema);
            if let Some(release) = schema.release {
                release(&mut schema);
            }
            if !other?.iter().map(|c| &c.format).eq(self.columns.iter().map(|c| &c.format)) {
                return Err(failure(INVALID, "the stream has other columns than the writer".to_string()));
            }
        }
        while failed == 0 {
            let mut batch: ArrowArray = std::mem::zeroed();
            failed = get_next(stream, &mut batch);
            if failed == 0 && batch.release.is_none() {
                return Ok(());
            }
            if failed == 0 {
                self.append_moved(&mut batch)?;
            }
        }
        let text = (*stream).get_last_error.map_or(std::ptr::null(), |f| f(stream));
        let text = if text.is_null() { format!("errno {failed}") } else { CStr::from_ptr(text).to_string_lossy().into_owned() };
        Err(failure(DATA, format!("the stream of batches failed: {text}")))
    }

    /// The batch was moved here: it is released, whatever happens.
    unsafe fn append_moved(&mut self, batch: *mut ArrowArray) -> Result<(), Failure> {
        let result = self.append(batch);
        if let Some(release) = (*batch).release {
            release(batch);
        }
        result
    }

    fn finish(&mut self) -> Result<String, Failure> {
        self.check(false)?;
        let path = &self.path;
        let mut out = self.out.take().expect("it is not finished");
        guarded(|| self.target.end(&mut out))?;
        let file = out.into_inner().map_err(|e| io_failure(path, e.error()))?;
        file.sync_all().map_err(|e| io_failure(path, &e))?;
        let size = file.metadata().map_err(|e| io_failure(path, &e))?.len();
        Ok(format!("[{{\"path\":{},\"size_bytes\":{size},\"record_count\":{}}}]", quoted(path), self.n_rows))
    }

    /// No rename where nothing may be replaced: another process may have made the file meanwhile.
    fn commit(&mut self) -> Result<(), Failure> {
        self.check(true)?;
        let path = &self.path;
        let hidden = &self.temporary.as_ref().expect("it is there").0;
        let named = if self.overwrite { fs::rename(hidden, path) } else { name_give(hidden, path) };
        named.map_err(|e| io_failure(path, &e))?;
        self.temporary = None; // of a link the other name goes now
        let folder = if folder_of(path).is_empty() { "." } else { folder_of(path) };
        folder_sync(folder).map_err(|e| io_failure(path, &e))
    }

    /// The first failure stays the answer.
    unsafe fn answer<T>(&mut self, result: Result<T, Failure>, err: *mut Error) -> Result<T, i32> {
        result.map_err(|why| tell(self.failed.get_or_insert(why.of_file(&self.path)), err))
    }
}

unsafe extern "C" fn writer_open(config: *const c_char, schema: *const ArrowSchema, _host: *const Host, out: *mut *mut Writer, err: *mut Error) -> i32 {
    *out = std::ptr::null_mut();
    match Writer::open(config, schema) {
        Err(why) => tell(&why, err),
        Ok(writer) => {
            *out = Box::into_raw(Box::new(writer));
            0
        }
    }
}

unsafe extern "C" fn writer_append(writer: *mut Writer, batch: *mut ArrowArray, err: *mut Error) -> i32 {
    let result = (*writer).append_moved(batch);
    (*writer).answer(result, err).map_or_else(|code| code, |_| 0)
}

unsafe extern "C" fn writer_append_stream(writer: *mut Writer, stream: *mut ArrowArrayStream, err: *mut Error) -> i32 {
    let result = (*writer).append_stream(stream);
    (*writer).answer(result, err).map_or_else(|code| code, |_| 0)
}

unsafe extern "C" fn writer_finish(writer: *mut Writer, out: *mut *mut c_char, err: *mut Error) -> i32 {
    *out = std::ptr::null_mut();
    let result = (*writer).finish();
    match (*writer).answer(result, err) {
        Err(code) => code,
        Ok(manifest) => {
            *out = CString::new(manifest).expect("no NUL").into_raw();
            0
        }
    }
}

unsafe extern "C" fn writer_commit(writer: *mut Writer, err: *mut Error) -> i32 {
    let result = (*writer).commit();
    (*writer).answer(result, err).map_or_else(|code| code, |_| 0)
}

unsafe extern "C" fn writer_abort(writer: *mut Writer) {
    if !writer.is_null() && (*writer).owner == std::process::id() {
        (*writer).temporary = None;
    }
}

unsafe extern "C" fn writer_close(writer: *mut Writer) {
    if !writer.is_null() && (*writer).owner == std::process::id() {
        drop(Box::from_raw(writer));
    }
}

/// struct dativo_writer_v1
#[repr(C)]
struct Table {
    struct_size: u32,
    reserved: u32,
    open: unsafe extern "C" fn(*const c_char, *const ArrowSchema, *const Host, *mut *mut Writer, *mut Error) -> i32,
    append: unsafe extern "C" fn(*mut Writer, *mut ArrowArray, *mut Error) -> i32,
    append_stream: unsafe extern "C" fn(*mut Writer, *mut ArrowArrayStream, *mut Error) -> i32,
    finish: unsafe extern "C" fn(*mut Writer, *mut *mut c_char, *mut Error) -> i32,
    commit: unsafe extern "C" fn(*mut Writer, *mut Error) -> i32,
    abort: unsafe extern "C" fn(*mut Writer),
    close: unsafe extern "C" fn(*mut Writer),
}

static TABLE: Table = Table {
    struct_size: std::mem::size_of::<Table>() as u32,
    reserved: 0,
    open: writer_open,
    append: writer_append,
    append_stream: writer_append_stream,
    finish: writer_finish,
    commit: writer_commit,
    abort: writer_abort,
    close: writer_close,
};

pub unsafe extern "C" fn extension(name: *const c_char) -> *const c_void {
    if is_named(name, "dativo.writer/1") {
        return &TABLE as *const Table as *const c_void;
    }
    std::ptr::null()
}
