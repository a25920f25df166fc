//! TLS 1.3's key derivation without OpenSSL's detours: for each of some thirty keys of a handshake that makes a context,
//! looks the hash up by its name, copies every parameter, and makes an HMAC context.

use std::ffi::{c_int, c_uchar, c_void, CStr};
use std::{mem, slice};

use openssl_sys::OSSL_PARAM;
use zeroize::Zeroizing;

use super::ffi::{self, DeriveKey, Dispatch, Free, Function, New, SetParams};
use super::{guard, TABLES};
use crate::credentials::hkdf::{Hash, MAX_HASH};

/// `PROV_NAMES_TLS1_3_KDF` of OpenSSL.
pub(super) const TLS13_KDF: &CStr = c"TLS13-KDF";

/// The default provider's functions, for what is not ours to derive.
pub(super) struct Original {
    new: New,
    free: Free,
    derive: DeriveKey,
}

impl Original {
    /// SAFETY: `functions` are those of a key derivation, with the types that the header gives their ids.
    pub(super) unsafe fn find(functions: &[Dispatch]) -> Option<Original> {
        let find = |id| functions.iter().find(|entry| entry.id == id)?.function;
        // SAFETY: the caller's promise.
        unsafe {
            Some(Original {
                new: mem::transmute::<Function, New>(find(ffi::KDF_NEWCTX)?),
                free: mem::transmute::<Function, Free>(find(ffi::KDF_FREECTX)?),
                derive: mem::transmute::<Function, DeriveKey>(find(ffi::KDF_DERIVE)?),
            })
        }
    }
}

/// Without SHA instructions OpenSSL's hash is so much the faster one that nothing is won.
pub(super) fn pays() -> bool {
    is_x86_feature_detected!("sha")
}

pub(super) fn functions() -> Vec<Dispatch> {
    // SAFETY: each has the type that the header gives the function of its id.
    unsafe {
        vec![
            Dispatch::new(ffi::KDF_NEWCTX, mem::transmute::<New, Function>(new)),
            Dispatch::new(ffi::KDF_FREECTX, mem::transmute::<Free, Function>(free)),
            Dispatch::new(ffi::KDF_DERIVE, mem::transmute::<DeriveKey, Function>(derive)),
            Dispatch::new(ffi::KDF_SET_CTX_PARAMS, mem::transmute::<SetParams, Function>(set_params)),
        ]
    }
}

/// A context remembers nothing, since libssl gives every parameter with the derivation: the provider's own stands for it.
unsafe extern "C" fn new(provider: *mut c_void) -> *mut c_void {
    provider
}

unsafe extern "C" fn free(_: *mut c_void) {}

/// Refused rather than forgotten.
unsafe extern "C" fn set_params(_: *mut c_void, params: *const OSSL_PARAM) -> c_int {
    // SAFETY: null or a list, which ends with a null name.
    let any = unsafe { params.as_ref() }.is_some_and(|param| !param.key.is_null());
    c_int::from(!any)
}

unsafe extern "C" fn derive(
    provider: *mut c_void,
    out: *mut c_uchar,
    length: usize,
    params: *const OSSL_PARAM,
) -> c_int {
    guard(0, || {
        if out.is_null() {
            return None;
        }
        // SAFETY: OpenSSL gives a list and so much room.
        let derived = unsafe {
            let out = slice::from_raw_parts_mut(out, length);
            Given::read(params).and_then(|given| given.derive(out))
        };
        if derived.is_some() {
            return Some(1);
        }
        let original = &TABLES.get()?.derivation.as_ref()?;
        // SAFETY: the default provider's context is ours; the arguments are OpenSSL's.
        unsafe {
            let context = (original.new)(provider);
            if context.is_null() {
                return None;
            }
            let derived = (original.derive)(context, out, length, params);
            (original.free)(context);
            Some(derived)
        }
    })
}

/// The parameters of one derivation.
#[derive(Default)]
struct Given<'a> {
    mode: c_int,
    digest: &'a [u8],
    key: Option<&'a [u8]>,
    salt: Option<&'a [u8]>,
    prefix: &'a [u8],
    label: &'a [u8],
    data: &'a [u8],
}

impl<'a> Given<'a> {
    /// `None` where there is something unknown.
    ///
    /// SAFETY: `params` is null or a list of parameters, whose data live as long as the result.
    unsafe fn read(mut params: *const OSSL_PARAM) -> Option<Given<'a>> {
        let mut given = Given { mode: -1, ..Given::default() };
        // SAFETY: the caller's promise: a list ends with a null name, and data have their size.
        unsafe {
            while let Some(param) = params.as_ref().filter(|param| !param.key.is_null()) {
                let data = match param.data.is_null() {
                    true => &[][..],
                    false => slice::from_raw_parts(param.data.cast::<u8>(), param.data_size),
                };
                match CStr::from_ptr(param.key).to_bytes() {
                    b"mode" if param.data_type == ffi::INTEGER => {
                        given.mode = c_int::from_ne_bytes(data.try_into().ok()?);
                    }
                    b"digest" => given.digest = data,
                    b"key" => given.key = Some(data),
                    b"salt" => given.salt = Some(data),
                    b"prefix" => given.prefix = data,
                    b"label" => given.label = data,
                    b"data" => given.data = data,
                    _ => return None,
                }
                params = params.add(1);
            }
        }
        Some(given)
    }

    fn hash(&self) -> Option<Hash> {
        let is = |name: &[u8]| self.digest.eq_ignore_ascii_case(name);
        if is(b"SHA2-256") || is(b"SHA256") {
            return Some(Hash::Sha256);
        }
        (is(b"SHA2-384") || is(b"SHA384")).then_some(Hash::Sha384)
    }

    /// `None` for what is left to the default provider, which also knows the reason if it is an error.
    fn derive(&self, out: &mut [u8]) -> Option<()> {
        let hash = self.hash()?;
        match self.mode {
            ffi::EXPAND_ONLY => hash.expand_label(self.key?, [self.prefix, self.label], self.data, out),
            ffi::EXTRACT_ONLY => self.next_stage(hash, out),
            _ => None,
        }
    }

    /// From one stage of the key schedule to the next: the salt is the secret before (RFC 8446, 7.1).
    fn next_stage(&self, hash: Hash, out: &mut [u8]) -> Option<()> {
        let zeros = [0; MAX_HASH];
        let zeros = &zeros[..hash.length()];
        let mut derived = Zeroizing::new([0; MAX_HASH]);
        let derived = &mut derived[..hash.length()];
        if let Some(secret) = self.salt {
            hash.expand_label(secret, [self.prefix, self.label], &hash.of(&[]), derived)?;
        }
        hash.extract(derived, self.key.unwrap_or(zeros), out)
    }
}
