//! OpenSSL's start.

#[cfg(target_arch = "x86_64")]
mod provider;
mod wiping;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::Once;

pub(super) use wiping::wiped;

/// `OPENSSL_INIT_NO_LOAD_CONFIG` of `openssl/crypto.h`.
const NO_LOAD_CONFIG: u64 = 0x80;

/// Starts this library's own OpenSSL, once; every later call is cheap.
///
/// No atexit handler: threads of the runtime may still be inside the library when the process exits. No openssl.cnf: a
/// file that some system's OpenSSL left on the disk must not change what this one negotiates.
pub fn start_openssl() {
    static START: Once = Once::new();
    START.call_once(|| {
        wiping::install();
        let options = openssl_sys::OPENSSL_INIT_LOAD_SSL_STRINGS | openssl_sys::OPENSSL_INIT_NO_ATEXIT | NO_LOAD_CONFIG;
        // SAFETY: the call takes no pointer but the null settings it allows. It comes before any other use of OpenSSL
        // here, so openssl-sys may rely on it in place of its own start, which would look for openssl.cnf.
        unsafe {
            openssl_sys::OPENSSL_init_ssl(options, ptr::null());
            openssl_sys::assume_init();
        }
        #[cfg(target_arch = "x86_64")]
        provider::load();
    });
}

/// Keeps a panic from unwinding through OpenSSL: `failure` is what it gets instead, as it does for `None`.
pub fn guard<T>(failure: T, f: impl FnOnce() -> Option<T>) -> T {
    catch_unwind(AssertUnwindSafe(f)).ok().flatten().unwrap_or(failure)
}
