//! A context's settings, each of which can be applied again.

use std::ffi::{c_int, c_long, c_ulong, CString};
use std::mem::discriminant;
use std::sync::Arc;

use foreign_types_shared::{ForeignType, ForeignTypeRef};
use openssl::dh::Dh;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Params, Private};
use openssl::x509::{X509Crl, X509};
use openssl_sys as sys;

use super::native::Native;
use super::roots::Roots;
use crate::engine::ffi;
use crate::error::{Error, Result};

pub(super) enum Setting {
    /// As the program gave it.
    Ciphers(CString),
    CipherSuites(CString),
    SignatureAlgorithms(CString),
    Groups(CString),
    DhAuto,
    DhParameters(Dh<Params>),
    Options(u64),
    MinProto(u16),
    MaxProto(u16),
    Authority(X509),
    Roots(Arc<Roots>),
    /// A directory of certificates under names made of their subjects' hashes.
    AuthorityDirectory(CString),
    /// Goes behind the chain of the certificate set last.
    ChainCertificate(X509),
    /// Neither tickets nor a cache.
    NoSessions,
    RevocationList(X509Crl),
    PartialChain,
    /// OpenSSL's numbers.
    CertificateCompression(Vec<c_int>),
    Certificate(X509, Vec<X509>),
    Key(PKey<Private>),
    SessionIdContext(Vec<u8>),
    SessionTimeout(u32),
}

/// Adds `setting` to `list`, in the place of a former one that it makes void. (At the former one's place, not at the
/// end: a security level has to come before the certificates that it lets in.)
pub(super) fn remember(list: &mut Vec<Setting>, setting: Setting) {
    use Setting as S;
    let same = |other: &S| discriminant(other) == discriminant(&setting);
    match setting {
        S::Ciphers(_)
        | S::CipherSuites(_)
        | S::SignatureAlgorithms(_)
        | S::Groups(_)
        | S::DhAuto
        | S::DhParameters(_)
        | S::MinProto(_)
        | S::MaxProto(_)
        | S::PartialChain
        | S::CertificateCompression(_)
        | S::NoSessions
        | S::SessionIdContext(_)
        | S::SessionTimeout(_) => match list.iter().position(same) {
            Some(at) => list[at] = setting,
            None => list.push(setting),
        },
        S::Options(new) => match list.iter_mut().find_map(|s| if let S::Options(o) = s { Some(o) } else { None }) {
            Some(options) => *options |= new,
            None => list.push(setting),
        },
        S::AuthorityDirectory(_) | S::ChainCertificate(_) => list.push(setting),
        S::Authority(_) | S::Roots(_) | S::RevocationList(_) | S::Certificate(..) | S::Key(_) => list.push(setting),
    }
}

