//! A store's bytes, by format.

use std::borrow::Cow;

use openssl::pkcs7::Pkcs7;
use openssl::pkey::PKey;
use openssl::x509::X509;
use zeroize::Zeroizing;

use super::{jwk, pfx, refusal, ssh, CertificateStore, Format, Passwords};
use crate::credentials::pem;
use crate::error::{Error, Result};

const PEM_PKCS7: &[u8] = b"-----BEGIN PKCS7-----";
const PEM_OPENSSH: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
const SSH2: &[u8] = b"---- BEGIN SSH2 PUBLIC KEY ----";
const PPK: &[u8] = b"PuTTY-User-Key-File-";
/// The first bytes of Java's key stores: JKS and JCEKS.
const JKS: [&[u8]; 2] = [&[0xfe, 0xed, 0xfe, 0xed], &[0xce, 0xce, 0xce, 0xce]];
/// ASN.1's SEQUENCE, with which every binary format here begins.
const DER: u8 = 0x30;

pub(super) fn read(bytes: &[u8], format: Format, passwords: Passwords<'_>) -> Result<CertificateStore> {
    match format {
        Format::Pfx => pfx::read(&binary(bytes), passwords),
        Format::PemKey => pem_key(bytes, passwords),
        Format::Certificate => certificates(bytes),
        Format::Pkcs7 => pkcs7(bytes),
        Format::SshPublicKey => ssh::public_key(bytes),
        Format::Ppk => ssh::ppk(bytes, passwords),
        Format::Jwk => jwk::read(&unwrapped(bytes, |bytes| trimmed(bytes).starts_with(b"{"))),
        Format::Java => {
            let bytes = binary(bytes);
            match bytes.first() == Some(&DER) {
                true => pfx::read(&bytes, passwords),
                false => Err(java_refusal()),
            }
        }
        Format::Auto => detected(bytes, passwords),
    }
}

/// Reads a store of unknown format. Binary data has no name for what it is: the readers are asked in turn.
fn detected(bytes: &[u8], passwords: Passwords<'_>) -> Result<CertificateStore> {
    if let Some(format) = detect(bytes) {
        return read(bytes, format, passwords);
    }
    if JKS.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(java_refusal());
    }
    if trimmed(bytes).starts_with(b"<") {
        return Err(refusal("Certificates in XML are not supported. Use PFX or PEM."));
    }
    if bytes.first() != Some(&DER) {
        let unknown = || refusal("The type of the store is not known.");
        let decoded = base64(bytes).filter(|decoded| !decoded.is_empty()).ok_or_else(unknown)?;
        return match detect(&decoded) {
            Some(format) => read(&decoded, format, passwords),
            None if decoded[0] == DER => der(&decoded, passwords),
            None => Err(unknown()),
        };
    }
    der(bytes, passwords)
}

fn der(bytes: &[u8], passwords: Passwords<'_>) -> Result<CertificateStore> {
    certificates(bytes).or_else(|_| pkcs7(bytes)).or_else(|_| pfx::read(bytes, passwords))
}

/// The format of what says it by itself.
fn detect(bytes: &[u8]) -> Option<Format> {
    let text = trimmed(bytes);
    if contains(bytes, PEM_PKCS7) {
        Some(Format::Pkcs7)
    } else if pem::has_private_key(&pem::tidied(bytes)) {
        Some(Format::PemKey)
    } else if pem::is_pem(bytes) {
        Some(Format::Certificate)
    } else if text.starts_with(PPK) {
        Some(Format::Ppk)
    } else if text.starts_with(SSH2) || ssh::is_public_key(text) {
        Some(Format::SshPublicKey)
    } else if text.starts_with(b"{") {
        Some(Format::Jwk)
    } else {
        None
    }
}

/// PEM, or a PKCS#8 key in DER; either may be in Base64.
fn pem_key(bytes: &[u8], passwords: Passwords<'_>) -> Result<CertificateStore> {
    let bytes = pem_or_der(bytes);
    let mut store = CertificateStore::default();
    if !pem::is_pem(&bytes) {
        store.add_key(PKey::private_key_from_pkcs8(&bytes)?)?;
        return Ok(store);
    }
    if contains(&bytes, PEM_OPENSSH) {
        store.add_key(ssh::openssh(&bytes, passwords)?)?;
    } else {
        let text = pem::tidied(&bytes);
        for block in pem::private_key_blocks(&text) {
            store.add_key(pem::private_key(block, passwords.for_keys())?)?;
        }
    }
    add_all(&mut store, pem::certificates(&pem::tidied(&bytes))?)?;
    match store.keys.is_empty() && store.certificates.is_empty() {
        true => Err(refusal("The store holds no private key and no certificate.")),
        false => Ok(store),
    }
}

fn certificates(bytes: &[u8]) -> Result<CertificateStore> {
    let bytes = pem_or_der(bytes);
    let mut store = CertificateStore::default();
    // DER first: the texts in it are those of whoever made it, a client for one, and may look like PEM.
    match X509::from_der(&bytes) {
        Ok(certificate) => store.add_certificate(certificate)?,
        Err(_) if pem::is_pem(&bytes) => add_all(&mut store, pem::certificates(&pem::tidied(&bytes))?)?,
        Err(error) => return Err(error.into()),
    }
    match store.certificates.is_empty() {
        true => Err(refusal("The store holds no certificate.")),
        false => Ok(store),
    }
}

/// Certificates alone: signatures in it do not count.
fn pkcs7(bytes: &[u8]) -> Result<CertificateStore> {
    let bytes = pem_or_der(bytes);
    let found = match pem::is_pem(&bytes) {
        true => pem::pkcs7(&pem::tidied(&bytes))?,
        false => Pkcs7::from_der(&bytes)?,
    };
    let mut store = CertificateStore::default();
    let found = found.signed().and_then(|signed| signed.certificates());
    add_all(&mut store, found.into_iter().flatten().map(|x| x.to_owned()))?;
    match store.certificates.is_empty() {
        true => Err(refusal("The store holds no certificate.")),
        false => Ok(store),
    }
}

/// Either may be in Base64.
fn pem_or_der(bytes: &[u8]) -> Cow<'_, [u8]> {
    unwrapped(bytes, |bytes| bytes.first() == Some(&DER) || pem::is_pem(bytes))
}

fn add_all(store: &mut CertificateStore, certificates: impl IntoIterator<Item = X509>) -> Result<()> {
    certificates.into_iter().try_for_each(|certificate| store.add_certificate(certificate))
}

/// DER as it is, or out of Base64.
fn binary(bytes: &[u8]) -> Cow<'_, [u8]> {
    unwrapped(bytes, |bytes| bytes.first() == Some(&DER))
}

fn java_refusal() -> Error {
    refusal(
        "Java's own key store formats (JKS, JCEKS) are not supported. Convert it with keytool -importkeystore \
         -deststoretype PKCS12.",
    )
}

/// `bytes`, unless they are not as `wanted` and are Base64.
fn unwrapped(bytes: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Cow<'_, [u8]> {
    match wanted(bytes) {
        true => Cow::Borrowed(bytes),
        false => base64(bytes).map_or(Cow::Borrowed(bytes), |mut decoded| Cow::Owned(std::mem::take(&mut *decoded))),
    }
}

/// White space does not count.
pub(super) fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut dense = Zeroizing::new(String::with_capacity(text.len()));
    for &byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if !(byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)) {
            return None;
        }
        dense.push(byte.into());
    }
    let decoded = openssl::base64::decode_block(&dense);
    let _ = openssl::error::ErrorStack::get();
    decoded.ok().map(Zeroizing::new)
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}
