//! A reader of Level 1 out of a Source, which gives rows. It is a part of your plugin: change what you like. Traps that it takes care
//! of: batches own their memory, and outlive the reader; bitmap, null_count and offsets agree; texts of a batch stay below what 32-bit
//! offsets reach; a failed or cancelled stream stays so; an empty batch is never the end; the columns, types and required values that
//! a job asks for are kept, or refused; a handle is of no use in a child of fork().
#![allow(dead_code)]
use crate::json::{option, path_of, Json};
use crate::level1::*;
use std::ffi::CString;
use std::os::raw::{c_char, c_void};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

const BATCH_ROWS: i64 = 8192;
const BATCH_TEXT_BYTES: usize = 1 << 24; // a batch ends at one of them

pub struct Column {
    pub name: String,
    pub data: Type,
    pub not_null: bool, // a row without it is an error
}

/// Your plugin: what gives rows.
pub trait Source: Sized {
    /// Of engine.options, beside those of every reader.
    const OPTIONS: &'static [&'static str];
    /// Open what the configuration says; the columns are those of the source, in its order.
    fn open(config: &Json) -> Result<(Self, Vec<Column>), Failure>;
    /// Put the cells of one row, and return true; false: there is none left. A cell that is not put is null.
    fn next(&mut self, row: &mut Row) -> Result<bool, Failure>;
}

enum Values {
    Bits(Vec<u8>),
    Days(Vec<i32>),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Vec<i32>, Vec<u8>), // offsets, one more than rows
}

struct Cells {
    values: Values,
    valid: Vec<u8>, // a bit a row
    n_nulls: i64,
    is_put: bool, // in this row
}

impl Cells {
    fn new(data: Type) -> Cells {
        let values = match data {
            Type::Bool => Values::Bits(Vec::new()),
            Type::Date => Values::Days(Vec::new()),
            Type::Int64 | Type::Timestamp | Type::Timestamptz => Values::Ints(Vec::new()),
            Type::Float64 => Values::Floats(Vec::new()),
            Type::Text => Values::Texts(vec![0], Vec::new()),
        };
        Cells { values, valid: Vec::new(), n_nulls: 0, is_put: false }
    }

    fn row_end(&mut self, row: usize) {
        if row % 8 == 0 {
            self.valid.push(0);
        }
        self.valid[row / 8] |= (self.is_put as u8) << (row % 8);
        self.n_nulls += !self.is_put as i64;
        let is_null = !self.is_put;
        self.is_put = false;
        match &mut self.values {
            Values::Bits(bits) if is_null => bits.resize(row / 8 + 1, 0),
            Values::Days(days) if is_null => days.push(0),
            Values::Ints(ints) if is_null => ints.push(0),
            Values::Floats(floats) if is_null => floats.push(0.0),
            Values::Texts(offsets, bytes) => offsets.push(bytes.len() as i32),
            _ => {}
        }
    }
}

/// The row that is filled in; columns are numbered as the source has them.
pub struct Row<'a> {
    cells: &'a mut [Cells],
    columns: &'a [Column],
    place: &'a [Option<usize>], // of each column of the source among those that the job wants
    row: usize,
    failed: Option<Failure>,
}

