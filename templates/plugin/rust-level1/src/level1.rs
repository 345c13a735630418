//! What readers and writers of Level 1 share: the structs of dativo/plugin.h and of Arrow, errors, options. It is a part of your
//! plugin: change what you like. Traps that it takes care of: errors of an older host are smaller, an option that nobody knows is an
//! error, and a panic ends in an error, not in a crash of the host.
#![allow(dead_code)]
use crate::json::{option, unknown_option, Json};
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub const ABI: u32 = 0x0001_0002;
pub const INVALID: i32 = 1;
pub const CONFIG: i32 = 2;
pub const DATA: i32 = 3;
pub const NOT_FOUND: i32 = 5;
pub const EXISTS: i32 = 6;
pub const IO: i32 = 7;
pub const UNSUPPORTED: i32 = 9;
pub const CANCELLED: i32 = 10;
pub const INTERNAL: i32 = 12;

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: i32,
    pub os_errno: i32,
    pub retryable: i32,
    pub row: i64,
    pub line: i64,
    pub byte_offset: i64,
    pub path: [u8; 512],
    pub column: [u8; 128],
    pub expected: [u8; 64],
    pub suggested_type: [u8; 32],
    pub message: [u8; 1024],
    pub option: [u8; 64],
    pub value: [u8; 64],
}

#[repr(C)]
pub struct Progress {
    pub struct_size: u32,
    pub reserved: u32,
    pub bytes_done: i64,
    pub bytes_total: i64,
    pub rows_done: i64,
}

/// As much of struct dativo_host as is used here: what cancelled() is, and what it is called with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Host {
    pub struct_size: u32,
    pub n_threads: u32,
    pub ctx: *mut c_void,
    pub log: *const c_void,
    pub cancelled: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
}

#[repr(C)]
pub struct Plugin {
    pub struct_size: u32,
    pub abi_version: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub description: *const c_char,
    pub get_extension: unsafe extern "C" fn(*const c_char) -> *const c_void,
    pub free_text: unsafe extern "C" fn(*mut c_char),
}
unsafe impl Sync for Plugin {}

#[repr(C)]
pub struct ArrowSchema {
    pub format: *const c_char,
    pub name: *const c_char,
    pub metadata: *const c_char,
    pub flags: i64,
    pub n_children: i64,
    pub children: *mut *mut ArrowSchema,
    pub dictionary: *mut ArrowSchema,
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub private_data: *mut c_void,
}
pub const NULLABLE: i64 = 2;

#[repr(C)]
pub struct ArrowArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    pub buffers: *mut *const c_void,
    pub children: *mut *mut ArrowArray,
    pub dictionary: *mut ArrowArray,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub private_data: *mut c_void,
}

#[repr(C)]
pub struct ArrowArrayStream {
    pub get_schema: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> i32>,
    pub get_next: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> i32>,
    pub get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    pub release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    pub private_data: *mut c_void,
}

/// What columns hold. Dates are days, timestamps microseconds, both since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    Bool,
    Int64,
    Float64,
    Date,
    Timestamp,
    Timestamptz,
    Text,
}
pub const TYPES: [(Type, &str); 7] = [
    (Type::Bool, "bool"),
    (Type::Int64, "int64"),
    (Type::Float64, "float64"),
    (Type::Date, "date"),
    (Type::Timestamp, "timestamp"),
    (Type::Timestamptz, "timestamptz"),
    (Type::Text, "string"),
];

/// Why something failed; the first one of a handle stays its answer.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: i32,
    pub message: String,
    pub path: String,
    pub column: String,
    pub option: String,
    pub os_errno: i32,
    pub row: i64, // from 1; -1: not known
}

pub fn failure(code: i32, message: String) -> Failure {
    Failure { code, message, path: String::new(), column: String::new(), option: String::new(), os_errno: 0, row: -1 }
}

impl Failure {
    /// What says no file is of this one, unless the configuration, the host or the plugin is wrong.
    pub fn of_file(mut self, path: &str) -> Failure {
        if self.path.is_empty() && [DATA, NOT_FOUND, IO].contains(&self.code) {
            self.path = path.to_string();
        }
        self
    }
}

/// The operating system refused `path`.
pub fn io_failure(path: &str, e: &std::io::Error) -> Failure {
    let code = match e.kind() {
        std::io::ErrorKind::NotFound => NOT_FOUND,
        std::io::ErrorKind::AlreadyExists => EXISTS,
        std::io::ErrorKind::Unsupported => UNSUPPORTED,
        std::io::ErrorKind::InvalidData => DATA, // texts that are no UTF-8
        _ => IO,
    };
    Failure { path: path.to_string(), os_errno: e.raw_os_error().unwrap_or(0), ..failure(code, format!("{path}: {e}")) }
}

