//! OpenSSL's calls back into a session.
//!
//! Every `SSL` made here carries a pointer to its [`State`]. A callback runs inside a call of OpenSSL that the session
//! made, on that session's thread; the session holds no reference to its state across such a call, so the one that
//! [`with_state`] makes is the only one. No callback calls out of the engine.

use std::ffi::{c_char, c_int, c_uchar, c_uint, c_void, CStr};
use std::sync::OnceLock;
use std::{ptr, slice};

use foreign_types_shared::ForeignType;
use openssl_sys as sys;

use crate::credentials::guard;
use crate::engine::hello::{self, ClientHello};
use crate::engine::record::Secrets;
use crate::engine::state::{Stage, State};
use crate::engine::{apply, ffi, info, ticket, Role, SessionEvent};
use crate::error::{Error, Result};

/// `SSL_TLSEXT_ERR_...` of `openssl/tls1.h`.
const TLSEXT_OK: c_int = 0;
const TLSEXT_ALERT_FATAL: c_int = 2;
const TLSEXT_NOACK: c_int = 3;
/// A session larger than this is not worth an external store's while; Node has the same bound.
const MAX_SESSION: usize = 10 * 1024;

/// Sets the callbacks of a new context.
///
/// SAFETY: `ctx` is live and nobody else uses it yet.
pub(super) unsafe fn install(ctx: *mut sys::SSL_CTX) -> Result<()> {
    state_index()?;
    // SAFETY: the caller's promise; the functions live for ever and get no arguments of ours.
    unsafe {
        sys::SSL_CTX_set_client_hello_cb(ctx, Some(client_hello), ptr::null_mut());
        ffi::SSL_CTX_set_cert_cb(ctx, Some(certificate), ptr::null_mut());
        ffi::SSL_CTX_set_cert_verify_callback(ctx, Some(verify_chain), ptr::null_mut());
        ffi::SSL_CTX_set_tlsext_status_cb(ctx, status);
        ffi::SSL_CTX_set_info_callback(ctx, Some(progress));
        ffi::SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, Some(ticket::keys));
        ffi::SSL_CTX_set_session_ticket_cb(ctx, Some(ticket::generated), Some(ticket::opened), ptr::null_mut());
        sys::SSL_CTX_set_alpn_select_cb__fixed_rust(ctx, Some(select_alpn), ptr::null_mut());
        sys::SSL_CTX_sess_set_new_cb(ctx, Some(new_session));
        sys::SSL_CTX_sess_set_get_cb(ctx, Some(get_session));
        sys::SSL_CTX_set_keylog_callback(ctx, Some(keylog));
    }
    Ok(())
}

fn state_index() -> Result<c_int> {
    static INDEX: OnceLock<c_int> = OnceLock::new();
    // SAFETY: reserves a number; no functions to call, no pointers to keep.
    let index = *INDEX.get_or_init(|| unsafe { sys::SSL_get_ex_new_index(0, ptr::null_mut(), None, None, None) });
    match index {
        -1 => Err(Error::take_openssl("SSL_get_ex_new_index")),
        index => Ok(index),
    }
}

/// Gives `ssl` its state.
///
/// SAFETY: `ssl` is live, and `state` lives until `ssl` is freed.
pub(super) unsafe fn attach(ssl: *mut sys::SSL, state: *mut State) -> Result<()> {
    // SAFETY: the caller's promise.
    match unsafe { sys::SSL_set_ex_data(ssl, state_index()?, state.cast()) } {
        1 => Ok(()),
        _ => Err(Error::take_openssl("SSL_set_ex_data")),
    }
}

/// Runs `f` on the state of `ssl`, which has one if it was made here. `f` must not call into OpenSSL with `ssl` in a way
/// that calls back.
pub(super) fn with_state<T>(ssl: *const sys::SSL, f: impl FnOnce(&mut State) -> T) -> Option<T> {
    // SAFETY: `attach` put the pointer there and its owner keeps it good; see the module's text on aliasing.
    let state = unsafe { sys::SSL_get_ex_data(ssl, state_index().ok()?).cast::<State>().as_mut() }?;
    Some(f(state))
}

/// Verifying never stops at a fault: [`verify_chain`] decides by the last one found that counts, as Node does.
pub(super) extern "C" fn accept_fault(good: c_int, search: *mut sys::X509_STORE_CTX) -> c_int {
    if good == 0 {
        guard((), || {
            // SAFETY: libssl made `search` and put its `SSL` there.
            unsafe {
                let ssl = sys::X509_STORE_CTX_get_ex_data(search, sys::SSL_get_ex_data_X509_STORE_CTX_idx());
                let fault = sys::X509_STORE_CTX_get_error(search);
                let counts = with_state(ssl.cast(), |state| state.fault(fault))?;
                sys::X509_STORE_CTX_set_error(search, counts);
            }
            Some(())
        });
    }
    1
}