impl Row<'_> {
    fn take(&mut self, column: usize, what: &str) -> Option<&mut Values> {
        let cells = &mut self.cells[self.place[column]?];
        let own = self.columns[column].data;
        let fits = matches!(
            (&cells.values, what),
            (Values::Bits(_), "bool") | (Values::Days(_), "date") | (Values::Ints(_), "int64") | (Values::Floats(_), "float64") | (Values::Texts(..), "string")
        );
        if !fits || cells.is_put {
            let wrong = if fits { "was put twice".to_string() } else { format!("is {own:?}: a {what} was put there") };
            self.failed.get_or_insert(failure(INTERNAL, format!("column {:?} {wrong}", self.columns[column].name)));
            return None;
        }
        cells.is_put = true;
        Some(&mut cells.values)
    }

    pub fn bool(&mut self, column: usize, value: bool) {
        let row = self.row;
        if let Some(Values::Bits(bits)) = self.take(column, "bool") {
            bits.resize(row / 8 + 1, 0);
            bits[row / 8] |= (value as u8) << (row % 8);
        }
    }

    /// Of timestamps: microseconds.
    pub fn int64(&mut self, column: usize, value: i64) {
        if let Some(Values::Ints(ints)) = self.take(column, "int64") {
            ints.push(value);
        }
    }

    pub fn float64(&mut self, column: usize, value: f64) {
        if let Some(Values::Floats(floats)) = self.take(column, "float64") {
            floats.push(value);
        }
    }

    pub fn date(&mut self, column: usize, days: i32) {
        if let Some(Values::Days(all)) = self.take(column, "date") {
            all.push(days);
        }
    }

    pub fn text(&mut self, column: usize, text: &str) {
        let mut is_too_long = false;
        if let Some(Values::Texts(_, bytes)) = self.take(column, "string") {
            is_too_long = text.len() > i32::MAX as usize - bytes.len();
            if !is_too_long {
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        if is_too_long {
            let message = format!("column {:?}: a text of {} bytes does not fit into a batch", self.columns[column].name, text.len());
            self.failed.get_or_insert(failure(UNSUPPORTED, message));
        }
    }
}

/// A column that is handed out.
struct Wanted {
    name: String,
    data: Type,
    not_null: bool,
}

struct Reader {
    source: crate::Mine,
    path: String, // of the source, if it is one file
    columns: Vec<Column>,
    place: Vec<Option<usize>>,
    wanted: Vec<Wanted>,
    batch_rows: i64,
    host: Option<Host>,
    cancelled: AtomicBool,
    rows_done: AtomicI64,
    at_end: bool,
    owner: u32,
    failed: Option<(Failure, CString)>,
}

impl Reader {
    fn fail(&mut self, why: Failure) {
        let why = why.of_file(&self.path);
        let text = CString::new(why.message.replace('\0', " ")).unwrap_or_default();
        self.failed.get_or_insert((why, text));
    }

    fn check(&mut self) -> bool {
        let host_stops = self.host.map_or(false, |h| h.cancelled.map_or(false, |f| unsafe { f(h.ctx) } != 0));
        if self.failed.is_none() && self.owner != std::process::id() {
            self.fail(failure(INVALID, "the reader belongs to another process".to_string()));
        } else if self.failed.is_none() && (host_stops || self.cancelled.load(Ordering::Relaxed)) {
            self.fail(failure(CANCELLED, "stopped on request".to_string()));
        }
        self.failed.is_none()
    }

    /// One row into the batch; false: there is none left.
    fn row_read(&mut self, cells: &mut [Cells], row: usize) -> Result<bool, Failure> {
        let number = self.rows_done.load(Ordering::Relaxed) + row as i64 + 1;
        let source = &mut self.source;
        let mut filled = Row { cells, columns: &self.columns, place: &self.place, row, failed: None };
        let is_there = guarded(|| source.next(&mut filled))?;
        if let Some(why) = filled.failed {
            return Err(Failure { message: format!("row {number}: {}", why.message), ..why });
        }
        for (i, wanted) in self.wanted.iter().enumerate() {
            if is_there && wanted.not_null && !cells[i].is_put {
                let message = format!("row {number}: column {:?} is required, and has no value", wanted.name);
                return Err(Failure { column: wanted.name.clone(), ..failure(DATA, message) });
            }
            if is_there {
                cells[i].row_end(row);
            }
        }
        Ok(is_there)
    }

    /// The next batch; None: the end.
    fn batch_read(&mut self) -> Result<Option<ArrowArray>, Failure> {
        let mut cells: Vec<Cells> = self.wanted.iter().map(|w| Cells::new(w.data)).collect();
        let is_full = |cells: &[Cells]| cells.iter().any(|c| matches!(&c.values, Values::Texts(_, b) if b.len() >= BATCH_TEXT_BYTES));
        let mut n = 0;
        while !self.at_end && n < self.batch_rows && !is_full(&cells) {
            let number = self.rows_done.load(Ordering::Relaxed) + n + 1;
            let got = self.row_read(&mut cells, n as usize);
            let got = got.map_err(|e| Failure { row: if e.row < 0 { number } else { e.row }, ..e })?;
            self.at_end = !got;
            n += got as i64;
        }
        self.rows_done.fetch_add(n, Ordering::Relaxed);
        Ok(if n > 0 { Some(batch_export(cells, n)) } else { None })
    }
}

/// All that a batch points to.
struct Batch {
    cells: Vec<Cells>,
    buffers: Vec<[*const c_void; 3]>,
    arrays: Vec<ArrowArray>,
    list: Vec<*mut ArrowArray>,
    none: [*const c_void; 1],
}

unsafe extern "C" fn cells_release(array: *mut ArrowArray) {
    (*array).release = None;
}

unsafe extern "C" fn batch_release(array: *mut ArrowArray) {
    let batch = Box::from_raw((*array).private_data as *mut Batch);
    for &child in &batch.list {
        // some of them may have been moved out
        if let Some(release) = (*child).release {
            release(child);
        }
    }
    (*array).release = None;
}

fn array(length: i64) -> ArrowArray {
    ArrowArray {
        length,
        null_count: 0,
        offset: 0,
        n_buffers: 1,
        n_children: 0,
        buffers: std::ptr::null_mut(),
        children: std::ptr::null_mut(),
        dictionary: std::ptr::null_mut(),
        release: Some(cells_release),
        private_data: std::ptr::null_mut(),
    }
}

fn batch_export(cells: Vec<Cells>, n: i64) -> ArrowArray {
    let mut batch = Box::new(Batch { cells, buffers: Vec::new(), arrays: Vec::new(), list: Vec::new(), none: [std::ptr::null()] });
    for c in &batch.cells {
        let (values, bytes) = match &c.values {
            Values::Bits(v) => (v.as_ptr() as *const c_void, std::ptr::null()),
            Values::Days(v) => (v.as_ptr() as *const c_void, std::ptr::null()),
            Values::Ints(v) => (v.as_ptr() as *const c_void, std::ptr::null()),
            Values::Floats(v) => (v.as_ptr() as *const c_void, std::ptr::null()),
            Values::Texts(v, bytes) => (v.as_ptr() as *const c_void, bytes.as_ptr() as *const c_void),
        };
        let valid = if c.n_nulls > 0 { c.valid.as_ptr() as *const c_void } else { std::ptr::null() };
        batch.buffers.push([valid, values, bytes]);
        let n_buffers = if matches!(c.values, Values::Texts(..)) { 3 } else { 2 };
        batch.arrays.push(ArrowArray { n_buffers, null_count: c.n_nulls, ..array(n) });
    }
    for i in 0..batch.arrays.len() {
        batch.arrays[i].buffers = batch.buffers[i].as_mut_ptr();
        let one: *mut ArrowArray = &mut batch.arrays[i];
        batch.list.push(one);
    }
    ArrowArray {
        buffers: batch.none.as_mut_ptr(),
        n_children: batch.list.len() as i64,
        children: batch.list.as_mut_ptr(),
        release: Some(batch_release),
        private_data: Box::into_raw(batch) as *mut c_void,
        ..array(n)
    }
}

/// All that a schema points to.
struct Schema {
    names: Vec<CString>,
    columns: Vec<ArrowSchema>,
    list: Vec<*mut ArrowSchema>,
}

unsafe extern "C" fn column_release(schema: *mut ArrowSchema) {
    (*schema).release = None;
}

unsafe extern "C" fn schema_release(schema: *mut ArrowSchema) {
    let made = Box::from_raw((*schema).private_data as *mut Schema);
    for &child in &made.list {
        if let Some(release) = (*child).release {
            release(child);
        }
    }
    (*schema).release = None;
}

fn schema(format: &'static [u8], name: *const c_char) -> ArrowSchema {
    ArrowSchema {
        format: format.as_ptr() as *const c_char,
        name,
        metadata: std::ptr::null(),
        flags: 0,
        n_children: 0,
        children: std::ptr::null_mut(),
        dictionary: std::ptr::null_mut(),
        release: Some(column_release),
        private_data: std::ptr::null_mut(),
    }
}

fn schema_export(wanted: &[Wanted]) -> ArrowSchema {
    let names = wanted.iter().map(|w| CString::new(w.name.replace('\0', " ")).unwrap_or_default()).collect();
    let mut made = Box::new(Schema { names, columns: Vec::new(), list: Vec::new() });
    for (w, name) in wanted.iter().zip(&made.names) {
        let format: &'static [u8] = match w.data {
            Type::Bool => b"b\0",
            Type::Int64 => b"l\0",
            Type::Float64 => b"g\0",
            Type::Date => b"tdD\0",
            Type::Timestamp => b"tsu:\0",
            Type::Timestamptz => b"tsu:UTC\0",
            Type::Text => b"u\0",
        };
        let flags = if w.not_null { 0 } else { NULLABLE };
        made.columns.push(ArrowSchema { flags, ..schema(format, name.as_ptr()) });
    }
    for i in 0..made.columns.len() {
        let one: *mut ArrowSchema = &mut made.columns[i];
        made.list.push(one);
    }
    ArrowSchema {
        n_children: made.list.len() as i64,
        children: made.list.as_mut_ptr(),
        release: Some(schema_release),
        private_data: Box::into_raw(made) as *mut c_void,
        ..schema(b"+s\0", b"\0".as_ptr() as *const c_char)
    }
}

