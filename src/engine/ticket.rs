//! Session tickets: their keys, and which of them may be used again.

use std::ffi::{c_int, c_uchar, c_void};
use std::ptr;
use std::slice;

use openssl::rand::rand_bytes;
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::credentials::guard;
use crate::engine::callbacks::with_state;
use crate::engine::ffi;
use crate::engine::TICKET_KEYS_LENGTH;
use crate::error::{Error, Result};

/// Length of a key's name, of a vector and of either key, in bytes.
pub(super) const PART: usize = 16;
/// `OSSL_PARAM_UTF8_STRING` and `OSSL_PARAM_OCTET_STRING` of `openssl/core.h`.
const UTF8_STRING: u32 = 4;
const OCTET_STRING: u32 = 5;
/// `SSL_TICKET_...` and `SSL_TICKET_RETURN_...` of `openssl/ssl.h`.
const TICKET_SUCCESS: c_int = 5;
const TICKET_SUCCESS_RENEW: c_int = 6;
const RETURN_IGNORE_RENEW: c_int = 2;
const RETURN_USE: c_int = 3;
const RETURN_USE_RENEW: c_int = 4;

/// The name that marks our tickets, and the keys that sign (HMAC-SHA256) and encrypt (AES-128-CBC) them, 16 bytes each:
/// the form in which Node gives them out, so that its servers and these can resume each other's sessions.
pub(super) struct TicketKeys {
    bytes: Zeroizing<[u8; TICKET_KEYS_LENGTH]>,
}

impl TicketKeys {
    pub(super) fn random() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; TICKET_KEYS_LENGTH]);
        rand_bytes(&mut bytes[..])?;
        Ok(TicketKeys { bytes })
    }

    pub(super) fn from_bytes(keys: &[u8]) -> Result<Self> {
        let bytes = keys
            .try_into()
            .map_err(|_| Error::new("ERR_INVALID_ARG_VALUE", "Session ticket keys must be a 48-byte buffer"))?;
        Ok(TicketKeys { bytes: Zeroizing::new(bytes) })
    }

    pub(super) fn to_bytes(&self) -> [u8; TICKET_KEYS_LENGTH] {
        *self.bytes
    }

    fn name(&self) -> &[u8] {
        &self.bytes[..PART]
    }

    fn hmac(&self) -> &[u8] {
        &self.bytes[PART..2 * PART]
    }

    /// Readies OpenSSL's contexts for one ticket. 1: go on; 0: not one of ours; negative: failure.
    ///
    /// SAFETY: `name` has 16 bytes, `iv` as many as AES's block has; both contexts are live.
    unsafe fn prepare(
        &self,
        name: *mut c_uchar,
        iv: *mut c_uchar,
        cipher: *mut sys::EVP_CIPHER_CTX,
        mac: *mut sys::EVP_MAC_CTX,
        encrypt: bool,
    ) -> c_int {
        // SAFETY: the caller's promise for the pointers; the keys are as long as AES-128 and the parameters say, and
        // OpenSSL copies them.
        unsafe {
            let iv = slice::from_raw_parts_mut(iv, PART);
            if encrypt {
                ptr::copy_nonoverlapping(self.name().as_ptr(), name, PART);
                if rand_bytes(iv).is_err() {
                    return -1;
                }
            } else if slice::from_raw_parts(name, PART) != self.name() {
                // The name is public: comparing it in variable time gives nothing away.
                return 0;
            }
            match load(self.aes(), self.hmac(), iv, cipher, mac, encrypt) {
                true => 1,
                false => -1,
            }
        }
    }

    fn aes(&self) -> &[u8] {
        &self.bytes[2 * PART..]
    }
}

/// Gives OpenSSL's contexts their keys and the vector.
///
/// SAFETY: both contexts are live; `aes` and `iv` have 16 bytes.
pub(super) unsafe fn load(
    aes: &[u8],
    hmac: &[u8],
    iv: &[u8],
    cipher: *mut sys::EVP_CIPHER_CTX,
    mac: *mut sys::EVP_MAC_CTX,
    encrypt: bool,
) -> bool {
    let init = if encrypt { sys::EVP_EncryptInit_ex } else { sys::EVP_DecryptInit_ex };
    // SAFETY: the caller's promise; the keys are as long as AES-128 and the parameters say, and OpenSSL copies them.
    unsafe {
        let key = parameter(c"key", OCTET_STRING, hmac);
        let digest = text_parameter(c"digest", c"SHA256");
        let parameters = [key, digest, sys::OSSL_PARAM_construct_end()];
        init(cipher, sys::EVP_aes_128_cbc(), ptr::null_mut(), aes.as_ptr(), iv.as_ptr()) == 1
            && sys::EVP_MAC_CTX_set_params(mac, parameters.as_ptr()) == 1
    }
}