impl Setting {
    /// Every `unsafe` call below gets the live `SSL_CTX` of `native`, which no session has seen yet, and arguments that
    /// live through the call; OpenSSL copies them or takes references of its own.
    pub(super) fn apply(&self, native: &mut Native) -> Result<()> {
        let ctx = native.as_ptr();
        match self {
            Setting::Ciphers(list) => {
                // SAFETY: see above.
                let set = |list: &CString| match unsafe { sys::SSL_CTX_set_cipher_list(ctx, list.as_ptr()) } {
                    1 => Ok(()),
                    _ => no_suites(list.is_empty()),
                };
                set(list)?;
                match safe_suites(list) {
                    Some(list) => set(&list).or_else(|_| set(&CString::default())),
                    None => Ok(()),
                }
            }
            // SAFETY: see above.
            Setting::CipherSuites(list) => {
                check(unsafe { sys::SSL_CTX_set_ciphersuites(ctx, list.as_ptr()) } == 1, "Failed to set ciphers")
            }
            // SAFETY: see above.
            Setting::SignatureAlgorithms(list) => {
                check(unsafe { sys::SSL_CTX_set1_sigalgs_list(ctx, list.as_ptr()) } == 1, "Failed to set sigalgs")
            }
            // SAFETY: see above.
            Setting::Groups(list) => match unsafe { sys::SSL_CTX_set1_groups_list(ctx, list.as_ptr()) } {
                1 => Ok(()),
                _ => Err(failed("Failed to set ECDH curve")),
            },
            // SAFETY: see above.
            Setting::DhAuto => {
                check(unsafe { sys::SSL_CTX_set_dh_auto(ctx, 1) } == 1, "Error setting temp DH parameter")
            }
            // SAFETY: see above.
            Setting::DhParameters(dh) => match unsafe { sys::SSL_CTX_set_tmp_dh(ctx, dh.as_ptr()) } {
                1 => Ok(()),
                _ => Err(failed("Error setting temp DH parameter")),
            },
            // SAFETY: see above.
            Setting::Options(options) => {
                unsafe { sys::SSL_CTX_set_options(ctx, *options) };
                Ok(())
            }
            // SAFETY: see above.
            Setting::MinProto(version) => check(
                unsafe { sys::SSL_CTX_set_min_proto_version(ctx, c_int::from(*version)) } == 1,
                "Failed to set the protocol version",
            ),
            // SAFETY: see above.
            Setting::MaxProto(version) => check(
                unsafe { sys::SSL_CTX_set_max_proto_version(ctx, c_int::from(*version)) } == 1,
                "Failed to set the protocol version",
            ),
            Setting::Authority(certificate) => {
                let store = native.own_store()?;
                // SAFETY: see above; the store is this context's own.
                let added = unsafe {
                    sys::X509_STORE_add_cert(store.as_ptr(), certificate.as_ptr()) == 1
                        && sys::SSL_CTX_add_client_CA(ctx, certificate.as_ptr()) == 1
                };
                check(added, "Failed to add the CA certificate")
            }
            Setting::AuthorityDirectory(path) => {
                let store = native.own_store()?;
                // SAFETY: see above.
                check(unsafe { ffi::X509_STORE_load_path(store.as_ptr(), path.as_ptr()) } == 1, "X509_STORE_load_path")
            }
            Setting::ChainCertificate(certificate) => {
                // SAFETY: see above.
                check(unsafe { ffi::SSL_CTX_add1_chain_cert(ctx, certificate.as_ptr()) }, "SSL_CTX_add1_chain_cert")
            }
            Setting::NoSessions => {
                const NO_TICKET: u64 = 1 << 14;
                // SAFETY: see above.
                unsafe {
                    sys::SSL_CTX_set_options(ctx, NO_TICKET);
                    sys::SSL_CTX_set_session_cache_mode(ctx, sys::SSL_SESS_CACHE_OFF);
                    check(sys::SSL_CTX_set_num_tickets(ctx, 0) == 1, "SSL_CTX_set_num_tickets")
                }
            }
            Setting::Roots(roots) => {
                native.share_store(roots);
                Ok(())
            }
            Setting::RevocationList(crl) => {
                let store = native.own_store()?;
                let flags = ffi::X509_V_FLAG_CRL_CHECK | ffi::X509_V_FLAG_CRL_CHECK_ALL;
                // SAFETY: see above.
                let added = unsafe {
                    ffi::X509_STORE_add_crl(store.as_ptr(), crl.as_ptr()) == 1
                        && sys::X509_STORE_set_flags(store.as_ptr(), flags) == 1
                };
                check(added, "Failed to add the CRL")
            }
            Setting::PartialChain => {
                let store = native.own_store()?;
                let flags: c_ulong = ffi::X509_V_FLAG_PARTIAL_CHAIN;
                // SAFETY: see above.
                check(unsafe { sys::X509_STORE_set_flags(store.as_ptr(), flags) } == 1, "X509_STORE_set_flags")
            }
            Setting::CertificateCompression(algorithms) => {
                // SAFETY: see above.
                let set = unsafe { ffi::SSL_CTX_set1_cert_comp_preference(ctx, algorithms.as_ptr(), algorithms.len()) };
                match set {
                    1 => Ok(()),
                    _ => Err(failed("Failed to set certificate compression preference")),
                }
            }
            Setting::Certificate(certificate, chain) => {
                // SAFETY: see above.
                let set = unsafe {
                    sys::SSL_CTX_use_certificate(ctx, certificate.as_ptr()) == 1 && {
                        ffi::SSL_CTX_clear_extra_chain_certs(ctx);
                        chain.iter().all(|ca| ffi::SSL_CTX_add1_chain_cert(ctx, ca.as_ptr()))
                    }
                };
                check(set, "SSL_CTX_use_certificate_chain")
            }
            // SAFETY: see above.
            Setting::Key(key) => {
                check(unsafe { sys::SSL_CTX_use_PrivateKey(ctx, key.as_ptr()) } == 1, "SSL_CTX_use_PrivateKey")
            }
            Setting::SessionIdContext(name) => {
                // SAFETY: see above; OpenSSL checks the length against its own bound before it copies.
                let set = unsafe {
                    sys::SSL_CTX_set_session_id_context(ctx, name.as_ptr(), name.len().try_into().unwrap_or(u32::MAX))
                };
                check(set == 1, "SSL_CTX_set_session_id_context error")
            }
            // SAFETY: see above.
            Setting::SessionTimeout(seconds) => {
                unsafe { ffi::SSL_CTX_set_timeout(ctx, (*seconds).min(i32::MAX as u32) as c_long) };
                Ok(())
            }
        }
    }
}

/// The list without the suites that hide nothing, or do not know whom they talk to. `None` for the empty list.
fn safe_suites(list: &CString) -> Option<CString> {
    let list = list.to_bytes();
    (!list.is_empty()).then(|| CString::new([list, b":!aNULL:!eNULL"].concat()).ok()).flatten()
}

/// An empty list leaves no suites before TLS 1.3, which is what it says; OpenSSL calls that an error.
fn no_suites(meant: bool) -> Result<()> {
    let stack = ErrorStack::get();
    let none = stack.errors().first().is_some_and(|e| e.reason_code() == ffi::SSL_R_NO_CIPHER_MATCH);
    match meant && none {
        true => Ok(()),
        false => Err(Error::openssl(&stack, "Failed to set ciphers")),
    }
}

/// An error that Node words itself.
fn failed(message: &'static str) -> Error {
    let _ = ErrorStack::get();
    Error::new("ERR_CRYPTO_OPERATION_FAILED", message)
}

fn check(good: bool, fallback: &'static str) -> Result<()> {
    match good {
        true => Ok(()),
        false => Err(Error::take_openssl(fallback)),
    }
}
