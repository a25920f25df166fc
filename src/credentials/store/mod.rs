//! Certificate stores: files and blobs that hold certificates, private keys or both, in the formats of IPWorks'
//! `CertStoreTypes`.
//!
//! Everything in here is a reader: a store is opened, searched and forgotten. The formats themselves are read by OpenSSL
//! and by crates; what is done here is to bound their input, to find out which format it is, and to bring certificates,
//! keys and chains together.

mod content;
mod file;
mod jwk;
mod keys;
mod pfx;
mod select;
mod ssh;

use openssl::pkey::{PKey, Private, Public};
use openssl::x509::X509;

use crate::credentials::Secret;
use crate::error::{Error, Result};

pub use select::Selected;
pub(super) use ssh::wire_form;

/// The largest store, file or blob, in bytes: some thousand certificates.
pub const MAX_STORE: usize = 4 << 20;
/// Certificates in a store; what Linux trusts is some 150.
pub const MAX_CERTIFICATES: usize = 1000;
/// Private keys in a store. Each is compared with every certificate.
pub const MAX_KEYS: usize = 100;

/// The code of every error that says why a store cannot be opened.
const CODE: &str = "ERR_C4TLS_CERTIFICATE_STORE";

/// What a store is, apart from where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Pfx,
    PemKey,
    Certificate,
    SshPublicKey,
    Pkcs7,
    Ppk,
    Jwk,
    /// PKCS#12, which is what keytool makes since Java 9, whatever the file is called.
    Java,
    /// Found by [`content::detect`].
    Auto,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The name of a file.
    File,
    /// The content itself.
    Blob,
    /// The name of a file if there is one by this name, or else the content.
    Either,
}

/// The passwords that open a store.
#[derive(Clone, Copy, Default)]
pub struct Passwords<'a> {
    pub store: Option<&'a Secret>,
    /// Of the private keys, where it is not the store's; an empty one says that they have none.
    pub key: Option<&'a Secret>,
}

impl<'a> Passwords<'a> {
    fn for_keys(&self) -> Option<&'a Secret> {
        self.key.or(self.store).filter(|password| !password.is_empty())
    }
}

/// What was found in a store.
#[derive(Default)]
pub struct CertificateStore {
    /// In the store's order.
    certificates: Vec<X509>,
    keys: Vec<PKey<Private>>,
    /// Keys that came without their private halves, from SSH public keys and such.
    public_keys: Vec<PKey<Public>>,
}

impl CertificateStore {
    /// `store_type` is a number of `CertStoreTypes`; `store` a file's name in UTF-8 or the content, as the type says. For
    /// type 99, which finds out, `is_text` says whether `store` may be a name at all.
    ///
    /// Every error is `ERR_C4TLS_CERTIFICATE_STORE` with a sentence that says why; none of them holds any of `store`.
    pub fn open(store_type: u32, store: &[u8], is_text: bool, passwords: Passwords<'_>) -> Result<Self> {
        let (format, place) = parse_type(store_type, is_text)?;
        super::start_openssl();
        let content = file::content(store, place)?;
        // The crates for SSH's and JSON's keys are not ours: a panic of theirs is an error of the store.
        super::guard(Err(refusal("The store could not be read.")), || {
            Some(content::read(&content, format, passwords).map_err(explain))
        })
    }

    fn add_certificate(&mut self, certificate: X509) -> Result<()> {
        if self.certificates.len() == MAX_CERTIFICATES {
            return Err(refusal(format!("The store holds more than {MAX_CERTIFICATES} certificates.")));
        }
        self.certificates.push(certificate);
        Ok(())
    }

    fn add_key(&mut self, key: PKey<Private>) -> Result<()> {
        if self.keys.len() == MAX_KEYS {
            return Err(refusal(format!("The store holds more than {MAX_KEYS} private keys.")));
        }
        self.keys.push(key);
        Ok(())
    }

    fn add_public_key(&mut self, key: PKey<Public>) -> Result<()> {
        if self.public_keys.len() == MAX_KEYS {
            return Err(refusal(format!("The store holds more than {MAX_KEYS} public keys.")));
        }
        self.public_keys.push(key);
        Ok(())
    }
}

fn parse_type(store_type: u32, is_text: bool) -> Result<(Format, Place)> {
    use Format as F;
    use Place::{Blob, Either, File};
    Ok(match store_type {
        2 => (F::Pfx, File),
        3 => (F::Pfx, Blob),
        6 => (F::PemKey, File),
        7 => (F::PemKey, Blob),
        8 => (F::Certificate, File),
        9 => (F::Certificate, Blob),
        10 => (F::SshPublicKey, Blob),
        11 => (F::Pkcs7, File),
        12 => (F::Pkcs7, Blob),
        13 => (F::SshPublicKey, File),
        14 => (F::Ppk, File),
        15 => (F::Ppk, Blob),
        18 => (F::Jwk, File),
        19 => (F::Jwk, Blob),
        4 => (F::Java, File),
        5 => (F::Java, Blob),
        99 if is_text => (F::Auto, Either),
        99 => (F::Auto, Blob),
        0 | 1 => return Err(refusal(
            "The certificate stores of Windows' users and machines (MY, CA, ROOT, ...) are not available. Use a file \
                 or a blob.",
        )),
        16 | 17 => return Err(refusal("Certificates in XML are not supported. Use PFX or PEM.")),
        21 | 22 => return Err(refusal("Bouncy Castle's key stores are not supported. Convert it to PFX (PKCS#12).")),
        23 => return Err(refusal("PKCS#11 security keys are not supported.")),
        _ => return Err(refusal("There is no such store type.")),
    })
}

fn refusal(sentence: impl Into<String>) -> Error {
    Error::new(CODE, sentence)
}

/// OpenSSL's errors as a sentence for people; the facts stay in `reason` and `stack`.
fn explain(error: Error) -> Error {
    let code = &*error.code;
    let message = match code {
        CODE => return error,
        "ERR_OSSL_BAD_DECRYPT" | "ERR_OSSL_EVP_BAD_DECRYPT" => "The password of the private key is wrong.".to_owned(),
        "ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED" => {
            "The private key is encrypted, and there is no password.".to_owned()
        }
        "ERR_CRYPTO_UNSUPPORTED_OPERATION" => "The store is encrypted in a way that is not supported.".to_owned(),
        _ => match &error.reason {
            Some(reason) => format!("The store is damaged or of another type ({reason})."),
            None => "The store is damaged or of another type.".to_owned(),
        },
    };
    Error { code: CODE.into(), message, ..error }
}

#[cfg(test)]
mod tests;
