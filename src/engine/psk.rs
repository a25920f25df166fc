//! Pre-shared keys.
//!
//! OpenSSL wants a key from a callback that has to answer at once, while the program's answer takes its time. (Its own
//! way to pause inside a callback, `SSL_MODE_ASYNC`, binds a handshake to one thread and is not there on every system.)
//! So the question is put before OpenSSL comes to it, and the callback gives what was answered:
//!
//! - TLS 1.3, server: the identities stand in the ClientHello, where a handshake may park anyway;
//! - TLS 1.3, client: there is no hint, so the question comes before the first byte;
//! - below, where a client names its identity late: what comes in is looked at first ([`Peek`]), and the last byte that
//!   OpenSSL needs before it asks is held back until there is an answer.

use std::ffi::{c_char, c_int, c_uchar, c_uint, CStr, CString};
use std::ptr;

use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::credentials::guard;
use crate::engine::callbacks::with_state;
use crate::engine::peek::{Look, Peek};
use crate::engine::state::State;
use crate::engine::{failure, ffi, Question, Role, SessionEvent};
use crate::error::{Error, Result};

/// OpenSSL's `PSK_MAX_IDENTITY_LEN`, in bytes.
pub(super) const MAX_IDENTITY: usize = 256;

/// What a program knows under an identity.
pub struct SharedKey {
    pub identity: String,
    /// Wiped when it goes: with the handshake's end, or with the session where a renegotiation may need it again.
    pub key: Zeroizing<Vec<u8>>,
}

/// A session's part.
pub(super) struct Psk {
    /// A question waits for its answer.
    asked: bool,
    /// Server: the ClientHello's identities were looked at.
    hello_seen: bool,
    /// `None` when nothing is to come that would say more.
    peek: Option<Peek>,
    /// `peek` holds a byte back.
    held: bool,
    /// Client: the hint that `key` answers.
    hint: Option<Vec<u8>>,
    key: Option<SharedKey>,
}

impl Psk {
    /// Lets `ssl` use pre-shared keys. A server tells clients `hint`, where TLS 1.2 has a place for it.
    ///
    /// SAFETY: `ssl` is live and has not begun.
    pub(super) unsafe fn install(ssl: *mut sys::SSL, role: Role, hint: Option<&str>) -> Result<Box<Self>> {
        // SAFETY: the caller's promise; the functions live for ever, and OpenSSL copies the hint.
        unsafe {
            match role {
                Role::Server => ffi::SSL_set_psk_server_callback(ssl, Some(server_key)),
                Role::Client => ffi::SSL_set_psk_client_callback(ssl, Some(client_key)),
            }
            if let Some(hint) = hint {
                let set = CString::new(hint).is_ok_and(|hint| ffi::SSL_use_psk_identity_hint(ssl, hint.as_ptr()) == 1);
                if !set {
                    failure::clear();
                    // Spelled as Node spells it.
                    let code = "ERR_TLS_PSK_SET_IDENTIY_HINT_FAILED";
                    return Err(Error::new(code, "Failed to set PSK identity hint"));
                }
            }
        }
        let peek = Some(Peek::new(role));
        Ok(Box::new(Psk { asked: false, hello_seen: false, peek, held: false, hint: None, key: None }))
    }
}

/// A ClientHello of `ssl` may lead to TLS 1.3.
///
/// SAFETY: `ssl` is live.
pub(super) unsafe fn speaks_tls13(ssl: *mut sys::SSL) -> bool {
    // SAFETY: the caller's promise; only numbers are read.
    let (highest, options) = unsafe { (sys::SSL_get_max_proto_version(ssl), ffi::SSL_get_options(ssl)) };
    (highest == 0 || highest >= sys::TLS1_3_VERSION) && options & sys::SSL_OP_NO_TLSv1_3 == 0
}

/// An identity as text: OpenSSL hands it on as a C string, and Node gives UTF-8 to JavaScript. Session tickets, which
/// stand in the same place in TLS 1.3, are neither, but for rare accidents.
pub(super) fn identity(bytes: &[u8]) -> Option<String> {
    let good = bytes.len() <= MAX_IDENTITY && !bytes.contains(&0);
    good.then(|| String::from_utf8(bytes.to_vec()).ok())?
}

impl State {
    /// The handshake waits for the program's key.
    pub(super) fn awaits_key(&self) -> bool {
        self.psk.as_ref().is_some_and(|psk| psk.asked)
    }

    fn ask(&mut self, question: Question) {
        if let Some(psk) = &mut self.psk {
            psk.asked = true;
            self.events.push_back(SessionEvent::Question(question));
        }
    }

    /// Client: asks for the key that a TLS 1.3 ClientHello offers.
    pub(super) fn ask_before_hello(&mut self) {
        self.ask(Question::PskHint { hint: None });
    }

    /// Server: the ClientHello is in, with these identities. True: go on; false: parked.
    pub(super) fn psk_offer(&mut self, identities: impl FnOnce() -> Vec<String>) -> bool {
        let Some(psk) = &mut self.psk else { return true };
        if !psk.hello_seen {
            psk.hello_seen = true;
            let identities = identities();
            if !identities.is_empty() {
                self.ask(Question::PskIdentities { identities });
            }
        }
        !self.awaits_key()
    }

