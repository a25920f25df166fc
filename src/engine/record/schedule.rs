//! What TLS 1.3 derives from its traffic secrets (RFC 8446, 7).

use zeroize::Zeroizing;

pub(in crate::engine) use crate::credentials::hkdf::Hash;
use crate::credentials::hkdf::MAX_HASH;
use crate::error::{Error, Result};

/// HKDF-Expand gives at most so many hashes (RFC 5869, 2.3).
const MAX_EXPANSION: usize = 255;
const PREFIX: &[u8] = b"tls13 ";

/// A secret of the key schedule; wiped when it is dropped. On the heap, so that it leaves no copy behind where it is moved.
pub(in crate::engine) struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// From hexadecimal digits, as the key log has it.
    pub(in crate::engine) fn from_hex(digits: &[u8]) -> Option<Self> {
        let length = digits.len() / 2;
        if !digits.len().is_multiple_of(2) || length > MAX_HASH {
            return None;
        }
        let mut secret = Secret::zeros(length);
        for (byte, pair) in secret.0.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Some(secret)
    }

    fn zeros(length: usize) -> Self {
        Secret(Zeroizing::new(vec![0; length].into_boxed_slice()))
    }

    /// HKDF-Expand-Label. Fails when `out` is longer than 255 hashes or the label is too long.
    pub(super) fn expand(&self, hash: Hash, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        hash.expand_label(&self.0, [PREFIX, label], context, out)
            .ok_or_else(|| failed("its label or its output is too long"))
    }

    /// HKDF-Expand-Label to a secret as long as the hash.
    fn derive(&self, hash: Hash, label: &[u8], context: &[u8]) -> Result<Secret> {
        let mut next = Secret::zeros(hash.length());
        self.expand(hash, label, context, &mut next.0)?;
        Ok(next)
    }

    /// The traffic secret behind a KeyUpdate (RFC 8446, 7.2).
    pub(super) fn next_generation(&self, hash: Hash) -> Result<Secret> {
        self.derive(hash, b"traffic upd", &[])
    }

    /// Of the exporter secret: keying material (RFC 8446, 7.5).
    pub(super) fn export(&self, hash: Hash, label: &[u8], context: &[u8], length: usize) -> Result<Vec<u8>> {
        // Before the memory is asked for.
        if length > MAX_EXPANSION * hash.length() {
            return Err(failed("its output is too long"));
        }
        let mut material = vec![0; length];
        let derived = self.derive(hash, label, &hash.of(&[]))?;
        derived.expand(hash, b"exporter", &hash.of(context), &mut material)?;
        Ok(material)
    }
}

fn failed(why: &str) -> Error {
    Error::new("ERR_CRYPTO_OPERATION_FAILED", format!("the key derivation failed: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8448, 3: the server's application traffic secret and what becomes of it.
    #[test]
    fn keys_are_those_of_rfc_8448() {
        let secret = Secret::from_hex(b"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643").unwrap();
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        secret.expand(Hash::Sha256, b"key", &[], &mut key).unwrap();
        secret.expand(Hash::Sha256, b"iv", &[], &mut iv).unwrap();
        assert_eq!(
            key,
            [0x9f, 0x02, 0x28, 0x3b, 0x6c, 0x9c, 0x07, 0xef, 0xc2, 0x6b, 0xb9, 0xf2, 0xac, 0x92, 0xe3, 0x56]
        );
        assert_eq!(iv, [0xcf, 0x78, 0x2b, 0x88, 0xdd, 0x83, 0x54, 0x9a, 0xad, 0xf1, 0xe9, 0x84]);
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        for digits in [&b"abc"[..], b"zz", &[b'0'; 98]] {
            assert!(Secret::from_hex(digits).is_none());
        }
        let secret = Secret::from_hex(&[b'1'; 64]).unwrap();
        assert!(secret.export(Hash::Sha256, b"label", &[], 255 * 32 + 1).is_err());
        assert!(secret.export(Hash::Sha256, &[b'l'; 250], &[], 1).is_err());
        assert!(secret.export(Hash::Sha256, &[b'l'; 249], &[], 255 * 32).is_ok());
    }
}
