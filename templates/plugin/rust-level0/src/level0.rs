//! What readers and writers of Level 0 share: texts that hosts give back, and errors.
use crate::json::quoted;
use std::ffi::CString;
use std::os::raw::{c_char, c_void};

/// A text of the plugin's own, for free_string(). NUL is no byte of it: JSON has it as \u0000.
pub fn give(text: String) -> *const c_char {
    CString::new(text.replace('\0', "\\u0000")).expect("no NUL").into_raw()
}

/// What no JSON parser accepts, every host notices.
pub fn give_error(message: &str) -> *const c_char {
    give(format!("DATIVO_PLUGIN_ERROR {{\"code\":\"io\",\"message\":{}}}", quoted(message)))
}

pub fn handle<T>(made: T) -> *mut c_void {
    Box::into_raw(Box::new(made)) as *mut c_void
}

/// # Safety
/// The handle is NULL, or one of handle::<T>() that is not freed yet.
pub unsafe fn free<T>(handle: *mut c_void) {
    if !handle.is_null() {
        drop(Box::from_raw(handle as *mut T));
    }
}

#[no_mangle]
pub unsafe extern "C" fn free_string(text: *const c_char) {
    if !text.is_null() {
        drop(CString::from_raw(text as *mut c_char));
    }
}