    /// Looks at the input before OpenSSL gets it, and holds it back from where an answer is needed.
    pub(super) fn peek(&mut self) {
        let Some(psk) = &mut self.psk else { return };
        let Some(peek) = psk.peek.as_mut().filter(|_| !psk.held) else { return };
        match peek.look(self.bytes.behind_gate()) {
            Look::All => self.bytes.move_gate(usize::MAX),
            Look::Hold(count) => {
                self.bytes.move_gate(count);
                psk.held = true;
            }
            Look::Over => self.end_peek(),
        }
    }

    /// OpenSSL has used all that it may have. True: it may have more now.
    ///
    /// SAFETY: `ssl` is live and this state's.
    pub(super) unsafe fn pass_gate(&mut self, ssl: *mut sys::SSL) -> bool {
        let Some(psk) = &mut self.psk else { return false };
        if !psk.held || psk.asked {
            return false;
        }
        let Some(peek) = &psk.peek else { return false };
        let question = match self.role {
            Role::Server => {
                // SAFETY: the caller's promise; the suite is static or null.
                let shared_key = unsafe { is_shared_key(ffi::SSL_get_pending_cipher(ssl)) };
                let identity = shared_key.then(|| identity(peek.found())).flatten();
                identity.map(|identity| Question::PskIdentities { identities: vec![identity] })
            }
            Role::Client => {
                // SAFETY: as above; OpenSSL reads the two bytes of the suite's number.
                let shared_key = unsafe { is_shared_key(ffi::SSL_CIPHER_find(ssl, peek.suite().as_ptr())) };
                psk.hint = peek.hint();
                let hint = psk.hint.as_ref().map(|hint| String::from_utf8_lossy(hint).into_owned());
                shared_key.then_some(Question::PskHint { hint })
            }
        };
        match question {
            Some(question) => {
                self.ask(question);
                false
            }
            None => {
                self.end_peek();
                true
            }
        }
    }

    /// Takes the program's answer.
    pub(super) fn answer_key(&mut self, key: Option<SharedKey>) {
        let Some(psk) = &mut self.psk else { return };
        psk.asked = false;
        psk.key = key;
        if psk.held {
            self.end_peek();
        }
    }

    fn end_peek(&mut self) {
        self.bytes.open_gate();
        if let Some(psk) = &mut self.psk {
            psk.peek = None;
            psk.held = false;
        }
    }

    /// The handshake is done. Only below TLS 1.3 there may be another, whose messages nobody can look at: the key that
    /// is there has to do for it.
    pub(super) fn psk_done(&mut self, version: c_int) {
        if self.psk.is_some() {
            self.end_peek();
            if version >= sys::TLS1_3_VERSION {
                self.psk = None;
            }
        }
    }
}

/// SAFETY: `suite` is null or static.
unsafe fn is_shared_key(suite: *const sys::SSL_CIPHER) -> bool {
    // SAFETY: the caller's promise.
    !suite.is_null() && ffi::NIDS_KX_PSK.contains(&unsafe { ffi::SSL_CIPHER_get_kx_nid(suite) })
}

/// Writes the key; gives its length, 0 when it does not fit.
///
/// SAFETY: there are `room` bytes at `into`.
unsafe fn put(bytes: &[u8], into: *mut c_uchar, room: c_uint) -> Option<c_uint> {
    let length = c_uint::try_from(bytes.len()).ok().filter(|&length| length <= room)?;
    // SAFETY: it fits.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), into, bytes.len()) };
    Some(length)
}

/// SAFETY: `text` is null or a C string that lives as long as chosen.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// 0: no such identity.
unsafe extern "C" fn server_key(
    ssl: *mut sys::SSL,
    identity: *const c_char,
    into: *mut c_uchar,
    room: c_uint,
) -> c_uint {
    guard(0, || {
        with_state(ssl, |state| {
            let known = state.psk.as_ref()?.key.as_ref()?;
            // SAFETY: OpenSSL's C string, and its buffer. Identities are public: comparing may take variable time.
            unsafe { (text(identity)? == known.identity.as_bytes()).then(|| put(&known.key, into, room))? }
        })?
    })
}

/// 0: no key for this hint.
unsafe extern "C" fn client_key(
    ssl: *mut sys::SSL,
    hint: *const c_char,
    identity: *mut c_char,
    identity_room: c_uint,
    into: *mut c_uchar,
    room: c_uint,
) -> c_uint {
    guard(0, || {
        with_state(ssl, |state| {
            let psk = state.psk.as_ref()?;
            let known = psk.key.as_ref()?;
            // SAFETY: OpenSSL's C string or null, and its buffers; that of the identity is zeroed, with a byte more than
            // its room.
            unsafe {
                if text(hint) != psk.hint.as_deref() {
                    return None;
                }
                put(known.identity.as_bytes(), identity.cast(), identity_room)?;
                put(&known.key, into, room)
            }
        })?
    })
}
