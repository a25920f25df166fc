//! Key management: the default provider's, with another way of making a random key.

use std::ffi::{c_int, c_void, CStr};
use std::{mem, ptr};

use openssl_sys::{self as sys, OSSL_PARAM};
use zeroize::Zeroizing;

use super::ffi::{self, Dispatch, Free, Function, Gen, GenInit, GetParams, Import, New, SetParams};
use super::x25519::{self, LENGTH};
use super::{guard, TABLES};

/// The default provider's functions that ours call.
pub(super) struct Original {
    new: New,
    free: Free,
    get_params: GetParams,
    import: Import,
    gen_init: GenInit,
    gen_set_params: SetParams,
    gen: Gen,
    gen_cleanup: Free,
}

impl Original {
    /// SAFETY: `functions` are those of a key management, with the types that the header gives their ids.
    pub(super) unsafe fn find(functions: &[Dispatch]) -> Option<Original> {
        let find = |id| functions.iter().find(|entry| entry.id == id)?.function;
        // SAFETY: the caller's promise.
        unsafe {
            Some(Original {
                new: mem::transmute::<Function, New>(find(ffi::KEYMGMT_NEW)?),
                free: mem::transmute::<Function, Free>(find(ffi::KEYMGMT_FREE)?),
                get_params: mem::transmute::<Function, GetParams>(find(ffi::KEYMGMT_GET_PARAMS)?),
                import: mem::transmute::<Function, Import>(find(ffi::KEYMGMT_IMPORT)?),
                gen_init: mem::transmute::<Function, GenInit>(find(ffi::KEYMGMT_GEN_INIT)?),
                gen_set_params: mem::transmute::<Function, SetParams>(find(ffi::KEYMGMT_GEN_SET_PARAMS)?),
                gen: mem::transmute::<Function, Gen>(find(ffi::KEYMGMT_GEN)?),
                gen_cleanup: mem::transmute::<Function, Free>(find(ffi::KEYMGMT_GEN_CLEANUP)?),
            })
        }
    }
}

/// The default provider's `functions`, with ours in the place of those that make keys.
pub(super) fn functions(functions: &[Dispatch]) -> Vec<Dispatch> {
    // SAFETY: each has the type that the header gives the function of its id.
    let ours = unsafe {
        [
            Dispatch::new(ffi::KEYMGMT_GEN_INIT, mem::transmute::<GenInit, Function>(gen_init)),
            Dispatch::new(ffi::KEYMGMT_GEN_SET_PARAMS, mem::transmute::<SetParams, Function>(gen_set_params)),
            Dispatch::new(ffi::KEYMGMT_GEN, mem::transmute::<Gen, Function>(gen)),
            Dispatch::new(ffi::KEYMGMT_GEN_CLEANUP, mem::transmute::<Free, Function>(gen_cleanup)),
        ]
    };
    // Should the default provider ever have these, they would expect its own kind of generation.
    let unknown = [ffi::KEYMGMT_GEN_SET_TEMPLATE, ffi::KEYMGMT_GEN_GET_PARAMS, ffi::KEYMGMT_GEN_GETTABLE_PARAMS];
    let left_out = |id| unknown.contains(&id) || ours.iter().any(|entry| entry.id == id);
    let kept = functions.iter().filter(|entry| !left_out(entry.id)).copied();
    kept.chain(ours).collect()
}

/// The private part of `key`, where it has one. `None` for no key of this management.
///
/// SAFETY: `key` is null or a live key of this management.
pub(super) unsafe fn private_key(key: *mut c_void) -> Option<Option<Zeroizing<[u8; LENGTH]>>> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    // SAFETY: the caller's promise.
    let there = unsafe { read(key, ffi::PRIVATE_KEY, &mut bytes)? };
    Some(there.then_some(bytes))
}

/// The same for the public part.
///
/// SAFETY: the same.
pub(super) unsafe fn public_key(key: *mut c_void) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    // SAFETY: the caller's promise.
    unsafe { read(key, ffi::PUBLIC_KEY, &mut bytes)?.then_some(bytes) }
}