/// An option names a column that it must not name.
fn column_failure(option: &str, why: &str, column: &str) -> Failure {
    Failure { option: option.to_string(), ..failure(CONFIG, format!("engine.options.{option}: {why} column {column:?}")) }
}

/// Which columns are handed out, and as what: the options columns, missing_as_null, types, widened, required.
fn columns_choose(config: &Json, columns: &[Column]) -> Result<(Vec<Wanted>, Vec<Option<usize>>), Failure> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut place = vec![None; columns.len()];
    let all = texts_option(config, "columns")?.unwrap_or_else(|| columns.iter().map(|c| c.name.as_str()).collect());
    let (types, widened) = (types_option(config, "types")?, types_option(config, "widened")?);
    let required = texts_option(config, "required")?.unwrap_or_default();
    let missing_as_null = bool_option(config, "missing_as_null")?;
    for name in all {
        let found = columns.iter().position(|c| c.name == name);
        if found.is_none() && !missing_as_null {
            return Err(failure(CONFIG, format!("there is no column {name:?}")));
        }
        if wanted.iter().any(|w| w.name == name) {
            return Err(failure(CONFIG, format!("engine.options.columns has {name:?} twice")));
        }
        let declared = |map: &[(&str, &str)]| map.iter().rev().find(|m| m.0 == name).map(|m| TYPES.iter().find(|t| t.1 == m.1).map(|t| t.0));
        let own = found.map(|i| columns[i].data).or_else(|| declared(&types).unwrap_or(Some(Type::Text)));
        let refused = [declared(&types), declared(&widened)].iter().any(|d| d.map_or(false, |d| d != own));
        let data = match own {
            Some(data) if !refused => data,
            _ => {
                let word = TYPES.iter().find(|t| Some(t.0) == own).map_or("of no type that this plugin knows", |t| t.1);
                return Err(failure(UNSUPPORTED, format!("column {name:?} is {word} here, and cannot be another type")));
            }
        };
        if let Some(i) = found {
            place[i] = Some(wanted.len());
        }
        let not_null = found.map_or(false, |i| columns[i].not_null) || required.contains(&name);
        wanted.push(Wanted { name: name.to_string(), data, not_null });
    }
    let is_there = |name: &str| columns.iter().any(|c| c.name == name);
    let is_wanted = |name: &str| wanted.iter().any(|w| w.name == name);
    for (map, pairs) in [("types", types), ("widened", widened)] {
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_there(name) && !is_wanted(name)) {
            return Err(column_failure(map, "there is no", name));
        }
    }
    // nobody would look at the values of others
    if let Some(name) = required.iter().find(|name| !is_there(name) || !is_wanted(name)) {
        let why = if is_there(name) { "the option columns leaves out the" } else { "there is no" };
        return Err(column_failure("required", why, name));
    }
    Ok((wanted, place))
}

