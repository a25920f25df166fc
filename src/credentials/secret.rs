//! Passwords at rest.

use std::fmt;

use once_cell::sync::OnceCell;
use openssl::symm::{decrypt_aead, encrypt_aead, Cipher};
use zeroize::{Zeroize, Zeroizing};

use crate::credentials::start_openssl;
use crate::error::Result;

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// A password, encrypted in memory under a key of this process, in clear only inside [`open`](Self::open): a memory
/// dump or a swapped page that holds one does not hold the password next to it.
pub struct Secret {
    nonce: [u8; NONCE_LENGTH],
    tag: [u8; TAG_LENGTH],
    sealed: Vec<u8>,
}

impl Secret {
    /// Seals and wipes `clear`.
    pub fn new(mut clear: Vec<u8>) -> Result<Self> {
        start_openssl();
        let sealed = Secret::seal(&clear);
        clear.zeroize();
        sealed
    }

    fn seal(clear: &[u8]) -> Result<Self> {
        let mut nonce = [0; NONCE_LENGTH];
        let mut tag = [0; TAG_LENGTH];
        openssl::rand::rand_bytes(&mut nonce)?;
        let sealed = encrypt_aead(Cipher::aes_256_gcm(), &process_key()?[..], Some(&nonce), &[], clear, &mut tag)?;
        Ok(Secret { nonce, tag, sealed })
    }

    /// The password in clear, wiped when the value goes.
    pub fn open(&self) -> Result<Zeroizing<Vec<u8>>> {
        let key = process_key()?;
        let clear = decrypt_aead(Cipher::aes_256_gcm(), &key[..], Some(&self.nonce), &[], &self.sealed, &self.tag)?;
        Ok(Zeroizing::new(clear))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

fn process_key() -> Result<&'static Zeroizing<[u8; KEY_LENGTH]>> {
    static KEY: OnceCell<Zeroizing<[u8; KEY_LENGTH]>> = OnceCell::new();
    KEY.get_or_try_init(|| {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        openssl::rand::rand_priv_bytes(&mut key[..])?;
        Ok(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_to_what_it_sealed() {
        for clear in [&b""[..], b"x", b"correct horse"] {
            let secret = Secret::new(clear.to_vec()).unwrap();
            assert_eq!(&secret.open().unwrap()[..], clear);
            assert!(clear.is_empty() || secret.sealed != clear);
            assert_eq!(format!("{secret:?}"), "Secret(..)");
        }
    }
}
