//! OpenSSL's errors as a TLS connection reports them.

use std::ffi::{c_char, c_int, c_ulong, CStr, CString};
use std::ptr;

use openssl_sys as sys;

use crate::engine::ffi;

use crate::error::Error;

/// `ERR_LIB_SSL` of `openssl/err.h`.
const LIBRARY_SSL: c_int = 20;

/// Empties this thread's error queue.
pub(super) fn clear() {
    // SAFETY: touches nothing but the queue. Clearing walks through all of it, so an empty one is left alone.
    unsafe {
        if ffi::ERR_peek_error() != 0 {
            sys::ERR_clear_error();
        }
    }
}

/// The error of a failed handshake, read or write, as Node builds it: from the oldest entry of libssl in the queue, its
/// reason in capitals after `ERR_SSL_`. (An older entry of libcrypto tells a detail: for a forged record it is "cipher
/// operation failed".)
///
/// The openssl crate's reader is not used here: it panics at data that is not UTF-8, and this data may come from a peer.
pub(super) fn take() -> Error {
    let mut entries: Vec<Entry> = std::iter::from_fn(Entry::take).collect();
    if entries.is_empty() {
        return Error::new("ERR_SSL_UNKNOWN", "The TLS engine failed without a reason");
    }
    let main = entries.remove(entries.iter().position(|entry| entry.from_libssl).unwrap_or(0));
    let capitals = |c: char| if c == ' ' { '_' } else { c.to_ascii_uppercase() };
    let code: String = main.reason.chars().map(capitals).collect();
    let error = Error::new(format!("ERR_SSL_{code}"), main.line());
    Error {
        library: Some(main.library.into()),
        reason: Some(main.reason.into()),
        stack: entries.iter().rev().map(Entry::line).collect(),
        ..error
    }
}

/// An error of libssl, as if OpenSSL had found it. `reason` is one of `SSL_R_...` of `openssl/sslerr.h`; `detail` must
/// have no zero byte.
pub(super) fn raise(reason: c_int, detail: &str) -> Error {
    clear();
    let detail = CString::new(detail).unwrap_or_default();
    // SAFETY: C strings, of which OpenSSL copies the last; the others are static.
    unsafe {
        sys::ERR_new();
        sys::ERR_set_debug(concat!(file!(), "\0").as_ptr().cast(), line!() as c_int, c"record".as_ptr());
        match detail.is_empty() {
            true => sys::ERR_set_error(LIBRARY_SSL, reason, ptr::null()),
            false => sys::ERR_set_error(LIBRARY_SSL, reason, c"%s".as_ptr(), detail.as_ptr()),
        }
    }
    take()
}

struct Entry {
    code: c_ulong,
    from_libssl: bool,
    library: String,
    function: String,
    reason: String,
    file: String,
    line: c_int,
    data: String,
}

impl Entry {
    fn take() -> Option<Self> {
        let (mut file, mut line, mut function) = (ptr::null(), 0, ptr::null());
        let (mut data, mut flags) = (ptr::null(), 0);
        // SAFETY: OpenSSL's texts are C strings or null; they are copied before its queue is touched again.
        unsafe {
            let code = sys::ERR_get_error_all(&mut file, &mut line, &mut function, &mut data, &mut flags);
            let data = if flags & sys::ERR_TXT_STRING == 0 { ptr::null() } else { data };
            (code != 0).then(|| Entry {
                code,
                from_libssl: sys::ERR_GET_LIB(code) == LIBRARY_SSL,
                library: text(sys::ERR_lib_error_string(code)),
                function: text(function),
                reason: text(sys::ERR_reason_error_string(code)),
                file: text(file),
                line,
                data: text(data),
            })
        }
    }

    /// As OpenSSL's tools print it.
    fn line(&self) -> String {
        let Entry { code, library, function, reason, file, line, data, .. } = self;
        format!("error:{code:08X}:{library}:{function}:{reason}:{file}:{line}:{data}\n")
    }
}

/// SAFETY: `text` is null or a C string.
unsafe fn text(text: *const c_char) -> String {
    match text.is_null() {
        true => String::new(),
        // SAFETY: the caller's promise.
        false => unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned(),
    }
}
