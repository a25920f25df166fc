//! A provider that computes X25519, and the keys of TLS 1.3, faster than OpenSSL's own.
//!
//! Of 150 µs that a server's full TLS 1.3 handshake took, OpenSSL spent 26 µs on making its X25519 key, in portable C,
//! and 28 µs on the shared secret; graviola's X25519 takes 5 and 19 µs (an EPYC of 2024). Only a provider can put that in.
//!
//! It stands in front of OpenSSL's default provider and does two things of X25519 itself: making a random key and deriving. The
//! keys are the default provider's own objects, and the rest of their management are its functions, called with its
//! context. So import, export, comparison and encoding are what they always were, and the default provider understands
//! the keys. Whatever is missing at the start (an old processor, say) leaves OpenSSL as it is.

mod derivation;
mod exchange;
mod ffi;
mod keys;
#[cfg(test)]
mod tests;
mod x25519;

use std::ffi::{c_int, c_void, CStr};
use std::sync::OnceLock;
use std::{mem, ptr};

use openssl::error::ErrorStack;
use openssl_sys as sys;

use super::guard;
use ffi::{Algorithm, Dispatch};

/// Its name, also as a property of its algorithms.
const NAME: &CStr = c"c4tls";
const PROPERTIES: &CStr = c"provider=c4tls";
/// Ours where there is one, anybody's else. OpenSSL looks at it only when it fetches an algorithm for the first time.
const PREFERENCE: &CStr = c"?provider=c4tls";
/// `PROV_NAMES_X25519` of OpenSSL: the name and the object identifier.
const X25519: &CStr = c"X25519:1.3.101.110";

/// What is made once, and OpenSSL keeps pointers into.
struct Tables {
    original: keys::Original,
    /// The default provider's context, and so ours: its functions get it from OpenSSL's core through us.
    context: *mut c_void,
    provider: [Dispatch; 2],
    management: [Algorithm; 2],
    exchange: [Algorithm; 2],
    /// `None` where the default provider's is left in place.
    derivation: Option<derivation::Original>,
    derivations: [Algorithm; 2],
}

// SAFETY: nothing in there changes; what the pointers lead to is static, leaked, or OpenSSL's and made for all threads.
unsafe impl Send for Tables {}
// SAFETY: the same.
unsafe impl Sync for Tables {}

static TABLES: OnceLock<Tables> = OnceLock::new();

/// Puts the provider in front of OpenSSL's own, if it is of use here. Before anything is fetched: changing what is
/// preferred is not safe on several threads.
pub(super) fn load() {
    guard((), || {
        if !x25519::usable() {
            return None;
        }
        // SAFETY: C strings; the providers are never unloaded. Loading one by name ends the automatic loading of the
        // default provider, which therefore comes first.
        unsafe {
            let default = sys::OSSL_PROVIDER_load(ptr::null_mut(), c"default".as_ptr());
            TABLES.set(Tables::over(default)?).ok()?;
            (ffi::OSSL_PROVIDER_add_builtin(ptr::null_mut(), NAME.as_ptr(), init) == 1
                && !sys::OSSL_PROVIDER_load(ptr::null_mut(), NAME.as_ptr()).is_null()
                && ffi::EVP_set_default_properties(ptr::null_mut(), PREFERENCE.as_ptr()) == 1)
                .then_some(())
        }
    });
    let _ = ErrorStack::get();
}

impl Tables {
    /// SAFETY: `default` is null or OpenSSL's default provider, loaded for good.
    unsafe fn over(default: *mut sys::OSSL_PROVIDER) -> Option<Tables> {
        if default.is_null() {
            return None;
        }
        // SAFETY: the provider is live; its tables are static and end as the header says.
        let (functions, derivation, context) = unsafe {
            let query = |operation| ffi::OSSL_PROVIDER_query_operation(default, operation, &mut 0);
            (
                functions_of(query(ffi::OP_KEYMGMT), X25519)?,
                functions_of(query(ffi::OP_KDF), derivation::TLS13_KDF)
                    .filter(|_| derivation::pays())
                    .and_then(|functions| derivation::Original::find(&functions)),
                ffi::OSSL_PROVIDER_get0_provider_ctx(default),
            )
        };
        // SAFETY: `query` has the type that the header gives the function of this id.
        let query = unsafe { mem::transmute::<ffi::Query, ffi::Function>(query) };
        Some(Tables {
            // SAFETY: these are the functions of a key management.
            original: unsafe { keys::Original::find(&functions)? },
            context,
            provider: [Dispatch::new(ffi::PROVIDER_QUERY_OPERATION, query), Dispatch::END],
            management: algorithms(X25519, keys::functions(&functions)),
            exchange: algorithms(X25519, exchange::functions()),
            derivation,
            derivations: algorithms(derivation::TLS13_KDF, derivation::functions()),
        })
    }
}

/// SAFETY: `algorithm` is null or a table of algorithms with their functions.
unsafe fn functions_of(mut algorithm: *const Algorithm, names: &CStr) -> Option<Vec<Dispatch>> {
    // SAFETY: the caller's promise: every entry but the last is whole.
    unsafe {
        let mut found = algorithm.as_ref()?;
        while CStr::from_ptr(found.names.as_ref()?) != names {
            algorithm = algorithm.add(1);
            found = algorithm.as_ref()?;
        }
        let mut function = found.functions;
        let mut functions = Vec::new();
        while function.as_ref()?.id != 0 {
            functions.push(*function);
            function = function.add(1);
        }
        Some(functions)
    }
}

/// A table of one algorithm with these functions, which live for ever.
fn algorithms(names: &'static CStr, mut functions: Vec<Dispatch>) -> [Algorithm; 2] {
    functions.push(Dispatch::END);
    let algorithm = Algorithm {
        names: names.as_ptr(),
        properties: PROPERTIES.as_ptr(),
        functions: functions.leak().as_ptr(),
        description: ptr::null(),
    };
    let end =
        Algorithm { names: ptr::null(), properties: ptr::null(), functions: ptr::null(), description: ptr::null() };
    [algorithm, end]
}

unsafe extern "C" fn init(
    _: *const c_void,
    _: *const Dispatch,
    functions: *mut *const Dispatch,
    context: *mut *mut c_void,
) -> c_int {
    guard(0, || {
        let tables = TABLES.get()?;
        // SAFETY: OpenSSL's own variables.
        unsafe {
            *functions.as_mut()? = tables.provider.as_ptr();
            *context.as_mut()? = tables.context;
        }
        Some(1)
    })
}

unsafe extern "C" fn query(_: *mut c_void, operation: c_int, no_cache: *mut c_int) -> *const Algorithm {
    guard(ptr::null(), || {
        let tables = TABLES.get()?;
        // SAFETY: OpenSSL's own variable.
        unsafe { *no_cache.as_mut()? = 0 };
        match operation {
            ffi::OP_KEYMGMT => Some(tables.management.as_ptr()),
            ffi::OP_KDF if tables.derivation.is_some() => Some(tables.derivations.as_ptr()),
            ffi::OP_KEYEXCH => Some(tables.exchange.as_ptr()),
            _ => None,
        }
    })
}
