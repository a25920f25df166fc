//! PKCS#12 with all that is in it: `PKCS12_parse`, which [`read_pkcs12`](crate::credentials::read_pkcs12) uses, gives one
//! key alone.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::ptr;

use foreign_types_shared::ForeignType;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::x509::X509;
use openssl_sys as ffi;

use super::{refusal, CertificateStore, Passwords};
use crate::credentials::pkcs12::{copy_certificate, copy_key, read_with, Failure, File};
use crate::credentials::secret::Opened;
use crate::credentials::{LegacyPkcs12, Secret};
use crate::error::Result;

/// Bags within bags: no program makes more than one level.
const MAX_DEPTH: u32 = 4;

// `openssl/obj_mac.h`.
const NID_PKCS7_DATA: c_int = 21;
const NID_PKCS7_ENCRYPTED: c_int = 26;
const NID_KEY_BAG: c_int = 150;
const NID_SHROUDED_KEY_BAG: c_int = 151;
const NID_CERTIFICATE_BAG: c_int = 152;
const NID_SAFE_CONTENTS_BAG: c_int = 155;

/// `PKCS12_SAFEBAG` of `openssl/pkcs12.h`.
enum Bag {}

extern "C" {
    fn PKCS12_mac_present(file: *const ffi::PKCS12) -> c_int;
    fn PKCS12_verify_mac(file: *mut ffi::PKCS12, password: *const c_char, length: c_int) -> c_int;
    fn PKCS12_unpack_authsafes(file: *const ffi::PKCS12) -> *mut ffi::OPENSSL_STACK;
    fn PKCS12_unpack_p7data(safe: *mut ffi::PKCS7) -> *mut ffi::OPENSSL_STACK;
    fn PKCS12_unpack_p7encdata(
        safe: *mut ffi::PKCS7,
        password: *const c_char,
        length: c_int,
    ) -> *mut ffi::OPENSSL_STACK;
    fn PKCS12_SAFEBAG_free(bag: *mut Bag);
    fn PKCS12_SAFEBAG_get_nid(bag: *const Bag) -> c_int;
    fn PKCS12_SAFEBAG_get0_safes(bag: *const Bag) -> *const ffi::OPENSSL_STACK;
    fn PKCS12_SAFEBAG_get1_cert(bag: *const Bag) -> *mut ffi::X509;
    fn PKCS12_SAFEBAG_get0_p8inf(bag: *const Bag) -> *const ffi::PKCS8_PRIV_KEY_INFO;
    fn PKCS12_decrypt_skey_ex(
        bag: *const Bag,
        password: *const c_char,
        length: c_int,
        library: *mut ffi::OSSL_LIB_CTX,
        properties: *const c_char,
    ) -> *mut ffi::PKCS8_PRIV_KEY_INFO;
    fn EVP_PKCS82PKEY_ex(
        key: *const ffi::PKCS8_PRIV_KEY_INFO,
        library: *mut ffi::OSSL_LIB_CTX,
        properties: *const c_char,
    ) -> *mut ffi::EVP_PKEY;
}

pub(super) fn read(der: &[u8], passwords: Passwords<'_>) -> Result<CertificateStore> {
    let _ = ErrorStack::get();
    let carry_over = |store: &CertificateStore| {
        Ok(CertificateStore {
            certificates: store.certificates.iter().map(|x| copy_certificate(x)).collect::<Result<_>>()?,
            keys: store.keys.iter().map(|key| copy_key(key)).collect::<Result<_>>()?,
            public_keys: Vec::new(),
        })
    };
    let store = read_with(LegacyPkcs12::Read, |library| open(library, der, passwords), carry_over)?;
    match store.certificates.is_empty() && store.keys.is_empty() {
        true => Err(refusal("The store is empty.")),
        false => Ok(store),
    }
}

type Answer<T> = std::result::Result<T, Failure>;

fn open(library: *mut ffi::OSSL_LIB_CTX, der: &[u8], passwords: Passwords<'_>) -> Answer<CertificateStore> {
    let file = File::open(library, der)?;
    let password = passwords.store.map(Secret::open).transpose()?;
    let key_password = passwords.key.filter(|password| !password.is_empty()).map(Secret::open).transpose()?;
    let store_password = store_password(&file, password.as_ref().map_or(c"", Opened::as_c_str))?;
    let mut reader = Reader {
        library,
        key_password: key_password.as_ref().map_or(store_password, |password| Some(password.as_c_str())),
        store: CertificateStore::default(),
    };
    // SAFETY: the file is live; the stack holds PKCS7 objects and is ours.
    let safes = unsafe { Stack::new(PKCS12_unpack_authsafes(file.as_ptr()), free_safe) }?;
    for safe in safes.items() {
        let safe: *mut ffi::PKCS7 = safe.cast();
        // SAFETY: the safe is live as long as `safes`; the stack that comes back holds bags and is ours.
        let bags = unsafe {
            match ffi::OBJ_obj2nid((*safe).type_) {
                NID_PKCS7_DATA => PKCS12_unpack_p7data(safe),
                NID_PKCS7_ENCRYPTED => {
                    let (text, length) = pointer(store_password);
                    PKCS12_unpack_p7encdata(safe, text, length)
                }
                // Sealed for a public key: nothing that a password opens.
                _ => continue,
            }
        };
        let bags = Stack::new(bags, free_bag)?;
        reader.bags(bags.stack, 0)?;
    }
    Ok(reader.store)
}

