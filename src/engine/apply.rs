//! What is put into a session after it began.

use std::ptr;

use foreign_types_shared::{ForeignType, ForeignTypeRef};
use openssl_sys as sys;

use crate::engine::{callbacks, ffi, Context, Verify};
use crate::error::{Error, Result};

/// Shows the certificates of `context`, trusts what it trusts and names its authorities to the client. Protocol
/// versions, suites and ticket keys stay those of the session's own context, as in Node. Gives whether there is a
/// certificate: the session never shows one of another context.
///
/// SAFETY: `ssl` is live and its certificates may change: before its handshake, or inside its certificate callback.
pub(super) unsafe fn use_context(ssl: *mut sys::SSL, context: &Context) -> Result<bool> {
    let identities = context.identities();
    let frozen = context.frozen();
    // SAFETY: the caller's promise for `ssl`. Of what it is given here it takes references of its own; the list of
    // names is copied first, since it takes that over.
    unsafe {
        ffi::SSL_certs_clear(ssl);
        for identity in identities.iter() {
            let chain = identity.chain.as_ref().map_or(ptr::null_mut(), |chain| chain.as_ptr());
            let (certificate, key) = (identity.certificate.as_ptr(), identity.key.as_ptr());
            if ffi::SSL_use_cert_and_key(ssl, certificate, key, chain, 1) != 1 {
                return Err(Error::take_openssl("SSL_use_cert_and_key"));
            }
            for one in &identity.compressed {
                let (bytes, length) = (one.bytes.as_ptr().cast_mut(), one.bytes.len());
                if ffi::SSL_set1_compressed_cert(ssl, one.algorithm, bytes, length, one.original) != 1 {
                    return Err(Error::take_openssl("SSL_set1_compressed_cert"));
                }
            }
        }
        if !ffi::SSL_use_stores(ssl, frozen.cert_store().as_ptr()) {
            return Err(Error::take_openssl("SSL_set1_verify_cert_store"));
        }
        let names = ffi::SSL_dup_CA_list(ffi::SSL_CTX_get_client_CA_list(frozen.as_ptr()));
        sys::SSL_set_client_CA_list(ssl, names);
    }
    Ok(!identities.is_empty())
}

/// Staples `response`, which OpenSSL sends if it is an OCSPResponse for the certificate in use.
///
/// SAFETY: `ssl` is live.
pub(super) unsafe fn staple(ssl: *mut sys::SSL, response: &[u8]) -> bool {
    // SAFETY: the copy is OpenSSL's own memory, which it takes over, or which is freed here.
    unsafe {
        let copy = sys::OPENSSL_malloc(response.len());
        if copy.is_null() {
            return false;
        }
        ptr::copy_nonoverlapping(response.as_ptr(), copy.cast(), response.len());
        let length = response.len().try_into().unwrap_or(0);
        let taken = sys::SSL_ctrl(ssl, sys::SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP, length, copy) == 1;
        if !taken {
            sys::OPENSSL_free(copy);
        }
        taken
    }
}

/// SAFETY: `ssl` is live.
pub(super) unsafe fn set_verify(ssl: *mut sys::SSL, server: bool, verify: Verify) {
    let mode = match (server, verify.request, verify.require) {
        (true, true, true) if !verify.optional => sys::SSL_VERIFY_PEER | sys::SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        (true, true, _) => sys::SSL_VERIFY_PEER,
        // A client's OpenSSL verifies all the same, and goes on.
        _ => sys::SSL_VERIFY_NONE,
    };
    // SAFETY: the caller's promise.
    unsafe { sys::SSL_set_verify(ssl, mode, Some(callbacks::accept_fault)) }
}