/// With its NUL, cut between two characters.
fn put<const N: usize>(text: &str) -> [u8; N] {
    let mut out = [0; N];
    let mut n = text.len().min(N - 1);
    while !text.is_char_boundary(n) {
        n -= 1;
    }
    out[..n].copy_from_slice(&text.as_bytes()[..n]);
    out
}

/// Fill in as much of the host's struct as it knows, and return the code.
/// # Safety
/// `err` is NULL, or a struct with its size.
pub unsafe fn tell(failure: &Failure, err: *mut Error) -> i32 {
    let mut made = Error {
        struct_size: std::mem::size_of::<Error>() as u32,
        code: failure.code,
        os_errno: failure.os_errno,
        retryable: 0,
        row: failure.row,
        line: -1,
        byte_offset: -1,
        path: put(&failure.path),
        column: put(&failure.column),
        expected: [0; 64],
        suggested_type: [0; 32],
        message: put(&failure.message),
        option: put(&failure.option),
        value: [0; 64],
    };
    if !err.is_null() {
        made.struct_size = made.struct_size.min((*err).struct_size);
        std::ptr::copy_nonoverlapping(&made as *const Error as *const u8, err as *mut u8, made.struct_size as usize);
    }
    failure.code
}

/// What `work` returns, or what it failed or panicked with.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|why| {
        let text = why.downcast_ref::<String>().cloned().or_else(|| why.downcast_ref::<&str>().map(|s| s.to_string()));
        Err(failure(INTERNAL, format!("the plugin panicked: {}", text.unwrap_or_default())))
    })
}

/// An option has a value that it must not have.
pub fn option_failure(option: &str, expected: &str) -> Failure {
    Failure { option: option.to_string(), ..failure(CONFIG, format!("engine.options.{option} {expected}")) }
}

/// The configuration, and its options, each of which is one of `known` or of `own`.
/// # Safety
/// As of Json::parse().
pub unsafe fn config_read(text: *const c_char, known: &[&str], own: &[&str]) -> Result<Json, Failure> {
    let config = match Json::parse(text as *const u8) {
        Some((config @ Json::Object(_), _)) => config,
        _ => return Err(failure(CONFIG, "the configuration is not a JSON object".to_string())),
    };
    match unknown_option(&config, &[known, own].concat()) {
        Some((place, key)) => Err(Failure { option: key, ..failure(CONFIG, format!("{place} is no option of this plugin")) }),
        None => Ok(config),
    }
}

/// A whole number in the range, or `otherwise` if there is none.
pub fn int_option(config: &Json, key: &str, range: std::ops::RangeInclusive<i64>, otherwise: i64) -> Result<i64, Failure> {
    match (option(config, key), option(config, key).int()) {
        (Json::Null, _) => Ok(otherwise),
        (_, Some(n)) if range.contains(&n) => Ok(n),
        _ => Err(option_failure(key, &format!("must be from {} to {}", range.start(), range.end()))),
    }
}

pub fn bool_option(config: &Json, key: &str) -> Result<bool, Failure> {
    match option(config, key) {
        Json::Null => Ok(false),
        Json::Bool(value) => Ok(*value),
        _ => Err(option_failure(key, "must be true or false")),
    }
}

/// A list of texts, or one text, which stands for a list of it; None if there is none.
pub fn texts_option<'a>(config: &'a Json, key: &str) -> Result<Option<Vec<&'a str>>, Failure> {
    let items = match option(config, key) {
        Json::Null => return Ok(None),
        Json::List(items) => &items[..],
        one => std::slice::from_ref(one),
    };
    let texts = items.iter().map(Json::name).collect::<Result<Vec<_>, _>>();
    texts.map(Some).map_err(|_| option_failure(key, "must be a list of texts"))
}

/// An object that gives columns types, as pairs of texts.
pub fn types_option<'a>(config: &'a Json, key: &str) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let pairs = match option(config, key) {
        Json::Null => Some(Vec::new()),
        Json::Object(members) => members.iter().filter(|m| m.1 != Json::Null).map(|m| m.1.text().map(|word| (m.0.as_str(), word))).collect(),
        _ => None,
    };
    pairs.ok_or_else(|| option_failure(key, "must be an object that gives columns types"))
}

pub unsafe extern "C" fn free_text(text: *mut c_char) {
    if !text.is_null() {
        drop(CString::from_raw(text));
    }
}

/// For dativo_plugin_get().
/// # Safety
/// `err` is NULL, or a struct with its size.
pub unsafe fn plugin_get(plugin: &'static Plugin, host_abi: u32, err: *mut Error) -> *const Plugin {
    if host_abi >> 16 == ABI >> 16 {
        return plugin;
    }
    tell(&failure(UNSUPPORTED, format!("this plugin speaks ABI {}, the host {}", ABI >> 16, host_abi >> 16)), err);
    std::ptr::null()
}

/// # Safety
/// `name` is a text with its NUL.
pub unsafe fn is_named(name: *const c_char, wanted: &str) -> bool {
    CStr::from_ptr(name).to_bytes() == wanted.as_bytes()
}
