//! What providers are made of, as `openssl/core.h` and its neighbours state it; the openssl-sys crate has little of it.

#![allow(non_snake_case)]

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_void, CStr};

use openssl_sys::{OSSL_LIB_CTX, OSSL_PARAM, OSSL_PROVIDER};

// From `openssl/core_dispatch.h`.
pub const PROVIDER_QUERY_OPERATION: c_int = 1027;
pub const OP_KDF: c_int = 4;
pub const OP_KEYMGMT: c_int = 10;
pub const OP_KEYEXCH: c_int = 11;
pub const KEYMGMT_NEW: c_int = 1;
pub const KEYMGMT_GEN_INIT: c_int = 2;
pub const KEYMGMT_GEN_SET_TEMPLATE: c_int = 3;
pub const KEYMGMT_GEN_SET_PARAMS: c_int = 4;
pub const KEYMGMT_GEN: c_int = 6;
pub const KEYMGMT_GEN_CLEANUP: c_int = 7;
pub const KEYMGMT_FREE: c_int = 10;
pub const KEYMGMT_GET_PARAMS: c_int = 11;
pub const KEYMGMT_GEN_GET_PARAMS: c_int = 15;
pub const KEYMGMT_GEN_GETTABLE_PARAMS: c_int = 16;
pub const KEYMGMT_IMPORT: c_int = 40;
pub const KEYEXCH_NEWCTX: c_int = 1;
pub const KEYEXCH_INIT: c_int = 2;
pub const KEYEXCH_DERIVE: c_int = 3;
pub const KEYEXCH_SET_PEER: c_int = 4;
pub const KEYEXCH_FREECTX: c_int = 5;
pub const KEYEXCH_DUPCTX: c_int = 6;
pub const KDF_NEWCTX: c_int = 1;
pub const KDF_FREECTX: c_int = 3;
pub const KDF_DERIVE: c_int = 5;
pub const KDF_SET_CTX_PARAMS: c_int = 11;
pub const SELECT_KEYPAIR: c_int = 3;

// From `openssl/core.h` and `openssl/kdf.h`.
pub const INTEGER: c_uint = 1;
pub const EXTRACT_ONLY: c_int = 1;
pub const EXPAND_ONLY: c_int = 2;

// From `openssl/core_names.h`.
pub const PRIVATE_KEY: &CStr = c"priv";
pub const PUBLIC_KEY: &CStr = c"pub";
pub const GROUP_NAME: &CStr = c"group";

// From `openssl/err.h` and `openssl/proverr.h`.
pub const ERR_LIB_PROV: c_int = 57;
pub const OUTPUT_BUFFER_TOO_SMALL: c_int = 106;
pub const MISSING_KEY: c_int = 128;
pub const FAILED_DURING_DERIVATION: c_int = 164;

pub type Function = unsafe extern "C" fn();
pub type New = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
pub type Free = unsafe extern "C" fn(*mut c_void);
pub type GetParams = unsafe extern "C" fn(*mut c_void, *mut OSSL_PARAM) -> c_int;
pub type Import = unsafe extern "C" fn(*mut c_void, c_int, *const OSSL_PARAM) -> c_int;
pub type GenInit = unsafe extern "C" fn(*mut c_void, c_int, *const OSSL_PARAM) -> *mut c_void;
pub type SetParams = unsafe extern "C" fn(*mut c_void, *const OSSL_PARAM) -> c_int;
pub type Gen = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_void) -> *mut c_void;
pub type SetKey = unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int;
pub type InitExchange = unsafe extern "C" fn(*mut c_void, *mut c_void, *const OSSL_PARAM) -> c_int;
pub type Derive = unsafe extern "C" fn(*mut c_void, *mut c_uchar, *mut usize, usize) -> c_int;
pub type DeriveKey = unsafe extern "C" fn(*mut c_void, *mut c_uchar, usize, *const OSSL_PARAM) -> c_int;
pub type Query = unsafe extern "C" fn(*mut c_void, c_int, *mut c_int) -> *const Algorithm;
pub type Init = unsafe extern "C" fn(*const c_void, *const Dispatch, *mut *const Dispatch, *mut *mut c_void) -> c_int;

/// `OSSL_DISPATCH`; the last of a table has the id 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Dispatch {
    pub id: c_int,
    pub function: Option<Function>,
}

impl Dispatch {
    pub const END: Dispatch = Dispatch { id: 0, function: None };

    pub fn new(id: c_int, function: Function) -> Dispatch {
        Dispatch { id, function: Some(function) }
    }
}

/// `OSSL_ALGORITHM`; the last of a table has no names.
#[repr(C)]
pub struct Algorithm {
    pub names: *const c_char,
    pub properties: *const c_char,
    pub functions: *const Dispatch,
    pub description: *const c_char,
}

extern "C" {
    pub fn OSSL_PROVIDER_add_builtin(library: *mut OSSL_LIB_CTX, name: *const c_char, init: Init) -> c_int;
    pub fn OSSL_PROVIDER_query_operation(
        provider: *const OSSL_PROVIDER,
        operation: c_int,
        no_cache: *mut c_int,
    ) -> *const Algorithm;
    pub fn OSSL_PROVIDER_get0_provider_ctx(provider: *const OSSL_PROVIDER) -> *mut c_void;
    pub fn EVP_set_default_properties(library: *mut OSSL_LIB_CTX, query: *const c_char) -> c_int;
}