/// Whether `key` has what `name` says; `bytes` is that then.
///
/// SAFETY: `key` is null or a live key of this management.
unsafe fn read(key: *mut c_void, name: &CStr, bytes: &mut [u8; LENGTH]) -> Option<bool> {
    let original = &TABLES.get()?.original;
    if key.is_null() {
        return None;
    }
    let mut params = octets(name, bytes.as_mut_ptr());
    // SAFETY: a live key, and a list of one buffer that outlives the call.
    match unsafe { (original.get_params)(key, params.as_mut_ptr()) } {
        1 => Some(params[0].return_size == LENGTH),
        _ => None,
    }
}

/// A list of one parameter, a key at `bytes`.
fn octets(name: &CStr, bytes: *mut u8) -> [OSSL_PARAM; 2] {
    // SAFETY: only puts together what it gets.
    unsafe {
        [sys::OSSL_PARAM_construct_octet_string(name.as_ptr(), bytes.cast(), LENGTH), sys::OSSL_PARAM_construct_end()]
    }
}

/// A generation: the default provider's, which checks what it is given, and what we need to know of it.
struct Generation {
    inner: *mut c_void,
    provider: *mut c_void,
    /// A key pair is wanted, and it is to be random.
    random_pair: bool,
}

unsafe extern "C" fn gen_init(provider: *mut c_void, selection: c_int, params: *const OSSL_PARAM) -> *mut c_void {
    guard(ptr::null_mut(), || {
        let original = &TABLES.get()?.original;
        // SAFETY: OpenSSL calls with the provider's context, which is the default provider's, and a list or null.
        let inner = unsafe { (original.gen_init)(provider, selection, params) };
        if inner.is_null() {
            return None;
        }
        // SAFETY: the list again.
        let random_pair = selection & ffi::SELECT_KEYPAIR != 0 && unsafe { only_group(params) };
        Some(Box::into_raw(Box::new(Generation { inner, provider, random_pair })).cast())
    })
}

unsafe extern "C" fn gen_set_params(generation: *mut c_void, params: *const OSSL_PARAM) -> c_int {
    guard(0, || {
        // SAFETY: null or what `gen_init` gave, which one thread uses at a time; a list or null.
        unsafe {
            let generation = generation.cast::<Generation>().as_mut()?;
            generation.random_pair &= only_group(params);
            Some((TABLES.get()?.original.gen_set_params)(generation.inner, params))
        }
    })
}

/// Anything but a group's name may ask for a key that is derived from something (DHKEM of RFC 9180).
///
/// SAFETY: `params` is null or a list of parameters.
unsafe fn only_group(mut params: *const OSSL_PARAM) -> bool {
    // SAFETY: the caller's promise: a list ends with a null name.
    unsafe {
        while let Some(name) = params.as_ref().and_then(|param| param.key.as_ref()) {
            if CStr::from_ptr(name) != ffi::GROUP_NAME {
                return false;
            }
            params = params.add(1);
        }
    }
    true
}

unsafe extern "C" fn gen(generation: *mut c_void, progress: *mut c_void, arg: *mut c_void) -> *mut c_void {
    guard(ptr::null_mut(), || {
        let original = &TABLES.get()?.original;
        // SAFETY: null or what `gen_init` gave.
        let generation = unsafe { generation.cast::<Generation>().as_ref()? };
        if !generation.random_pair {
            // SAFETY: the default provider's own generation, and OpenSSL's arguments.
            return Some(unsafe { (original.gen)(generation.inner, progress, arg) });
        }
        let mut pair = x25519::generate()?;
        let [private, _] = octets(ffi::PRIVATE_KEY, pair.private.as_mut_ptr());
        let [public, end] = octets(ffi::PUBLIC_KEY, pair.public.as_mut_ptr());
        // SAFETY: the default provider's context; a key that is checked, and freed or given away; a list whose buffers
        // outlive the call that copies them.
        unsafe {
            let key = (original.new)(generation.provider);
            if key.is_null() || (original.import)(key, ffi::SELECT_KEYPAIR, [private, public, end].as_ptr()) == 1 {
                return Some(key);
            }
            (original.free)(key);
        }
        None
    })
}

unsafe extern "C" fn gen_cleanup(generation: *mut c_void) {
    guard((), || {
        if !generation.is_null() {
            // SAFETY: what `gen_init` gave; it is not used after this.
            unsafe {
                let generation = Box::from_raw(generation.cast::<Generation>());
                (TABLES.get()?.original.gen_cleanup)(generation.inner);
            }
        }
        Some(())
    })
}
