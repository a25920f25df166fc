//! Key exchange: copies of the two keys, and the shared secret of them.

use std::ffi::{c_int, c_uchar, c_void};
use std::{mem, ptr, slice};

use openssl_sys::{self as sys, OSSL_PARAM};
use zeroize::Zeroizing;

use super::ffi::{self, Derive, Dispatch, Free, Function, InitExchange, New, SetKey};
use super::x25519::{self, LENGTH};
use super::{guard, keys};

#[derive(Clone, Default)]
struct Exchange {
    private: Option<Zeroizing<[u8; LENGTH]>>,
    peer: Option<[u8; LENGTH]>,
}

pub(super) fn functions() -> Vec<Dispatch> {
    // SAFETY: each has the type that the header gives the function of its id.
    unsafe {
        vec![
            Dispatch::new(ffi::KEYEXCH_NEWCTX, mem::transmute::<New, Function>(new)),
            Dispatch::new(ffi::KEYEXCH_INIT, mem::transmute::<InitExchange, Function>(init)),
            Dispatch::new(ffi::KEYEXCH_SET_PEER, mem::transmute::<SetKey, Function>(set_peer)),
            Dispatch::new(ffi::KEYEXCH_DERIVE, mem::transmute::<Derive, Function>(derive)),
            Dispatch::new(ffi::KEYEXCH_FREECTX, mem::transmute::<Free, Function>(free)),
            Dispatch::new(ffi::KEYEXCH_DUPCTX, mem::transmute::<New, Function>(dup)),
        ]
    }
}

unsafe extern "C" fn new(_: *mut c_void) -> *mut c_void {
    guard(ptr::null_mut(), || Some(into_raw(Exchange::default())))
}

fn into_raw(exchange: Exchange) -> *mut c_void {
    Box::into_raw(Box::new(exchange)).cast()
}

unsafe extern "C" fn init(exchange: *mut c_void, key: *mut c_void, _: *const OSSL_PARAM) -> c_int {
    guard(0, || {
        // SAFETY: null or what `new` and `dup` give, which one thread uses at a time; OpenSSL passes keys of our own
        // management, whatever they were before.
        unsafe { exchange.cast::<Exchange>().as_mut()?.private = keys::private_key(key)? };
        Some(1)
    })
}

unsafe extern "C" fn set_peer(exchange: *mut c_void, key: *mut c_void) -> c_int {
    guard(0, || {
        // SAFETY: the same.
        unsafe { exchange.cast::<Exchange>().as_mut()?.peer = Some(keys::public_key(key)?) };
        Some(1)
    })
}

/// The results and reasons of the default provider.
unsafe extern "C" fn derive(exchange: *mut c_void, secret: *mut c_uchar, length: *mut usize, room: usize) -> c_int {
    guard(0, || {
        // SAFETY: null or what `new` and `dup` give; null or OpenSSL's own variable.
        let (exchange, length) = unsafe { (exchange.cast::<Exchange>().as_ref()?, length.as_mut()?) };
        let (Some(private), Some(peer)) = (&exchange.private, &exchange.peer) else {
            return refuse(ffi::MISSING_KEY);
        };
        if !secret.is_null() {
            if room < LENGTH {
                return refuse(ffi::OUTPUT_BUFFER_TOO_SMALL);
            }
            let Some(shared) = x25519::shared_secret(private, peer) else {
                return refuse(ffi::FAILED_DURING_DERIVATION);
            };
            // SAFETY: there is room for so much.
            unsafe { slice::from_raw_parts_mut(secret, LENGTH) }.copy_from_slice(&shared[..]);
        }
        *length = LENGTH;
        Some(1)
    })
}

/// Leaves the reason in OpenSSL's queue of errors.
fn refuse(reason: c_int) -> Option<c_int> {
    // SAFETY: no text, so nothing to format.
    unsafe {
        sys::ERR_new();
        sys::ERR_set_error(ffi::ERR_LIB_PROV, reason, ptr::null());
    }
    None
}

unsafe extern "C" fn free(exchange: *mut c_void) {
    guard((), || {
        if !exchange.is_null() {
            // SAFETY: what `new` and `dup` gave; it is not used after this.
            drop(unsafe { Box::from_raw(exchange.cast::<Exchange>()) });
        }
        Some(())
    })
}

unsafe extern "C" fn dup(exchange: *mut c_void) -> *mut c_void {
    guard(ptr::null_mut(), || {
        // SAFETY: null or what `new` and `dup` give.
        Some(into_raw(unsafe { exchange.cast::<Exchange>().as_ref()? }.clone()))
    })
}
