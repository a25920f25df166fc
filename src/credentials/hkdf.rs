//! HKDF in the forms that TLS 1.3 has for it (RFC 5869; RFC 8446, 7.1).

use hkdf::Hkdf;
use sha2::{Digest, Sha256, Sha384};
use zeroize::Zeroizing;

/// The longest hash of a TLS 1.3 suite, SHA-384, in bytes.
pub const MAX_HASH: usize = 48;

/// The hash of a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    pub fn of(self, data: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(data).to_vec(),
            Hash::Sha384 => Sha384::digest(data).to_vec(),
        }
    }

    /// In bytes.
    pub fn length(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }

    /// HKDF-Expand-Label, the label in two parts. `None` for a secret shorter than the hash, a label or context above 255
    /// bytes, or an `out` above 255 hashes.
    pub fn expand_label(self, secret: &[u8], label: [&[u8]; 2], context: &[u8], out: &mut [u8]) -> Option<()> {
        let length = u16::try_from(out.len()).ok()?.to_be_bytes();
        let label_length = [u8::try_from(label[0].len() + label[1].len()).ok()?];
        let context_length = [u8::try_from(context.len()).ok()?];
        let info = [&length[..], &label_length, label[0], label[1], &context_length, context];
        match self {
            Hash::Sha256 => Hkdf::<Sha256>::from_prk(secret).ok()?.expand_multi_info(&info, out).ok(),
            Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand_multi_info(&info, out).ok(),
        }
    }

    /// HKDF-Extract. `None` for an `out` that is not as long as the hash.
    pub fn extract(self, salt: &[u8], secret: &[u8], out: &mut [u8]) -> Option<()> {
        if out.len() != self.length() {
            return None;
        }
        let mut key = Zeroizing::new([0; MAX_HASH]);
        let key = &mut key[..out.len()];
        match self {
            Hash::Sha256 => key.copy_from_slice(&Hkdf::<Sha256>::extract(Some(salt), secret).0),
            Hash::Sha384 => key.copy_from_slice(&Hkdf::<Sha384>::extract(Some(salt), secret).0),
        }
        out.copy_from_slice(key);
        Some(())
    }
}