unsafe extern "C" fn client_hello(ssl: *mut sys::SSL, alert: *mut c_int, _: *mut c_void) -> c_int {
    guard(sys::SSL_CLIENT_HELLO_ERROR, || {
        with_state(ssl, |state| {
            if state.established {
                if !state.renegotiation() {
                    return sys::SSL_CLIENT_HELLO_RETRY;
                }
                if let Err(cause) = state.renegotiations.begin(state.now) {
                    state.cause = Some(cause);
                    // SAFETY: OpenSSL's own variable.
                    unsafe { *alert = sys::SSL_AD_NO_RENEGOTIATION };
                    return sys::SSL_CLIENT_HELLO_ERROR;
                }
            }
            // SAFETY: this is the ClientHello callback of `ssl`; reading it calls nothing back.
            let seen = state.client_hello(|| unsafe { ClientHello::read(ssl) });
            if state.hooks.offer && state.offer.is_none() {
                // SAFETY: as above.
                state.offer = Some(unsafe { hello::offer(ssl) });
            }
            // SAFETY: as above.
            let keyed = seen && state.psk_offer(|| unsafe { hello::psk_identities(ssl) });
            // SAFETY: as above.
            if !(keyed && state.ticket_offer(|| unsafe { hello::tickets(ssl) })) {
                return sys::SSL_CLIENT_HELLO_RETRY;
            }
            if state.refuses_tickets() {
                state.cause = Some(Error::new("ERR_SSL_CALLBACK_FAILED", "The ticket key callback has failed"));
                // SAFETY: OpenSSL's own variable.
                unsafe { *alert = sys::SSL_AD_INTERNAL_ERROR };
                return sys::SSL_CLIENT_HELLO_ERROR;
            }
            sys::SSL_CLIENT_HELLO_SUCCESS
        })
    })
}

/// 1: go on, 0: fail, -1: park.
unsafe extern "C" fn certificate(ssl: *mut sys::SSL, _: *mut c_void) -> c_int {
    guard(0, || {
        let parked = with_state(ssl, |state| state.role == Role::Server && !state.certificate())?;
        if parked {
            return Some(-1);
        }
        let Some(context) = with_state(ssl, State::chosen_context)? else { return Some(1) };
        // SAFETY: `ssl` is live, and this is where OpenSSL lets its certificates change.
        match unsafe { apply::use_context(ssl, &context) } {
            Ok(true) => {}
            // A pre-shared key may do without. Otherwise OpenSSL refuses, and this says why.
            Ok(false) => with_state(ssl, |state| state.cause = Some(no_certificate()))?,
            Err(cause) => {
                with_state(ssl, |state| state.cause = Some(cause))?;
                return Some(0);
            }
        }
        Some(1)
    })
}

/// Node's words, which it has from OpenSSL.
fn no_certificate() -> Error {
    let message = "The context chosen for the server name has no certificate and key (passed a null parameter)";
    Error::new("ERR_SSL_PASSED_A_NULL_PARAMETER", message)
}

unsafe extern "C" fn verify_chain(search: *mut sys::X509_STORE_CTX, _: *mut c_void) -> c_int {
    guard(0, || {
        // SAFETY: libssl made `search` and put its `SSL` there. Verifying calls back `accept_fault` alone.
        unsafe {
            let ssl = sys::X509_STORE_CTX_get_ex_data(search, sys::SSL_get_ex_data_X509_STORE_CTX_idx());
            let verified = sys::X509_verify_cert(search);
            let result = sys::X509_STORE_CTX_get_error(search);
            if verified < 0 && result == sys::X509_V_OK {
                sys::X509_STORE_CTX_set_error(search, sys::X509_V_ERR_UNSPECIFIED);
            }
            with_state(ssl.cast(), |state| match info::x509_error(result) {
                Some(cause) if state.role == Role::Server && state.verify.require => {
                    state.refused = true;
                    state.cause = Some(cause);
                    0
                }
                _ => c_int::from(verified >= 0),
            })
        }
    })
}

