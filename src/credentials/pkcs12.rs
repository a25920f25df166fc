//! PKCS#12 in.

use std::ffi::{c_char, c_int};
use std::ptr;

use foreign_types_shared::ForeignType;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::stack::Stack;
use openssl::x509::X509;
use openssl_sys as ffi;
use zeroize::Zeroize;

use super::library::wiped;
use super::pem::Source;
use super::secret::Opened;
use crate::credentials::{start_openssl, Identity, Secret};
use crate::error::{Error, Result};

/// `ERR_R_UNSUPPORTED` and `ERR_R_FETCH_FAILED` of `openssl/err.h`: an algorithm that the loaded providers lack.
const REASON_UNSUPPORTED: c_int = 268 | (2 << 18);
const NID_PKCS7_DATA: c_int = 21;

extern "C" {
    fn d2i_PKCS12_bio(bio: *mut ffi::BIO, file: *mut *mut ffi::PKCS12) -> *mut ffi::PKCS12;
    fn PKCS12_init_ex(mode: c_int, library: *mut ffi::OSSL_LIB_CTX, properties: *const c_char) -> *mut ffi::PKCS12;
}

/// What to do with a PKCS#12 file of an old tool, encrypted with RC2-40 or DES.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyPkcs12 {
    /// `ERR_CRYPTO_UNSUPPORTED_OPERATION`, as in Node.
    Refuse,
    /// OpenSSL's legacy provider reads it. It is loaded into a library context of its own for that one read: nothing
    /// else ever finds those algorithms.
    Read,
}

/// Reads a PKCS#12 file; the chain is the other certificates, in the file's order.
///
/// Errors are worded as Node's: `mac verify failure`, `not enough data`, `Unsupported PKCS12 PFX data`, ...
pub fn read_pkcs12(der: &[u8], passphrase: Option<&Secret>, legacy: LegacyPkcs12) -> Result<Identity> {
    start_openssl();
    let _ = ErrorStack::get();
    wiped(|| match parse(ptr::null_mut(), der, passphrase) {
        Err(Failure::Unsupported(_)) if legacy == LegacyPkcs12::Read => read_legacy(der, passphrase),
        Err(failure) => Err(failure.into()),
        Ok(identity) => Ok(identity),
    })
}

enum Failure {
    Unsupported(Error),
    Other(Error),
}

impl Failure {
    fn take() -> Self {
        let stack = ErrorStack::get();
        let unsupported = stack.errors().first().is_some_and(|e| e.reason_code() == REASON_UNSUPPORTED);
        let full = Error::openssl(&stack, "Unknown error");
        if unsupported {
            let message = "Unsupported PKCS12 PFX data".to_owned();
            let code = "ERR_CRYPTO_UNSUPPORTED_OPERATION".into();
            return Failure::Unsupported(Error { code, message, ..full });
        }
        let message = full.reason.as_deref().unwrap_or("Unknown error").to_owned();
        Failure::Other(Error { message, ..full })
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unsupported(e) | Failure::Other(e) => e,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Other(error)
    }
}

fn read_legacy(der: &[u8], passphrase: Option<&Secret>) -> Result<Identity> {
    let legacy = Legacy::load()?;
    let identity = parse(legacy.library, der, passphrase)?;
    // The objects belong to the legacy library context, which goes at the end: carry them over as bytes.
    let mut key_der = identity.key.private_key_to_pkcs8()?;
    let key = PKey::private_key_from_pkcs8(&key_der);
    key_der.zeroize();
    let copy = |x: &X509| X509::from_der(&x.to_der()?);
    let chain = identity.chain.iter().map(copy).collect::<Result<_, ErrorStack>>()?;
    Ok(Identity { key: key?, certificate: copy(&identity.certificate)?, chain })
}

fn parse(
    library: *mut ffi::OSSL_LIB_CTX,
    der: &[u8],
    passphrase: Option<&Secret>,
) -> std::result::Result<Identity, Failure> {
    let source = Source::new(der)?;
    let clear = passphrase.map(Secret::open).transpose()?;
    // OpenSSL takes a C string: a NUL ends the password here as it does in Node. Without a password it gets "".
    let password = clear.as_ref().map_or(c"", Opened::as_c_str);

    // SAFETY: every pointer is ours: made by OpenSSL in this block, wrapped in its owner as soon as it is known to be
    // good, and freed once. `password` and `source` live through the calls.
    unsafe {
        let mut file = PKCS12_init_ex(NID_PKCS7_DATA, library, ptr::null());
        if file.is_null() {
            return Err(Failure::take());
        }
        // On failure the object is freed and the pointer cleared.
        if d2i_PKCS12_bio(source.bio, &mut file).is_null() {
            ffi::PKCS12_free(file);
            return Err(Failure::take());
        }
        let mut key = ptr::null_mut();
        let mut certificate = ptr::null_mut();
        let mut chain = ptr::null_mut();
        let parsed = ffi::PKCS12_parse(file, password.as_ptr(), &mut key, &mut certificate, &mut chain);
        ffi::PKCS12_free(file);
        if parsed != 1 {
            return Err(Failure::take());
        }
        let key = (!key.is_null()).then(|| PKey::from_ptr(key));
        let certificate = (!certificate.is_null()).then(|| X509::from_ptr(certificate));
        let chain: Vec<X509> = match chain.is_null() {
            true => Vec::new(),
            false => Stack::<X509>::from_ptr(chain).into_iter().collect(),
        };
        let lacks = |what| Error::new("ERR_CRYPTO_OPERATION_FAILED", format!("Unable to load {what} from PFX data"));
        Ok(Identity {
            key: key.ok_or_else(|| lacks("private key"))?,
            certificate: certificate.ok_or_else(|| lacks("certificate"))?,
            chain,
        })
    }
}

/// A library context with the default and the legacy provider.
struct Legacy {
    library: *mut ffi::OSSL_LIB_CTX,
    providers: Vec<*mut ffi::OSSL_PROVIDER>,
}

impl Legacy {
    fn load() -> Result<Self> {
        // SAFETY: both calls make objects that are ours; Drop gives them back in the reverse order.
        unsafe {
            let library = ffi::OSSL_LIB_CTX_new();
            if library.is_null() {
                return Err(Error::take_openssl("OSSL_LIB_CTX_new"));
            }
            let mut legacy = Legacy { library, providers: Vec::with_capacity(2) };
            for name in [c"default", c"legacy"] {
                let provider = ffi::OSSL_PROVIDER_load(library, name.as_ptr());
                if provider.is_null() {
                    let _ = ErrorStack::get();
                    return Err(Error::new("ERR_CRYPTO_UNSUPPORTED_OPERATION", "Unsupported PKCS12 PFX data"));
                }
                legacy.providers.push(provider);
            }
            Ok(legacy)
        }
    }
}

impl Drop for Legacy {
    fn drop(&mut self) {
        // SAFETY: loaded in `load`, unloaded only here, after every object made with them is gone (`read_legacy` drops
        // its identity first).
        unsafe {
            for provider in self.providers.drain(..).rev() {
                ffi::OSSL_PROVIDER_unload(provider);
            }
            ffi::OSSL_LIB_CTX_free(self.library);
        }
    }
}
