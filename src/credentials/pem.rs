//! PEM in.
//!
//! None of these readers ever asks a terminal for a password: without a password callback of its own OpenSSL would.

use std::ffi::{c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use foreign_types_shared::ForeignType;
use memchr::memmem;
use openssl::dh::Dh;
use openssl::error::ErrorStack;
use openssl::pkcs7::Pkcs7;
use openssl::pkey::{PKey, Params, Private};
use openssl::x509::{X509Crl, X509};
use openssl_sys as ffi;
use zeroize::Zeroizing;

use super::library::wiped;
use super::secret::Opened;
use crate::credentials::{start_openssl, Secret};
use crate::error::{Error, Result};

/// `ERR_LIB_PEM` and `PEM_R_NO_START_LINE` of `openssl/err.h` and `openssl/pemerr.h`.
const LIBRARY_PEM: c_int = 9;
const NO_START_LINE: c_int = 108;

type PasswordCallback = unsafe extern "C" fn(*mut c_char, c_int, c_int, *mut c_void) -> c_int;

extern "C" {
    /// Reads `TRUSTED CERTIFICATE` blocks too.
    fn PEM_read_bio_X509_AUX(
        bio: *mut ffi::BIO,
        out: *mut *mut ffi::X509,
        password: Option<PasswordCallback>,
        data: *mut c_void,
    ) -> *mut ffi::X509;
}

/// Whether `text` holds a block of PEM.
pub fn is_pem(text: &[u8]) -> bool {
    memmem::find(text, b"-----BEGIN").is_some()
}

/// Whether there is a block of a private key of any kind, encrypted or not.
pub fn has_private_key(pem: &[u8]) -> bool {
    pem.split(|&b| b == b'\n').any(|line| line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----"))
}

/// `pem` with lines as OpenSSL takes them: without the indentation of a text in a program, without a byte order mark
/// in front.
pub fn tidied(pem: &[u8]) -> Zeroizing<Vec<u8>> {
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
    let mut text = Zeroizing::new(Vec::with_capacity(pem.len() + 1));
    for line in pem.split(|&b| b == b'\n') {
        text.extend_from_slice(line.trim_ascii());
        text.push(b'\n');
    }
    text
}

/// A certificate and the ones behind it, as in a server's certificate file: the first must be there; text around the
/// blocks does not count.
pub fn certificate_chain(pem: &[u8]) -> Result<(X509, Vec<X509>)> {
    let source = Source::new(pem)?;
    let leaf = source.certificate_aux().ok_or_else(|| Error::take_openssl("No certificate in the PEM data"))?;
    Ok((leaf, source.certificates()?))
}

/// Every certificate in `pem`; none at all is no error, a broken one is.
pub fn certificates(pem: &[u8]) -> Result<Vec<X509>> {
    Source::new(pem)?.certificates()
}

/// Every certificate up to the first block that is none. Anything else in `pem`, and nothing at all, is no error: this
/// is how Node reads its `ca` option.
pub fn ca_certificates(pem: &[u8]) -> Result<Vec<X509>> {
    let source = Source::new(pem)?;
    let list = std::iter::from_fn(|| source.certificate_aux()).collect();
    let _ = ErrorStack::get();
    Ok(list)
}

/// Every certificate of `pems`, each of which must hold one at least.
pub fn certificate_list<'a>(pems: impl IntoIterator<Item = &'a str>) -> Result<Vec<X509>> {
    let mut list = Vec::new();
    for pem in pems {
        let (leaf, rest) = certificate_chain(pem.as_bytes())?;
        list.push(leaf);
        list.extend(rest);
    }
    Ok(list)
}

/// Each as a text of its own.
pub fn to_pem(certificates: &[X509]) -> Result<Vec<String>> {
    let text = |certificate: &X509| Ok(String::from_utf8_lossy(&certificate.to_pem()?).into_owned());
    certificates.iter().map(text).collect()
}

/// A private key of any type, encrypted or not.
pub fn private_key(pem: &[u8], passphrase: Option<&Secret>) -> Result<PKey<Private>> {
    let source = Source::new(pem)?;
    let clear = passphrase.map(Secret::open).transpose()?;
    let data = clear.as_ref().map_or(ptr::null_mut(), |clear| ptr::from_ref(clear).cast_mut().cast::<c_void>());
    // SAFETY: the BIO lives through the call; `data` is null or the `Opened` that `clear` keeps alive, as
    // `give_passphrase` asks. The key that comes back is ours to free.
    wiped(|| unsafe {
        let key = ffi::PEM_read_bio_PrivateKey(source.bio, ptr::null_mut(), Some(give_passphrase), data);
        match key.is_null() {
            true => Err(unreadable_key(pem)),
            false => Ok(PKey::from_ptr(key)),
        }
    })
}

/// The blocks of private keys in `pem`, each up to the next block.
pub fn private_key_blocks(pem: &[u8]) -> impl Iterator<Item = &[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut rest = &pem[memmem::find(pem, BEGIN).unwrap_or(pem.len())..];
    let blocks = std::iter::from_fn(move || {
        let block = rest;
        let end = memmem::find(block.get(BEGIN.len()..)?, BEGIN).map_or(block.len(), |at| at + BEGIN.len());
        rest = &block[end..];
        Some(&block[..end])
    });
    blocks.filter(|block| has_private_key(block))
}

/// The PKCS#7 structure in `pem`.
pub fn pkcs7(pem: &[u8]) -> Result<Pkcs7> {
    let source = Source::new(pem)?;
    // SAFETY: as in `certificate`.
    unsafe {
        let found = ffi::PEM_read_bio_PKCS7(source.bio, ptr::null_mut(), Some(no_passphrase), ptr::null_mut());
        match found.is_null() {
            true => Err(Error::take_openssl("PEM_read_bio_PKCS7")),
            false => Ok(Pkcs7::from_ptr(found)),
        }
    }
}

/// One wrong passphrase in 256 decrypts to something whose padding looks right. What OpenSSL says then is that it does
/// not know such a key; what is wrong is still the passphrase.
fn unreadable_key(pem: &[u8]) -> Error {
    let error = Error::take_openssl("PEM_read_bio_PrivateKey");
    let encrypted = pem.windows(9).any(|w| w == b"ENCRYPTED");
    if !encrypted || error.code.contains("BAD_DECRYPT") || error.code.contains("INTERRUPTED") {
        return error;
    }
    Error {
        library: Some("Provider routines".into()),
        reason: Some("bad decrypt".into()),
        ..Error::new("ERR_OSSL_BAD_DECRYPT", "error:1C800064:Provider routines::bad decrypt")
    }
}

/// The first revocation list; `None` when there is none.
pub fn revocation_list(pem: &[u8]) -> Result<Option<X509Crl>> {
    let source = Source::new(pem)?;
    // SAFETY: as in `certificate`.
    let crl = unsafe {
        let crl = ffi::PEM_read_bio_X509_CRL(source.bio, ptr::null_mut(), Some(no_passphrase), ptr::null_mut());
        (!crl.is_null()).then(|| X509Crl::from_ptr(crl))
    };
    let _ = ErrorStack::get();
    Ok(crl)
}

/// Diffie-Hellman parameters; `None` when there are none.
pub fn dh_parameters(pem: &[u8]) -> Result<Option<Dh<Params>>> {
    let source = Source::new(pem)?;
    // SAFETY: as in `certificate`.
    let dh = unsafe {
        let dh = ffi::PEM_read_bio_DHparams(source.bio, ptr::null_mut(), Some(no_passphrase), ptr::null_mut());
        (!dh.is_null()).then(|| Dh::from_ptr(dh))
    };
    let _ = ErrorStack::get();
    Ok(dh)
}

/// A read-only BIO over borrowed bytes, freed at the end.
pub(super) struct Source<'a> {
    pub(super) bio: *mut ffi::BIO,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        start_openssl();
        let length = c_int::try_from(bytes.len())
            .map_err(|_| Error::new("ERR_INVALID_ARG_VALUE", "The data is longer than 2 GiB"))?;
        let _ = ErrorStack::get();
        // SAFETY: the BIO only reads `length` bytes, which outlive it by the lifetime above. A length of 0 would read
        // nothing; -1, "up to the NUL", cannot come about.
        let bio = unsafe { ffi::BIO_new_mem_buf(bytes.as_ptr().cast(), length) };
        match bio.is_null() {
            true => Err(Error::take_openssl("BIO_new_mem_buf")),
            false => Ok(Source { bio, bytes: PhantomData }),
        }
    }

    /// All that are left; an error when one of them is broken.
    fn certificates(&self) -> Result<Vec<X509>> {
        let list = std::iter::from_fn(|| self.certificate()).collect();
        let stack = ErrorStack::get();
        match stack.errors().last() {
            Some(e) if e.library_code() != LIBRARY_PEM || e.reason_code() != NO_START_LINE => Err(stack.into()),
            _ => Ok(list),
        }
    }

    fn certificate(&self) -> Option<X509> {
        // SAFETY: the BIO is alive; the result is null or an object that is ours to free.
        unsafe {
            let x = ffi::PEM_read_bio_X509(self.bio, ptr::null_mut(), Some(no_passphrase), ptr::null_mut());
            (!x.is_null()).then(|| X509::from_ptr(x))
        }
    }

    fn certificate_aux(&self) -> Option<X509> {
        // SAFETY: as above.
        unsafe {
            let x = PEM_read_bio_X509_AUX(self.bio, ptr::null_mut(), Some(no_passphrase), ptr::null_mut());
            (!x.is_null()).then(|| X509::from_ptr(x))
        }
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        // SAFETY: made in `new`, freed only here.
        unsafe { ffi::BIO_free_all(self.bio) }
    }
}