/// The empty password has two forms, "" and none at all: the file's MAC tells them apart.
fn store_password<'a>(file: &File, password: &'a CStr) -> Answer<Option<&'a CStr>> {
    let given = Some(password);
    // SAFETY: the file is live.
    if unsafe { PKCS12_mac_present(file.as_ptr()) } != 1 {
        return Ok(given.filter(|password| !password.is_empty()));
    }
    let forms: &[Option<&CStr>] = if password.is_empty() { &[None, given] } else { &[given] };
    for form in forms {
        let (text, length) = pointer(*form);
        // SAFETY: the file is live, the text has this length.
        if unsafe { PKCS12_verify_mac(file.as_ptr(), text, length) } == 1 {
            let _ = ErrorStack::get();
            return Ok(form.map(|_| password));
        }
    }
    Err(match Failure::take() {
        Failure::Other(_) => Failure::Other(refusal("The password of the store is wrong.")),
        unsupported => unsupported,
    })
}

fn pointer(password: Option<&CStr>) -> (*const c_char, c_int) {
    let length = password.map_or(0, |password| password.count_bytes());
    (password.map_or(ptr::null(), CStr::as_ptr), c_int::try_from(length).unwrap_or(c_int::MAX))
}

struct Reader<'a> {
    library: *mut ffi::OSSL_LIB_CTX,
    key_password: Option<&'a CStr>,
    store: CertificateStore,
}

impl Reader<'_> {
    /// `bags` is a live stack of bags, or null for none.
    fn bags(&mut self, bags: *const ffi::OPENSSL_STACK, depth: u32) -> Answer<()> {
        if depth > MAX_DEPTH {
            return Err(refusal("The store is nested too deep.").into());
        }
        for bag in items(bags) {
            let bag: *const Bag = bag.cast();
            // SAFETY: the bag is live as long as its stack; what comes back is borrowed from it, or ours where it is
            // wrapped in an owner.
            unsafe {
                match PKCS12_SAFEBAG_get_nid(bag) {
                    NID_CERTIFICATE_BAG => {
                        let certificate = PKCS12_SAFEBAG_get1_cert(bag);
                        // Null: not an X.509 certificate.
                        if !certificate.is_null() {
                            self.store.add_certificate(X509::from_ptr(certificate))?;
                        }
                    }
                    NID_KEY_BAG => self.key(PKCS12_SAFEBAG_get0_p8inf(bag))?,
                    NID_SHROUDED_KEY_BAG => {
                        let (text, length) = pointer(self.key_password);
                        let info = Info(PKCS12_decrypt_skey_ex(bag, text, length, self.library, ptr::null()));
                        if info.0.is_null() {
                            return Err(match Failure::take() {
                                Failure::Other(_) => refusal("The password of the private key is wrong.").into(),
                                unsupported => unsupported,
                            });
                        }
                        self.key(info.0)?;
                    }
                    NID_SAFE_CONTENTS_BAG => self.bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1)?,
                    _ => {}
                }
            }
        }
        let _ = ErrorStack::get();
        Ok(())
    }

    /// SAFETY: `info` is live.
    unsafe fn key(&mut self, info: *const ffi::PKCS8_PRIV_KEY_INFO) -> Answer<()> {
        // SAFETY: the caller's promise; the key is null or ours.
        unsafe {
            let key = EVP_PKCS82PKEY_ex(info, self.library, ptr::null());
            match key.is_null() {
                true => Err(Failure::take()),
                false => Ok(self.store.add_key(PKey::from_ptr(key))?),
            }
        }
    }
}

/// A decrypted key, not decoded yet.
struct Info(*mut ffi::PKCS8_PRIV_KEY_INFO);

impl Drop for Info {
    fn drop(&mut self) {
        // SAFETY: null or ours, freed only here.
        unsafe { ffi::PKCS8_PRIV_KEY_INFO_free(self.0) }
    }
}

/// A stack that owns its items.
struct Stack {
    stack: *mut ffi::OPENSSL_STACK,
    free: unsafe extern "C" fn(*mut c_void),
}

impl Stack {
    /// `stack` is ours, and `free` frees its items; null is OpenSSL's failure.
    fn new(stack: *mut ffi::OPENSSL_STACK, free: unsafe extern "C" fn(*mut c_void)) -> Answer<Self> {
        match stack.is_null() {
            true => Err(Failure::take()),
            false => Ok(Stack { stack, free }),
        }
    }

    fn items(&self) -> impl Iterator<Item = *mut c_void> {
        items(self.stack)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the stack and its items are ours, freed only here.
        unsafe { ffi::OPENSSL_sk_pop_free(self.stack, Some(self.free)) }
    }
}

/// `stack` is live while the iterator is used, or null for an empty one.
fn items(stack: *const ffi::OPENSSL_STACK) -> impl Iterator<Item = *mut c_void> {
    // SAFETY: null has -1 items; others exist below their count.
    unsafe { (0..ffi::OPENSSL_sk_num(stack)).map(move |index| ffi::OPENSSL_sk_value(stack, index)) }
}

unsafe extern "C" fn free_safe(safe: *mut c_void) {
    // SAFETY: OpenSSL gives an item of a stack of PKCS7 objects.
    unsafe { ffi::PKCS7_free(safe.cast()) }
}

unsafe extern "C" fn free_bag(bag: *mut c_void) {
    // SAFETY: OpenSSL gives an item of a stack of bags.
    unsafe { PKCS12_SAFEBAG_free(bag.cast()) }
}
