//! PKCS#12 in.

use std::ffi::{c_char, c_int};
use std::ptr;

use foreign_types_shared::ForeignType;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::{X509Ref, X509};
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
    let carry_over = |identity: &Identity| {
        Ok(Identity {
            key: copy_key(&identity.key)?,
            certificate: copy_certificate(&identity.certificate)?,
            chain: identity.chain.iter().map(|x| copy_certificate(x)).collect::<Result<_>>()?,
        })
    };
    read_with(legacy, |library| parse(library, der, passphrase), carry_over)
}

/// Reads with OpenSSL's default algorithms, and where those do not do, with the legacy ones if `legacy` says so. Objects
/// made with these belong to a library context that goes at the end: `carry_over` copies them.
pub(super) fn read_with<T>(
    legacy: LegacyPkcs12,
    read: impl Fn(*mut ffi::OSSL_LIB_CTX) -> std::result::Result<T, Failure>,
    carry_over: impl FnOnce(&T) -> Result<T>,
) -> Result<T> {
    wiped(|| match read(ptr::null_mut()) {
        Err(Failure::Unsupported(_)) if legacy == LegacyPkcs12::Read => {
            let legacy = Legacy::load()?;
            let found = read(legacy.library)?;
            carry_over(&found)
        }
        Err(failure) => Err(failure.into()),
        Ok(found) => Ok(found),
    })
}

pub(super) fn copy_key(key: &PKeyRef<Private>) -> Result<PKey<Private>> {
    let mut der = key.private_key_to_pkcs8()?;
    let copy = PKey::private_key_from_pkcs8(&der);
    der.zeroize();
    Ok(copy?)
}

pub(super) fn copy_certificate(certificate: &X509Ref) -> Result<X509> {
    Ok(X509::from_der(&certificate.to_der()?)?)
}

/// Why a file cannot be read.
pub(super) enum Failure {
    /// It needs an algorithm that the library context does not have.
    Unsupported(Error),
    Other(Error),
}

impl Failure {
    /// Takes OpenSSL's error queue.
    pub(super) fn take() -> Self {
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

/// A PKCS#12 file whose outer structure was read.
pub(super) struct File(*mut ffi::PKCS12);

impl File {
    pub(super) fn open(library: *mut ffi::OSSL_LIB_CTX, der: &[u8]) -> std::result::Result<Self, Failure> {
        let source = Source::new(der)?;
        // SAFETY: the object is null or ours, freed by Drop; the BIO lives through the call. On failure the object is
        // freed and the pointer cleared.
        unsafe {
            let mut file = File(PKCS12_init_ex(NID_PKCS7_DATA, library, ptr::null()));
            if file.0.is_null() || d2i_PKCS12_bio(source.bio, &mut file.0).is_null() {
                return Err(Failure::take());
            }
            Ok(file)
        }
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::PKCS12 {
        self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: null or made in `open`, freed only here.
        unsafe { ffi::PKCS12_free(self.0) }
    }
}

fn parse(
    library: *mut ffi::OSSL_LIB_CTX,
    der: &[u8],
    passphrase: Option<&Secret>,
) -> std::result::Result<Identity, Failure> {
    let file = File::open(library, der)?;
    let clear = passphrase.map(Secret::open).transpose()?;
    // OpenSSL takes a C string: a NUL ends the password here as it does in Node. Without a password it gets "".
    let password = clear.as_ref().map_or(c"", Opened::as_c_str);
    let mut key = ptr::null_mut();
    let mut certificate = ptr::null_mut();
    let mut chain = ptr::null_mut();
    // SAFETY: `file` and `password` live through the call. What it makes is ours: wrapped in its owner as soon as it is
    // known to be good, and freed once.
    unsafe {
        if ffi::PKCS12_parse(file.as_ptr(), password.as_ptr(), &mut key, &mut certificate, &mut chain) != 1 {
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
        // SAFETY: loaded in `load`, unloaded only here, after every object made with them is gone (`read_with` drops
        // what it read first).
        unsafe {
            for provider in self.providers.drain(..).rev() {
                ffi::OSSL_PROVIDER_unload(provider);
            }
            ffi::OSSL_LIB_CTX_free(self.library);
        }
    }
}