/// OpenSSL reads the zero behind the text as well, which the size does not count.
fn text_parameter(key: &'static std::ffi::CStr, value: &'static std::ffi::CStr) -> sys::OSSL_PARAM {
    parameter(key, UTF8_STRING, value.to_bytes())
}

fn parameter(key: &'static std::ffi::CStr, data_type: u32, value: &[u8]) -> sys::OSSL_PARAM {
    sys::OSSL_PARAM {
        key: key.as_ptr(),
        data_type,
        data: value.as_ptr().cast_mut().cast::<c_void>(),
        data_size: value.len(),
        return_size: usize::MAX,
    }
}

/// OpenSSL asks for keys, for a ticket to write or one that came in.
pub(super) unsafe extern "C" fn keys(
    ssl: *mut sys::SSL,
    name: *mut c_uchar,
    iv: *mut c_uchar,
    cipher: *mut sys::EVP_CIPHER_CTX,
    mac: *mut sys::EVP_MAC_CTX,
    encrypt: c_int,
) -> c_int {
    guard(-1, || {
        let encrypt = encrypt != 0;
        with_state(ssl, |state| match (&mut state.own_tickets, state.context.asks_ticket_keys()) {
            // SAFETY: OpenSSL's own buffers: 16 bytes of name, EVP_MAX_IV_LENGTH (16) of vector, live contexts.
            (Some(own), _) => unsafe { own.prepare(name, iv, cipher, mac, encrypt) },
            (None, true) => 0,
            // SAFETY: as above.
            (None, false) => state.context.tickets(|keys| unsafe { keys.prepare(name, iv, cipher, mac, encrypt) }),
        })
    })
}

/// A ticket is being written: it remembers the server name it was given under.
pub(super) unsafe extern "C" fn generated(ssl: *mut sys::SSL, _: *mut c_void) -> c_int {
    guard(0, || {
        let name = with_state(ssl, |state| state.servername.clone())?.unwrap_or_default();
        // SAFETY: the session belongs to `ssl`, which is live; OpenSSL copies the name.
        Some(unsafe {
            let session = sys::SSL_get_session(ssl);
            ffi::SSL_SESSION_set1_ticket_appdata(session, name.as_ptr().cast(), name.len())
        })
    })
}

/// A ticket was opened. Where clients are asked for certificates, one that was given under another server name is not
/// used: that name may trust other authorities. Nor is one without a certificate where that is required.
pub(super) unsafe extern "C" fn opened(
    ssl: *mut sys::SSL,
    session: *mut sys::SSL_SESSION,
    _: *const c_uchar,
    _: usize,
    status: c_int,
    _: *mut c_void,
) -> c_int {
    guard(0, || {
        let renew = match status {
            TICKET_SUCCESS => RETURN_USE,
            TICKET_SUCCESS_RENEW => RETURN_USE_RENEW,
            _ => return Some(RETURN_IGNORE_RENEW),
        };
        let (verify, name) = with_state(ssl, |state| (state.verify, state.servername.clone()))?;
        // SAFETY: with these two states `session` is a live session.
        let fits = !verify.request
            || unsafe { fits(session, name.unwrap_or_default().as_bytes(), verify.require && !verify.optional) };
        Some(if fits { renew } else { RETURN_IGNORE_RENEW })
    })
}

/// SAFETY: `session` is live.
unsafe fn fits(session: *mut sys::SSL_SESSION, servername: &[u8], certificate: bool) -> bool {
    let (mut data, mut length) = (ptr::null_mut(), 0);
    // SAFETY: the caller's promise; the data stays the session's and is only read here.
    unsafe {
        if ffi::SSL_SESSION_get0_ticket_appdata(session, &mut data, &mut length) != 1 {
            return false;
        }
        let name = if data.is_null() { &[][..] } else { slice::from_raw_parts(data.cast::<u8>(), length) };
        name.eq_ignore_ascii_case(servername) && (!certificate || !ffi::SSL_SESSION_get0_peer(session).is_null())
    }
}