unsafe fn open(config: *const c_char, host: *const Host) -> Result<Reader, Failure> {
    let known = ["batch_size", "chunk_size", "columns", "missing_as_null", "types", "widened", "required"];
    let config = config_read(config, &known, <crate::Mine as Source>::OPTIONS)?;
    let size = if *option(&config, "batch_size") != Json::Null { "batch_size" } else { "chunk_size" };
    let batch_rows = int_option(&config, size, 1..=1 << 20, BATCH_ROWS)?;
    let is_one = config.get("files").items().len() == 1;
    let path = path_of(&config).ok().filter(|_| is_one).unwrap_or("").to_string();
    let (source, columns) = guarded(|| <crate::Mine as Source>::open(&config)).map_err(|why| why.of_file(&path))?;
    let (wanted, place) = columns_choose(&config, &columns)?;
    let is_known = !host.is_null() && (*host).struct_size as usize >= std::mem::size_of::<Host>();
    Ok(Reader {
        source,
        path,
        columns,
        place,
        wanted,
        batch_rows,
        host: if is_known { Some(*host) } else { None },
        cancelled: AtomicBool::new(false),
        rows_done: AtomicI64::new(0),
        at_end: false,
        owner: std::process::id(),
        failed: None,
    })
}

unsafe extern "C" fn reader_open(config: *const c_char, host: *const Host, out: *mut *mut Reader, err: *mut Error) -> i32 {
    *out = std::ptr::null_mut();
    match open(config, host) {
        Err(why) => tell(&why, err),
        Ok(reader) => {
            *out = Box::into_raw(Box::new(reader));
            0
        }
    }
}

