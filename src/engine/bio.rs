//! OpenSSL's view of [`Bytes`]: a BIO that never blocks and never ends.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::slice;
use std::sync::OnceLock;

use openssl_sys as sys;

use crate::credentials::guard;
use crate::engine::ffi;
use crate::engine::state::Bytes;
use crate::error::{Error, Result};

/// A BIO over `bytes`, with one reference, which is the caller's.
///
/// SAFETY: `bytes` lives as long as the BIO, and nobody holds a reference into it while OpenSSL runs with the BIO.
unsafe fn new(bytes: *mut Bytes) -> Result<*mut sys::BIO> {
    let method = method()?;
    // SAFETY: the method lives for ever; the pointer is the caller's promise.
    unsafe {
        let bio = sys::BIO_new(method);
        if bio.is_null() {
            return Err(Error::take_openssl("BIO_new"));
        }
        sys::BIO_set_data(bio, bytes.cast::<c_void>());
        sys::BIO_set_init(bio, 1);
        Ok(bio)
    }
}

struct Method(*mut sys::BIO_METHOD);

// SAFETY: the table is filled in before anyone sees it, and only read from then on.
unsafe impl Send for Method {}
// SAFETY: as above.
unsafe impl Sync for Method {}

fn method() -> Result<*const sys::BIO_METHOD> {
    static METHOD: OnceLock<Method> = OnceLock::new();
    // SAFETY: the functions have the signatures that the table asks for; the name is static.
    let method = METHOD.get_or_init(|| unsafe {
        let method = sys::BIO_meth_new(ffi::BIO_TYPE_SOURCE_SINK, c"memory".as_ptr());
        if !method.is_null() {
            sys::BIO_meth_set_read__fixed_rust(method, Some(read));
            sys::BIO_meth_set_write__fixed_rust(method, Some(write));
            sys::BIO_meth_set_ctrl__fixed_rust(method, Some(control));
        }
        Method(method)
    });
    match method.0.is_null() {
        true => Err(Error::new("ERR_CRYPTO_OPERATION_FAILED", "BIO_meth_new")),
        false => Ok(method.0),
    }
}

/// SAFETY: `bio` was made by [`new`].
unsafe fn bytes<'a>(bio: *mut sys::BIO) -> Option<&'a mut Bytes> {
    // SAFETY: see `new`; the reference ends with the callback.
    unsafe { sys::BIO_get_data(bio).cast::<Bytes>().as_mut() }
}

unsafe extern "C" fn read(bio: *mut sys::BIO, into: *mut c_char, length: c_int) -> c_int {
    guard(-1, || {
        // SAFETY: OpenSSL's buffer has `length` bytes. It may never have been written to, which plain bytes stand.
        let count = unsafe {
            sys::BIO_clear_flags(bio, sys::BIO_FLAGS_RWS | sys::BIO_FLAGS_SHOULD_RETRY);
            bytes(bio)?.take(slice::from_raw_parts_mut(into.cast::<u8>(), usize::try_from(length).ok()?))
        };
        if count == 0 {
            // SAFETY: the BIO is live.
            unsafe { sys::BIO_set_flags(bio, sys::BIO_FLAGS_READ | sys::BIO_FLAGS_SHOULD_RETRY) };
            return None;
        }
        // Not more than `length`, which is an int.
        Some(count as c_int)
    })
}

unsafe extern "C" fn write(bio: *mut sys::BIO, from: *const c_char, length: c_int) -> c_int {
    guard(-1, || {
        // SAFETY: OpenSSL lends `length` bytes.
        unsafe {
            let from = slice::from_raw_parts(from.cast::<u8>(), usize::try_from(length).ok()?);
            bytes(bio)?.output.extend_from_slice(from);
        }
        Some(length)
    })
}

unsafe extern "C" fn control(_: *mut sys::BIO, command: c_int, _: c_long, _: *mut c_void) -> c_long {
    // Everything is flushed as soon as it is written; the rest is for files and sockets.
    c_long::from(command == sys::BIO_CTRL_FLUSH)
}

/// Gives `ssl` its bytes, for both directions.
///
/// SAFETY: as for [`new`]; `ssl` is live.
pub(super) unsafe fn attach(ssl: *mut sys::SSL, bytes: *mut Bytes) -> Result<()> {
    // SAFETY: the caller's promise. With the same BIO twice `SSL_set_bio` takes over one reference.
    unsafe {
        let bio = new(bytes)?;
        sys::SSL_set_bio(ssl, bio, bio);
    }
    Ok(())
}
