//! The protection of one direction's records (RFC 8446, 5.2 and 5.3).

use std::ffi::{c_int, c_void};
use std::ptr;

use foreign_types_shared::ForeignTypeRef as _;
use once_cell::sync::Lazy;
use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::CipherCtx;
use openssl_sys as sys;
use zeroize::Zeroizing;

use super::schedule::{Hash, Secret};
use crate::error::{Error, Result};

/// The header of a record, in bytes.
pub(super) const HEADER: usize = 5;
/// What AEAD adds to a record, in bytes.
pub(super) const TAG: usize = 16;
/// Of clear bytes in a record, without its type.
pub(super) const MAX_CLEAR: usize = 1 << 14;
/// Of an encrypted record, without its header.
pub(super) const MAX_SEALED: usize = MAX_CLEAR + 256;
/// What OpenSSL's buffer takes of a sealed record of any version.
pub(super) const MAX_OF_ANY_VERSION: usize = MAX_CLEAR + 320;
const NONCE: usize = 12;
const MAX_KEY: usize = 32;
/// The type and the version that every encrypted record shows.
const OUTER_TYPE: u8 = 23;
const OUTER_VERSION: [u8; 2] = [3, 3];

type Fetched = Lazy<Option<Cipher>>;

/// What the two directions of a session have in common.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Suite {
    cipher: &'static CipherRef,
    key: usize,
    pub(super) hash: Hash,
}

impl Suite {
    /// By its number (RFC 8446, B.4); `None` for the CCM suites, which stay with OpenSSL, and for what OpenSSL's providers
    /// do not have.
    pub(in crate::engine) fn find(number: u16) -> Option<Self> {
        static AES_128_GCM: Fetched = Lazy::new(|| Cipher::fetch(None, "AES-128-GCM", None).ok());
        static AES_256_GCM: Fetched = Lazy::new(|| Cipher::fetch(None, "AES-256-GCM", None).ok());
        static CHACHA20_POLY1305: Fetched = Lazy::new(|| Cipher::fetch(None, "ChaCha20-Poly1305", None).ok());
        let (cipher, key, hash) = match number {
            0x1301 => (&AES_128_GCM, 16, Hash::Sha256),
            0x1302 => (&AES_256_GCM, 32, Hash::Sha384),
            0x1303 => (&CHACHA20_POLY1305, 32, Hash::Sha256),
            _ => return None,
        };
        Some(Suite { cipher: cipher.as_deref()?, key, hash })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Seal,
    Open,
}

pub(super) struct Protection {
    suite: Suite,
    direction: Direction,
    /// Holds the key.
    cipher: CipherCtx,
    iv: Zeroizing<[u8; NONCE]>,
    /// Of the next record under this key.
    sequence: u64,
    secret: Secret,
}

impl Protection {
    /// `sequence`: records that the key has protected already.
    pub fn new(suite: Suite, direction: Direction, secret: Secret, sequence: u64) -> Result<Self> {
        let mut key = Zeroizing::new([0; MAX_KEY]);
        let key = &mut key[..suite.key];
        let mut iv = Zeroizing::default();
        secret.expand(suite.hash, b"key", &[], key)?;
        secret.expand(suite.hash, b"iv", &[], &mut iv as &mut [u8; NONCE])?;
        let mut cipher = CipherCtx::new()?;
        match direction {
            Direction::Seal => cipher.encrypt_init(Some(suite.cipher), Some(key), None)?,
            Direction::Open => cipher.decrypt_init(Some(suite.cipher), Some(key), None)?,
        }
        Ok(Protection { suite, direction, cipher, iv, sequence, secret })
    }

    /// Goes over to the keys behind a KeyUpdate. All of it or, with an error, nothing: a sequence that began again under
    /// the old key would repeat its nonces.
    pub fn next_generation(&mut self) -> Result<()> {
        let secret = self.secret.next_generation(self.suite.hash)?;
        *self = Protection::new(self.suite, self.direction, secret, 0)?;
        Ok(())
    }