unsafe extern "C" fn status(ssl: *mut sys::SSL, _: *mut c_void) -> c_int {
    guard(TLSEXT_NOACK, || {
        let (role, answer) = with_state(ssl, |state| (state.role, state.ocsp_answer.take()))?;
        if role == Role::Client {
            // SAFETY: `ssl` is live.
            let response = unsafe { info::ocsp_response(ssl) };
            with_state(ssl, |state| state.events.push_back(SessionEvent::OcspResponse(response)))?;
            // To a client's OpenSSL this says: accepted. Its owner may hang up.
            return Some(1);
        }
        // SAFETY: `ssl` is live.
        let stapled = answer.is_some_and(|response| unsafe { apply::staple(ssl, &response) });
        Some(if stapled { TLSEXT_OK } else { TLSEXT_NOACK })
    })
}

unsafe extern "C" fn progress(ssl: *const sys::SSL, place: c_int, _: c_int) {
    guard((), || {
        // A HelloRequest of our own counts as a handshake to OpenSSL; the real one is still to come.
        // SAFETY: `ssl` is live.
        if place & ffi::SSL_CB_HANDSHAKE_DONE != 0 && unsafe { ffi::SSL_renegotiate_pending(ssl) } == 0 {
            with_state(ssl, |state| {
                state.established = true;
                // Otherwise it follows the owner's consent.
                if state.consent == Stage::Passed {
                    state.events.push_back(SessionEvent::HandshakeDone);
                }
            })?;
        }
        Some(())
    });
}

unsafe extern "C" fn select_alpn(
    ssl: *mut sys::SSL,
    out: *mut *const c_uchar,
    out_length: *mut c_uchar,
    offer: *const c_uchar,
    offer_length: c_uint,
    _: *mut c_void,
) -> c_int {
    guard(TLSEXT_ALERT_FATAL, || {
        // SAFETY: OpenSSL lends the client's list for the time of the handshake, and has checked its form.
        let offer = unsafe { slice::from_raw_parts(offer, offer_length as usize) };
        let chosen = with_state(ssl, |state| match &state.alpn_answer {
            Some(None) => Err(TLSEXT_ALERT_FATAL),
            Some(Some(name)) => protocols(offer).find(|offered| offered == name).ok_or(TLSEXT_ALERT_FATAL),
            None if state.alpn.is_empty() => Err(TLSEXT_NOACK),
            None => protocols(&state.alpn)
                .find_map(|ours| protocols(offer).find(|offered| *offered == ours))
                .ok_or(TLSEXT_ALERT_FATAL),
        })?;
        Some(match chosen {
            Err(code) => code,
            Ok(name) => {
                // SAFETY: OpenSSL's own variables. `name` lies in the client's list, which outlives the use of it.
                unsafe {
                    *out = name.as_ptr();
                    *out_length = name.len() as c_uchar;
                }
                TLSEXT_OK
            }
        })
    })
}

/// The names of a list in wire form, up to where it is malformed.
fn protocols(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, rest) = list.split_first()?;
        let (name, rest) = rest.split_at_checked(length.into())?;
        list = rest;
        Some(name)
    })
}

/// Gives 0: OpenSSL keeps its reference.
unsafe extern "C" fn new_session(ssl: *mut sys::SSL, session: *mut sys::SSL_SESSION) -> c_int {
    guard(0, || {
        if with_state(ssl, |state| state.hooks.sessions)? {
            // SAFETY: OpenSSL lends the session for the time of the call.
            let (id, session) = unsafe { (info::session_id(session), info::session_der(session)?) };
            if session.len() <= MAX_SESSION {
                with_state(ssl, |state| state.events.push_back(SessionEvent::NewSession { id, session }))?;
            }
        }
        Some(0)
    })
}

/// Gives the session that the ClientHello's answer brought, and OpenSSL its reference (`copy` = 0).
unsafe extern "C" fn get_session(
    ssl: *mut sys::SSL,
    _: *const c_uchar,
    _: c_int,
    copy: *mut c_int,
) -> *mut sys::SSL_SESSION {
    guard(ptr::null_mut(), || {
        // SAFETY: OpenSSL's own variable.
        unsafe { *copy = 0 };
        let session = with_state(ssl, |state| state.resume.take())??;
        let raw = session.as_ptr();
        std::mem::forget(session);
        Some(raw)
    })
}

unsafe extern "C" fn keylog(ssl: *const sys::SSL, line: *const c_char) {
    guard((), || {
        with_state(ssl, |state| {
            // SAFETY: a C string that OpenSSL lends for the time of the call.
            let line = unsafe { CStr::from_ptr(line) }.to_bytes();
            if state.role == Role::Server {
                Secrets::note(&mut state.secrets, line);
            }
            if state.hooks.keylog {
                let line = [line, b"\n"].concat();
                state.events.push_back(SessionEvent::Keylog(line));
            }
        })
    });
}