unsafe extern "C" fn no_passphrase(_: *mut c_char, _: c_int, _: c_int, _: *mut c_void) -> c_int {
    0
}

/// `data` is null or points to the passphrase, an `Opened`. -1 stops the reader with "interrupted or cancelled", Node's
/// answer when a passphrase is missing.
unsafe extern "C" fn give_passphrase(buffer: *mut c_char, size: c_int, _: c_int, data: *mut c_void) -> c_int {
    // SAFETY: `private_key` passes null or a value that it keeps alive; OpenSSL's buffer has `size` bytes.
    unsafe {
        let Some(passphrase) = data.cast::<Opened>().as_ref() else { return -1 };
        let Ok(length) = c_int::try_from(passphrase.len()) else { return -1 };
        if length > size {
            return -1;
        }
        ptr::copy_nonoverlapping(passphrase.as_ptr().cast(), buffer, passphrase.len());
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_passphrase_is_a_bad_decrypt() {
        let made = crate::credentials::generate_certificate(&["a".to_owned()], 1, Default::default()).unwrap();
        let key = PKey::private_key_from_pem(made.key.as_bytes()).unwrap();
        let sealed = key.private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"right").unwrap();
        // Enough for some whose padding looks right.
        for wrong in 0..600 {
            let wrong = Secret::new(format!("wrong {wrong}").into_bytes()).unwrap();
            assert_eq!(private_key(&sealed, Some(&wrong)).unwrap_err().code, "ERR_OSSL_BAD_DECRYPT");
        }
        assert!(private_key(&sealed, Some(&Secret::new(b"right".to_vec()).unwrap())).is_ok());
    }
}