    /// Records protected with the present key.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The nonce of the next record.
    fn next_nonce(&mut self) -> [u8; NONCE] {
        let mut nonce = *self.iv;
        for (byte, part) in nonce[NONCE - 8..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= part;
        }
        self.sequence += 1;
        nonce
    }

    /// Appends a record of type `kind` to `out`. `clear` has at most [`MAX_CLEAR`] bytes.
    pub fn seal(&mut self, kind: u8, clear: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let inner = clear.len() + 1;
        let sealed = inner + TAG;
        let [high, low] = (sealed as u16).to_be_bytes();
        let header = [OUTER_TYPE, OUTER_VERSION[0], OUTER_VERSION[1], high, low];
        out.reserve(HEADER + sealed);
        out.extend_from_slice(&header);
        let nonce = self.next_nonce();
        let at = out.len();
        let ctx = self.cipher.as_ptr();
        let mut count = 0;
        // SAFETY: the context is live and has its key. These ciphers write as many bytes as they read, and the tag's at
        // the end: `sealed` bytes, for which there is room; every length fits an int. Only bytes that were written
        // become part of `out`.
        let good = unsafe {
            let to = out.as_mut_ptr().add(at);
            let null = ptr::null_mut();
            sys::EVP_EncryptInit_ex(ctx, ptr::null(), null, ptr::null(), nonce.as_ptr()) == 1
                && sys::EVP_EncryptUpdate(ctx, ptr::null_mut(), &mut count, header.as_ptr(), HEADER as c_int) == 1
                && (clear.is_empty()
                    || sys::EVP_EncryptUpdate(ctx, to, &mut count, clear.as_ptr(), clear.len() as c_int) == 1)
                && sys::EVP_EncryptUpdate(ctx, to.add(clear.len()), &mut count, &kind, 1) == 1
                && sys::EVP_EncryptFinal_ex(ctx, to.add(inner), &mut count) == 1
                && sys::EVP_CIPHER_CTX_ctrl(
                    ctx,
                    sys::EVP_CTRL_GCM_GET_TAG,
                    TAG as c_int,
                    to.add(inner).cast::<c_void>(),
                ) == 1
        };
        if !good {
            out.truncate(at - HEADER);
            return Err(Error::take_openssl("record encryption failed"));
        }
        // SAFETY: see above: all of them are written.
        unsafe { out.set_len(at + sealed) };
        Ok(())
    }

    /// Opens a record into `out`: content, type and padding, as many bytes as `sealed` has without its tag, of which there
    /// is at least one. False: it is not authentic, and nothing of it is left in `out`.
    pub fn open(&mut self, header: &[u8; HEADER], sealed: &[u8], out: &mut [u8]) -> bool {
        let Some(inner) = sealed.len().checked_sub(TAG).filter(|&inner| inner > 0 && inner <= out.len()) else {
            return false;
        };
        let (content, tag) = sealed.split_at(inner);
        let nonce = self.next_nonce();
        let ctx = self.cipher.as_ptr();
        let mut count = 0;
        // SAFETY: as in `seal`; OpenSSL only reads the tag.
        let good = unsafe {
            let null = ptr::null_mut();
            let tag = tag.as_ptr().cast_mut().cast::<c_void>();
            sys::EVP_DecryptInit_ex(ctx, ptr::null(), null, ptr::null(), nonce.as_ptr()) == 1
                && sys::EVP_CIPHER_CTX_ctrl(ctx, sys::EVP_CTRL_GCM_SET_TAG, TAG as c_int, tag) == 1
                && sys::EVP_DecryptUpdate(ctx, ptr::null_mut(), &mut count, header.as_ptr(), HEADER as c_int) == 1
                && sys::EVP_DecryptUpdate(ctx, out.as_mut_ptr(), &mut count, content.as_ptr(), inner as c_int) == 1
                && sys::EVP_DecryptFinal_ex(ctx, out.as_mut_ptr().add(inner), &mut count) == 1
        };
        if !good {
            out[..inner].fill(0);
        }
        good
    }
}
