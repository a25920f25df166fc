//! The key derivation of TLS 1.3 through OpenSSL's own interface: ours against the default provider's.

use std::ffi::{c_char, c_int, CStr};
use std::ptr;

use openssl::error::ErrorStack;
use openssl_sys as sys;

use super::super::derivation::{self, TLS13_KDF};
use super::super::ffi::{EXPAND_ONLY, EXTRACT_ONLY};
use super::super::x25519;
use crate::credentials::start_openssl;

extern "C" {
    fn EVP_KDF_get0_provider(kdf: *const sys::EVP_KDF) -> *const sys::OSSL_PROVIDER;
    fn EVP_KDF_CTX_set_params(context: *mut sys::EVP_KDF_CTX, params: *const sys::OSSL_PARAM) -> c_int;
    fn OSSL_PROVIDER_get0_name(provider: *const sys::OSSL_PROVIDER) -> *const c_char;
    fn OSSL_PARAM_construct_utf8_string(key: *const c_char, text: *mut c_char, length: usize) -> sys::OSSL_PARAM;
    fn OSSL_PARAM_construct_int(key: *const c_char, value: *mut c_int) -> sys::OSSL_PARAM;
}

/// False: this processor has nothing of ours to test.
fn start() -> bool {
    start_openssl();
    x25519::usable() && derivation::pays()
}

/// A context of the provider that `properties` choose, until `use_it` is done.
fn with_context<T>(properties: Option<&CStr>, use_it: impl FnOnce(*mut sys::EVP_KDF_CTX) -> T) -> (String, T) {
    let properties = properties.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: C strings; what is made here is checked and freed once.
    unsafe {
        let kdf = sys::EVP_KDF_fetch(ptr::null_mut(), TLS13_KDF.as_ptr(), properties);
        assert!(!kdf.is_null());
        let name = CStr::from_ptr(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf))).to_str().unwrap().to_owned();
        let context = sys::EVP_KDF_CTX_new(kdf);
        sys::EVP_KDF_free(kdf);
        assert!(!context.is_null());
        let result = use_it(context);
        sys::EVP_KDF_CTX_free(context);
        (name, result)
    }
}

struct Parameters<'a> {
    mode: c_int,
    digest: &'a CStr,
    octets: &'a [(&'a CStr, Option<&'a [u8]>)],
}

impl Parameters<'_> {
    /// The provider's name, and the key.
    fn derive(&self, properties: Option<&CStr>, length: usize) -> (String, Option<Vec<u8>>) {
        let mut mode = self.mode;
        // SAFETY: every parameter leads to data that outlive the call, with their sizes.
        let derived = with_context(properties, |context| unsafe {
            let mut params = vec![
                OSSL_PARAM_construct_int(c"mode".as_ptr(), &mut mode),
                OSSL_PARAM_construct_utf8_string(c"digest".as_ptr(), self.digest.as_ptr().cast_mut(), 0),
            ];
            for (name, data) in self.octets {
                if let Some(data) = data {
                    let at = data.as_ptr().cast_mut().cast();
                    params.push(sys::OSSL_PARAM_construct_octet_string(name.as_ptr(), at, data.len()));
                }
            }
            params.push(sys::OSSL_PARAM_construct_end());
            let mut out = vec![0; length];
            (sys::EVP_KDF_derive(context, out.as_mut_ptr(), length, params.as_ptr()) == 1).then_some(out)
        });
        let _ = ErrorStack::get();
        derived
    }
}

#[test]
fn it_derives_what_the_default_provider_derives() {
    if !start() {
        return;
    }
    let (secret, data) = ([7; 48], [9; 256]);
    let mut derived = 0;
    for digest in [c"SHA256", c"SHA2-256", c"sha384", c"SHA2-384", c"SHA512", c"SHA3-256", c"none"] {
        for mode in [EXPAND_ONLY, EXTRACT_ONLY, 0] {
            for key in [None, Some(&secret[..20]), Some(&secret[..32]), Some(&secret[..])] {
                for salt in [None, Some(&data[..32]), Some(&data[..48])] {
                    for data in [None, Some(&data[..32]), Some(&data[..255]), Some(&data[..])] {
                        let octets = [
                            (c"key", key),
                            (c"salt", salt),
                            (c"prefix", Some(&b"tls13 "[..])),
                            (c"label", Some(&b"label"[..])),
                            (c"data", data),
                        ];
                        let parameters = Parameters { mode, digest, octets: &octets };
                        for length in [1, 12, 32, 48, 64, 255 * 32, 255 * 48 + 1] {
                            let (ours, key) = parameters.derive(None, length);
                            let (other, same) = parameters.derive(Some(c"provider=default"), length);
                            assert_eq!((&*ours, &*other), ("c4tls", "default"));
                            assert_eq!(key, same, "{digest:?} {mode} {octets:?} {length}");
                            derived += usize::from(key.is_some());
                        }
                    }
                }
            }
        }
    }
    assert!(derived > 100);
}

#[test]
fn what_it_would_forget_it_refuses() {
    if !start() {
        return;
    }
    // SAFETY: the data outlive the call, with their size.
    let (provider, set) = with_context(None, |context| unsafe {
        let salt = c"salt";
        let params = [
            sys::OSSL_PARAM_construct_octet_string(salt.as_ptr(), salt.as_ptr().cast_mut().cast(), 4),
            sys::OSSL_PARAM_construct_end(),
        ];
        EVP_KDF_CTX_set_params(context, params.as_ptr())
    });
    assert_eq!((&*provider, set), ("c4tls", 0));
}
