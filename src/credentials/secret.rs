//! Passwords at rest.

use std::ffi::CStr;
use std::fmt;
use std::ops::Deref;

use once_cell::sync::OnceCell;
use openssl::symm::{encrypt_aead, Cipher, Crypter, Mode};
use zeroize::Zeroize;

use super::locked::Locked;
use crate::credentials::start_openssl;
use crate::error::Result;

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// A password, encrypted in memory under a key of this process, in clear only inside [`open`](Self::open): a memory
/// dump or a swapped page that holds one does not hold the password next to it. The key is locked in memory where the
/// system allows it, and so is the password while it is open.
pub struct Secret {
    nonce: [u8; NONCE_LENGTH],
    tag: [u8; TAG_LENGTH],
    sealed: Vec<u8>,
}

impl Secret {
    /// Seals and wipes `clear`.
    pub fn new(mut clear: Vec<u8>) -> Result<Self> {
        let sealed = Secret::seal(&clear);
        clear.zeroize();
        sealed
    }

    /// Seals without a copy; `clear` is its owner's to wipe.
    pub fn seal(clear: &[u8]) -> Result<Self> {
        start_openssl();
        let mut nonce = [0; NONCE_LENGTH];
        let mut tag = [0; TAG_LENGTH];
        openssl::rand::rand_bytes(&mut nonce)?;
        let sealed = encrypt_aead(Cipher::aes_256_gcm(), process_key()?, Some(&nonce), &[], clear, &mut tag)?;
        Ok(Secret { nonce, tag, sealed })
    }

    /// Sealing does not change the length.
    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty()
    }

    /// The password in clear, in locked memory, wiped when the value goes.
    pub fn open(&self) -> Result<Opened> {
        let mut clear = Locked::zeroed(self.sealed.len() + 1)?;
        let mut cipher = Crypter::new(Cipher::aes_256_gcm(), Mode::Decrypt, process_key()?, Some(&self.nonce))?;
        cipher.set_tag(&self.tag)?;
        let count = cipher.update(&self.sealed, &mut clear)?;
        cipher.finalize(&mut clear[count..])?;
        Ok(Opened(clear))
    }
}

/// A password in clear, with a NUL behind it.
pub struct Opened(Locked);

impl Opened {
    /// Up to the first NUL, which may be one of the password's own.
    pub(super) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

impl Deref for Opened {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0[..self.0.len() - 1]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

fn process_key() -> Result<&'static [u8]> {
    static KEY: OnceCell<Locked> = OnceCell::new();
    let key = KEY.get_or_try_init(|| {
        let mut key = Locked::zeroed(KEY_LENGTH)?;
        openssl::rand::rand_priv_bytes(&mut key)?;
        Ok::<_, crate::error::Error>(key)
    })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_to_what_it_sealed() {
        for clear in [&b""[..], b"x", b"correct horse"] {
            let secret = Secret::new(clear.to_vec()).unwrap();
            assert_eq!(&secret.open().unwrap()[..], clear);
            assert_eq!(&Secret::seal(clear).unwrap().open().unwrap()[..], clear);
            assert!(clear.is_empty() || secret.sealed != clear);
            assert_eq!(format!("{secret:?}"), "Secret(..)");
            assert_eq!(secret.open().unwrap().as_c_str().to_bytes(), clear);
        }
    }

    #[test]
    fn a_changed_secret_does_not_open() {
        let mut secret = Secret::new(b"correct horse".to_vec()).unwrap();
        secret.sealed[3] ^= 1;
        assert!(secret.open().is_err());
        assert_eq!(Secret::new(b"a\0b".to_vec()).unwrap().open().unwrap().as_c_str(), c"a");
    }
}
