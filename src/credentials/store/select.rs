//! Finding a certificate in a store.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, PKeyRef, Private, Public};
use openssl::x509::{X509Ref, X509VerifyResult, X509};

use super::{CertificateStore, Passwords};
use crate::credentials::describe::{distinguished_name, hex};
use crate::credentials::Identity;
use crate::error::Result;

/// A longer chain is no chain.
const MAX_CHAIN: usize = 100;
const THUMBPRINT: &str = "thumbprint=";

/// A certificate of a store with what belongs to it, or a key without one.
pub struct Selected {
    /// `None` for a key that has none.
    pub certificate: Option<X509>,
    pub key: Option<PKey<Private>>,
    /// `None` where the certificate's is of a type that OpenSSL does not know.
    pub public_key: Option<PKey<Public>>,
    /// Issuers as far as the store holds them, the certificate's own first.
    pub chain: Vec<X509>,
}

impl Selected {
    /// A certificate that no store is needed for, PEM or DER, in Base64 or not; further ones in it do not count.
    ///
    /// Errors are those of [`CertificateStore::open`].
    pub fn certificate(bytes: &[u8]) -> Result<Self> {
        const PUBLIC_KEY_BLOB: u32 = 9;
        let store = CertificateStore::open(PUBLIC_KEY_BLOB, bytes, false, Passwords::default())?;
        let certificate = store.certificates.first().cloned();
        let public_key = certificate.as_ref().and_then(|x| x.public_key().ok());
        Ok(Selected { certificate, key: None, public_key, chain: Vec::new() })
    }

    /// What a server can show; `None` when the certificate or the key is missing.
    pub fn identity(&self) -> Option<Identity> {
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        Some(Identity { key, certificate, chain: self.chain.clone() })
    }
}

impl CertificateStore {
    /// `subject` is `*` for the first one, `Thumbprint=` and a hash, a whole distinguished name, or a part of one. White
    /// space behind commas does not count, and for a part upper and lower case do not either.
    ///
    /// Certificates whose private key is in the store come before others, and keys without a certificate last.
    pub fn by_subject(&self, subject: &str) -> Result<Option<Selected>> {
        if subject == "*" {
            return self.first();
        }
        if let Some(hash) = strip_prefix_ignoring_case(subject, THUMBPRINT) {
            return self.by_thumbprint(hash);
        }
        let wanted = dense(subject);
        if wanted.is_empty() {
            return Ok(None);
        }
        let names: Vec<_> = self.in_order().map(|x| (dense(&distinguished_name(x.subject_name())), x)).collect();
        let part = wanted.to_lowercase();
        let found = names
            .iter()
            .find(|(name, _)| *name == wanted)
            .or_else(|| names.iter().find(|(name, _)| name.to_lowercase().contains(&part)));
        found.map(|(_, certificate)| self.selected(certificate)).transpose()
    }

    /// By the hash of the certificate, MD5, SHA-1 or SHA-256 by its length, in hexadecimal with or without colons.
    pub fn by_thumbprint(&self, hash: &str) -> Result<Option<Selected>> {
        let digits: String = hash.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let digest = match digits.len() {
            32 => MessageDigest::md5(),
            40 => MessageDigest::sha1(),
            64 => MessageDigest::sha256(),
            _ => return Ok(None),
        };
        for certificate in self.in_order() {
            if hex(&certificate.digest(digest)?).eq_ignore_ascii_case(&digits) {
                return self.selected(certificate).map(Some);
            }
        }
        Ok(None)
    }

    /// `certificate` with its private key; `None` when that is not in the store.
    pub fn by_certificate(&self, certificate: &X509Ref) -> Result<Option<Selected>> {
        match self.key_of(certificate) {
            Some(_) => self.selected(certificate).map(Some),
            None => Ok(None),
        }
    }

    fn first(&self) -> Result<Option<Selected>> {
        if let Some(certificate) = self.in_order().next() {
            return self.selected(certificate).map(Some);
        }
        let public_of = |key: &PKeyRef<Private>| PKey::public_key_from_der(&key.public_key_to_der()?);
        let public_key = match (self.keys.first(), self.public_keys.first()) {
            (Some(key), _) => public_of(key)?,
            (None, Some(public)) => public.clone(),
            (None, None) => return Ok(None),
        };
        let key = self.keys.first().cloned();
        Ok(Some(Selected { certificate: None, key, public_key: Some(public_key), chain: Vec::new() }))
    }

    fn in_order(&self) -> impl Iterator<Item = &X509> {
        let (with_key, without): (Vec<_>, Vec<_>) =
            self.certificates.iter().partition(|certificate| self.key_of(certificate).is_some());
        with_key.into_iter().chain(without)
    }

    fn key_of(&self, certificate: &X509Ref) -> Option<&PKey<Private>> {
        let public = certificate.public_key();
        let found = public.ok().and_then(|public| self.keys.iter().find(|key| key.public_eq(&public)));
        let _ = openssl::error::ErrorStack::get();
        found
    }

    fn selected(&self, certificate: &X509Ref) -> Result<Selected> {
        let public_key = certificate.public_key().ok();
        let key = self.key_of(certificate).cloned();
        Ok(Selected { certificate: Some(certificate.to_owned()), key, public_key, chain: self.chain_of(certificate) })
    }

    fn chain_of(&self, certificate: &X509Ref) -> Vec<X509> {
        let issued = |issuer: &X509Ref, subject: &X509Ref| issuer.issued(subject) == X509VerifyResult::OK;
        let mut rest: Vec<&X509> = self.certificates.iter().filter(|x| ***x != *certificate).collect();
        let mut chain: Vec<X509> = Vec::new();
        while chain.len() < MAX_CHAIN {
            let last = chain.last().map_or(certificate, |x| &**x);
            if issued(last, last) {
                break;
            }
            let Some(at) = rest.iter().position(|issuer| issued(issuer, last)) else { break };
            chain.push(rest.swap_remove(at).clone());
        }
        let _ = openssl::error::ErrorStack::get();
        chain
    }
}

/// Without the white space around commas.
fn dense(name: &str) -> String {
    name.split(',').map(str::trim).collect::<Vec<_>>().join(",")
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}
