//! Certificate stores of the IPWorks face: opened, searched, and what was found.

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;
use zeroize::Zeroizing;

use super::secure_context::SecureContext;
use super::throw::{throw, OrThrow};
use crate::credentials::{self, describe, Passwords, Secret, Selected};
use crate::error::Error as CoreError;

/// A password that JavaScript holds without its text.
#[napi]
pub struct SealedPassword {
    secret: Secret,
}

#[napi]
impl SealedPassword {
    /// The caller wipes `clear`.
    #[napi(constructor)]
    pub fn new(env: &Env, clear: &[u8]) -> Result<Self> {
        Ok(SealedPassword { secret: Secret::seal(clear).or_throw(env)? })
    }

    /// In clear.
    #[napi]
    pub fn open(&self, env: &Env) -> Result<Buffer> {
        Ok(self.secret.open().or_throw(env)?.to_vec().into())
    }
}

/// An open store. Errors have the code `ERR_C4TLS_CERTIFICATE_STORE`.
#[napi]
pub struct CertificateStore {
    inner: credentials::CertificateStore,
}

#[napi]
impl CertificateStore {
    /// `store_type`: a number of `CertStoreTypes`. `store`: a file's name in UTF-8, or the content. `is_text`: for a type
    /// that finds out, whether it can be a name.
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        store_type: u32,
        store: &[u8],
        is_text: bool,
        store_password: Option<ClassInstance<SealedPassword>>,
        key_password: Option<ClassInstance<SealedPassword>>,
    ) -> Result<Self> {
        let passwords = Passwords {
            store: store_password.as_ref().map(|password| &password.secret),
            key: key_password.as_ref().map(|password| &password.secret),
        };
        Ok(CertificateStore {
            inner: credentials::CertificateStore::open(store_type, store, is_text, passwords).or_throw(env)?,
        })
    }

    /// A distinguished name or a part of it, `*`, or `Thumbprint=...`.
    #[napi]
    pub fn by_subject(&self, env: &Env, subject: String) -> Result<Option<CertificateEntry>> {
        Ok(self.inner.by_subject(&subject).or_throw(env)?.map(CertificateEntry::from))
    }

    #[napi]
    pub fn by_thumbprint(&self, env: &Env, thumbprint: String) -> Result<Option<CertificateEntry>> {
        Ok(self.inner.by_thumbprint(&thumbprint).or_throw(env)?.map(CertificateEntry::from))
    }

    /// `entry`'s certificate with the private key that the store holds for it.
    #[napi]
    pub fn by_certificate(&self, env: &Env, entry: &CertificateEntry) -> Result<Option<CertificateEntry>> {
        let Some(certificate) = &entry.inner.certificate else { return Ok(None) };
        Ok(self.inner.by_certificate(certificate).or_throw(env)?.map(CertificateEntry::from))
    }
}

/// A certificate, with its private key and chain where the store held them, or a key without a certificate.
#[napi]
pub struct CertificateEntry {
    inner: Selected,
}

impl From<Selected> for CertificateEntry {
    fn from(inner: Selected) -> Self {
        CertificateEntry { inner }
    }
}

#[napi]
impl CertificateEntry {
    /// A certificate alone, PEM or DER, in Base64 or not.
    #[napi(factory)]
    pub fn from_certificate(env: &Env, encoded: &[u8]) -> Result<Self> {
        Ok(Selected::certificate(encoded).or_throw(env)?.into())
    }

    #[napi(getter)]
    pub fn has_certificate(&self) -> bool {
        self.inner.certificate.is_some()
    }

    #[napi(getter)]
    pub fn has_private_key(&self) -> bool {
        self.inner.key.is_some()
    }

    /// PEM of the certificate; null for a key without one.
    #[napi]
    pub fn to_pem(&self, env: &Env) -> Result<Option<String>> {
        let pem = self.inner.certificate.as_slice();
        Ok(credentials::to_pem(pem).or_throw(env)?.pop())
    }

    /// PEM of the certificates above it that the store held, one behind the other.
    #[napi]
    pub fn chain_pem(&self, env: &Env) -> Result<String> {
        Ok(credentials::to_pem(&self.inner.chain).or_throw(env)?.concat())
    }

    /// PEM (PKCS#8), to be wiped by the caller; null without a key, and for one that has no such form.
    #[napi]
    pub fn private_key(&self, env: &Env) -> Result<Option<Buffer>> {
        let pem = self.inner.key.as_ref().and_then(|key| key.private_key_to_pem_pkcs8().ok()).map(Zeroizing::new);
        pem.map(|pem| BufferSlice::copy_from(env, &pem[..])?.into_buffer(env)).transpose()
    }

    #[napi]
    pub fn describe(&self, env: &Env) -> Result<CertificateDescription> {
        let found = describe(&self.inner).or_throw(env)?;
        Ok(CertificateDescription {
            subject: found.subject,
            issuer: found.issuer,
            serial_number: found.serial_number,
            version: found.version,
            not_before: found.not_before.map(|seconds| seconds as f64),
            not_after: found.not_after.map(|seconds| seconds as f64),
            signature_algorithm: found.signature_algorithm,
            extended_key_usage: found.extended_key_usage,
            subject_alt_names: found.subject_alt_names,
            key_usage: found.key_usage.into(),
            public_key_algorithm: found.public_key_algorithm,
            public_key_length: found.public_key_length,
            public_key: found.public_key,
            md5: found.fingerprints.md5,
            sha1: found.fingerprints.sha1,
            sha256: found.fingerprints.sha256,
        })
    }

    /// Makes a context show the certificate, its key and its chain; whom the context trusts stays as it is.
    #[napi]
    pub fn apply_to(&self, env: &Env, context: &SecureContext) -> Result<()> {
        let identity = self.inner.identity().ok_or_else(|| {
            let message = "The certificate has no private key, or the key no certificate";
            throw(env, &CoreError::new("ERR_C4TLS_CERTIFICATE_STORE", message))
        })?;
        context.open(env)?.show_identity(&identity).or_throw(env)
    }
}

/// The fields of `credentials::Description`.
#[napi(object, object_from_js = false)]
pub struct CertificateDescription {
    pub subject: String,
    pub issuer: String,
    pub serial_number: String,
    pub version: i32,
    pub not_before: Option<f64>,
    pub not_after: Option<f64>,
    pub signature_algorithm: String,
    pub extended_key_usage: Vec<String>,
    pub subject_alt_names: Vec<String>,
    pub key_usage: u32,
    pub public_key_algorithm: String,
    pub public_key_length: u32,
    pub public_key: String,
    pub md5: String,
    pub sha1: String,
    pub sha256: String,
}