unsafe extern "C" fn reader_last_error(reader: *mut Reader, err: *mut Error) -> i32 {
    (*reader).failed.as_ref().map_or(0, |why| tell(&why.0, err))
}

unsafe extern "C" fn reader_schema(reader: *mut Reader, out: *mut ArrowSchema, err: *mut Error) -> i32 {
    if !(*reader).check() {
        return reader_last_error(reader, err);
    }
    std::ptr::write(out, schema_export(&(*reader).wanted));
    0
}

unsafe extern "C" fn stream_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> i32 {
    let reader = (*stream).private_data as *mut Reader;
    std::ptr::write(out, schema_export(&(*reader).wanted));
    0
}

unsafe extern "C" fn stream_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> i32 {
    const ECANCELED: i32 = 125;
    const EIO: i32 = 5;
    let reader = &mut *((*stream).private_data as *mut Reader);
    std::ptr::write(out, ArrowArray { release: None, ..array(0) });
    if reader.check() {
        match reader.batch_read() {
            Ok(Some(batch)) => std::ptr::write(out, batch),
            Ok(None) => {}
            Err(why) => reader.fail(why),
        }
    }
    reader.failed.as_ref().map_or(0, |why| if why.0.code == CANCELLED { ECANCELED } else { EIO })
}

unsafe extern "C" fn stream_error(stream: *mut ArrowArrayStream) -> *const c_char {
    let reader = (*stream).private_data as *const Reader;
    (*reader).failed.as_ref().map_or(std::ptr::null(), |why| why.1.as_ptr())
}

unsafe extern "C" fn stream_release(stream: *mut ArrowArrayStream) {
    (*stream).release = None; // close() frees the reader
}

unsafe extern "C" fn reader_stream(reader: *mut Reader, out: *mut ArrowArrayStream, err: *mut Error) -> i32 {
    if !(*reader).check() {
        return reader_last_error(reader, err);
    }
    let made = ArrowArrayStream {
        get_schema: Some(stream_schema),
        get_next: Some(stream_next),
        get_last_error: Some(stream_error),
        release: Some(stream_release),
        private_data: reader as *mut c_void,
    };
    std::ptr::write(out, made);
    0
}

unsafe extern "C" fn reader_progress(reader: *const Reader, out: *mut Progress) {
    (*out).bytes_done = -1;
    (*out).bytes_total = -1;
    (*out).rows_done = (*reader).rows_done.load(Ordering::Relaxed);
}

unsafe extern "C" fn reader_cancel(reader: *const Reader) {
    (*reader).cancelled.store(true, Ordering::Relaxed);
}

unsafe extern "C" fn reader_close(reader: *mut Reader) {
    if !reader.is_null() && (*reader).owner == std::process::id() {
        drop(Box::from_raw(reader));
    }
}

/// struct dativo_reader_v1 up to close(): splits and what follows may be missing.
#[repr(C)]
struct Table {
    struct_size: u32,
    reserved: u32,
    open: unsafe extern "C" fn(*const c_char, *const Host, *mut *mut Reader, *mut Error) -> i32,
    schema: unsafe extern "C" fn(*mut Reader, *mut ArrowSchema, *mut Error) -> i32,
    stream: unsafe extern "C" fn(*mut Reader, *mut ArrowArrayStream, *mut Error) -> i32,
    last_error: unsafe extern "C" fn(*mut Reader, *mut Error) -> i32,
    progress: unsafe extern "C" fn(*const Reader, *mut Progress),
    cancel: unsafe extern "C" fn(*const Reader),
    close: unsafe extern "C" fn(*mut Reader),
}

static TABLE: Table = Table {
    struct_size: std::mem::size_of::<Table>() as u32,
    reserved: 0,
    open: reader_open,
    schema: reader_schema,
    stream: reader_stream,
    last_error: reader_last_error,
    progress: reader_progress,
    cancel: reader_cancel,
    close: reader_close,
};

pub unsafe extern "C" fn extension(name: *const c_char) -> *const c_void {
    if is_named(name, "dativo.reader/1") {
        return &TABLE as *const Table as *const c_void;
    }
    std::ptr::null()
}
