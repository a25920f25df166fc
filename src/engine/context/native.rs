//! The `SSL_CTX` itself.

use std::ffi::{c_int, CStr};
use std::sync::Arc;
use std::{ptr, slice};

use foreign_types_shared::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{SslContext, SslContextRef};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreRef};
use openssl::x509::{X509Ref, X509};
use openssl_sys as sys;

use super::roots::Roots;
use super::{CompressedCertificate, Identity};
use crate::credentials;
use crate::engine::{callbacks, ffi};
use crate::error::{Error, Result};

const TLS1: c_int = sys::TLS1_VERSION;
const TLS1_1: c_int = sys::TLS1_1_VERSION;
const TLS1_2: c_int = sys::TLS1_2_VERSION;
const TLS1_3: c_int = sys::TLS1_3_VERSION;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Server,
    Client,
}

/// A secureProtocol, resolved.
pub(super) struct Method {
    side: Side,
    min: c_int,
    max: c_int,
}

impl Method {
    /// `..._server_method` and `..._client_method` do only that side; the rest of the name fixes the versions.
    pub(super) fn parse(name: Option<&str>, min: u16, max: u16) -> Result<Self> {
        let (min, max) = (c_int::from(min), if max == 0 { TLS1_3 } else { c_int::from(max) });
        let Some(name) = name else { return Ok(Method { side: Side::Both, min, max }) };
        let refuse = |message: String| Err(Error::new("ERR_TLS_INVALID_PROTOCOL_METHOD", message));
        let (protocol, side) = match name.strip_suffix("_method") {
            None => return refuse(format!("Unknown method: {name}")),
            Some(rest) => match rest.strip_suffix("_server") {
                Some(protocol) => (protocol, Side::Server),
                None => match rest.strip_suffix("_client") {
                    Some(protocol) => (protocol, Side::Client),
                    None => (rest, Side::Both),
                },
            },
        };
        let (min, max) = match protocol {
            "SSLv2" => return refuse("SSLv2 methods disabled".into()),
            "SSLv3" => return refuse("SSLv3 methods disabled".into()),
            "SSLv23" => (min, TLS1_2),
            "TLS" => (0, TLS1_3),
            "TLSv1" => (TLS1, TLS1),
            "TLSv1_1" => (TLS1_1, TLS1_1),
            "TLSv1_2" => (TLS1_2, TLS1_2),
            _ => return refuse(format!("Unknown method: {name}")),
        };
        Ok(Method { side, min, max })
    }
}

/// An `SSL_CTX` that no session has been made from, or that will not change any more.
pub(super) struct Native {
    context: SslContext,
    /// The store in the context, when it belongs to all.
    shared: Option<Arc<Roots>>,
}

impl Native {
    pub(super) fn new(method: &Method) -> Result<Self> {
        // SAFETY: the method tables are static; the context is null or ours to free, which its owner does from then
        // on. It is not shared with anyone until this function returns.
        unsafe {
            let table = match method.side {
                Side::Both => sys::TLS_method(),
                Side::Server => sys::TLS_server_method(),
                Side::Client => sys::TLS_client_method(),
            };
            let ctx = sys::SSL_CTX_new(table);
            if ctx.is_null() {
                return Err(Error::take_openssl("SSL_CTX_new"));
            }
            let context = SslContext::from_ptr(ctx);
            let options = sys::SSL_OP_NO_SSLv2
                | sys::SSL_OP_NO_SSLv3
                | sys::SSL_OP_NO_COMPRESSION
                | ffi::SSL_OP_ALLOW_CLIENT_RENEGOTIATION;
            sys::SSL_CTX_set_options(ctx, options);
            // Buffers go while nothing is in flight: idle connections cost half of what they would.
            sys::SSL_CTX_set_mode(
                ctx,
                sys::SSL_MODE_RELEASE_BUFFERS | sys::SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | sys::SSL_MODE_AUTO_RETRY,
            );
            // Sessions are stored by tickets or by the program, never in here.
            sys::SSL_CTX_set_session_cache_mode(
                ctx,
                sys::SSL_SESS_CACHE_BOTH | sys::SSL_SESS_CACHE_NO_INTERNAL | sys::SSL_SESS_CACHE_NO_AUTO_CLEAR,
            );
            if sys::SSL_CTX_set_min_proto_version(ctx, method.min) != 1
                || sys::SSL_CTX_set_max_proto_version(ctx, method.max) != 1
            {
                return Err(Error::take_openssl("Failed to set the protocol versions"));
            }
            // By itself OpenSSL would offer every compression of certificates that it has.
            ffi::SSL_CTX_set1_cert_comp_preference(ctx, ptr::null(), 0);
            callbacks::install(ctx)?;
            Ok(Native { context, shared: None })
        }
    }

    pub(super) fn as_ptr(&mut self) -> *mut sys::SSL_CTX {
        self.context.as_ptr()
    }

    pub(super) fn context(&self) -> &SslContextRef {
        &self.context
    }

    pub(super) fn new_ssl(&self) -> Result<*mut sys::SSL> {
        // SAFETY: the context is alive; the result is null or the caller's to free.
        let ssl = unsafe { sys::SSL_new(self.context.as_ptr()) };
        match ssl.is_null() {
            true => Err(Error::take_openssl("SSL_new")),
            false => Ok(ssl),
        }
    }

    pub(super) fn min_proto(&self) -> u16 {
        // SAFETY: reads a number of a live context.
        unsafe { sys::SSL_CTX_get_min_proto_version(self.context.as_ptr()) as u16 }
    }

    pub(super) fn max_proto(&self) -> u16 {
        // SAFETY: reads a number of a live context.
        unsafe { sys::SSL_CTX_get_max_proto_version(self.context.as_ptr()) as u16 }
    }

    /// Keeps compressed forms of the certificates that a server shows, where that makes them shorter.
    pub(super) fn compress_certificates(&mut self) {
        // SAFETY: the context is live and no session has been made from it. 0 stands for every algorithm set.
        unsafe { ffi::SSL_CTX_compress_certs(self.context.as_ptr(), 0) };
        // Nothing to compress is an error to OpenSSL.
        let _ = ErrorStack::get();
    }

    /// Puts the common root store in the place of the context's own.
    pub(super) fn share_store(&mut self, roots: &Arc<Roots>) {
        let store = roots.store.as_ptr();
        // SAFETY: the store is live; the reference made here is the one that the context takes over.
        let store = unsafe {
            ffi::X509_STORE_up_ref(store);
            X509Store::from_ptr(store)
        };
        self.set_store(store);
        self.shared = Some(roots.clone());
    }

    /// A store that only this context has.
    pub(super) fn own_store(&mut self) -> Result<&X509StoreRef> {
        if let Some(roots) = &self.shared {
            let store = roots.copy()?;
            self.set_store(store);
            self.shared = None;
        }
        Ok(self.context.cert_store())
    }

    fn set_store(&mut self, store: X509Store) {
        let raw = store.as_ptr();
        std::mem::forget(store);
        // SAFETY: the context takes over the reference that was just let go of, and frees the store it had.
        unsafe { sys::SSL_CTX_set_cert_store(self.context.as_ptr(), raw) }
    }

    /// The certificates that have a key. Moves the cursor in the context's certificates, which a new session copies:
    /// the caller holds the lock under which sessions are made.
    pub(super) fn identities(&mut self, compressions: &[c_int]) -> Vec<Identity> {
        let ctx = self.context.as_ptr();
        let mut list = Vec::new();
        // SAFETY: what the getters give is borrowed from the live context or null; each gets a reference of our own.
        unsafe {
            let mut found = ffi::SSL_CTX_first_cert(ctx);
            while found {
                let certificate = sys::SSL_CTX_get0_certificate(ctx);
                let key = sys::SSL_CTX_get0_privatekey(ctx);
                if !certificate.is_null() && !key.is_null() {
                    let chain = ffi::SSL_CTX_get0_chain_certs(ctx);
                    list.push(Identity {
                        certificate: X509Ref::from_ptr(certificate).to_owned(),
                        key: {
                            sys::EVP_PKEY_up_ref(key);
                            PKey::from_ptr(key)
                        },
                        chain: (!chain.is_null()).then(|| copy_stack(chain)).flatten(),
                        compressed: compressions.iter().filter_map(|&algorithm| compressed(ctx, algorithm)).collect(),
                    });
                }
                found = ffi::SSL_CTX_next_cert(ctx);
            }
        }
        list
    }
}

/// The current certificate and its chain, compressed, where that makes them shorter.
///
/// SAFETY: `ctx` is live, and nobody else moves its cursor.
unsafe fn compressed(ctx: *mut sys::SSL_CTX, algorithm: c_int) -> Option<CompressedCertificate> {
    let (mut data, mut original) = (ptr::null_mut(), 0);
    // SAFETY: the caller's promise; the memory given is ours to free.
    let bytes = unsafe {
        let length = ffi::SSL_CTX_get1_compressed_cert(ctx, algorithm, &mut data, &mut original);
        if data.is_null() {
            // An algorithm that OpenSSL does not have is an error to it.
            let _ = ErrorStack::get();
            return None;
        }
        let bytes = slice::from_raw_parts(data, length).to_vec();
        sys::OPENSSL_free(data.cast());
        bytes
    };
    (bytes.len() < original).then_some(CompressedCertificate { algorithm, bytes, original })
}

/// SAFETY: `chain` is a live stack of certificates.
unsafe fn copy_stack(chain: *mut sys::stack_st_X509) -> Option<Stack<X509>> {
    let mut copy = Stack::new().ok()?;
    // SAFETY: the caller's promise; the reference lives only through the loop.
    let chain = unsafe { openssl::stack::StackRef::<X509>::from_ptr(chain) };
    for certificate in chain {
        copy.push(certificate.to_owned()).ok()?;
    }
    Some(copy)
}

pub(in crate::engine) fn issued(issuer: &X509Ref, subject: &X509Ref) -> bool {
    issuer.issued(subject) == openssl::x509::X509VerifyResult::OK
}

/// The certificate in the context's store that issued `certificate`.
pub(in crate::engine) fn issuer_in_store(context: &SslContextRef, certificate: &X509Ref) -> Option<X509> {
    let mut issuer = ptr::null_mut();
    // SAFETY: the store lives as long as its context; the look-up locks it. A result of 1 comes with a reference that is
    // ours; the search context is freed here.
    let found = unsafe {
        let search = sys::X509_STORE_CTX_new();
        if search.is_null() {
            return None;
        }
        let store = context.cert_store().as_ptr();
        let found = sys::X509_STORE_CTX_init(search, store, ptr::null_mut(), ptr::null_mut()) == 1
            && ffi::X509_STORE_CTX_get1_issuer(&mut issuer, search, certificate.as_ptr()) == 1;
        sys::X509_STORE_CTX_free(search);
        (found && !issuer.is_null()).then(|| X509::from_ptr(issuer))
    };
    let _ = ErrorStack::get();
    found
}

/// `3.6.3`, the library that this one was built with.
pub fn openssl_version() -> String {
    let text = openssl::version::version();
    text.split(' ').nth(1).unwrap_or(text).to_owned()
}

/// The names of OpenSSL's default suites and of TLS 1.3's, lower case, sorted: what Node's `getCiphers` gives.
pub fn cipher_names() -> Result<Vec<String>> {
    const TLS13: [&str; 5] = [
        "tls_aes_128_ccm_8_sha256",
        "tls_aes_128_ccm_sha256",
        "tls_aes_128_gcm_sha256",
        "tls_aes_256_gcm_sha384",
        "tls_chacha20_poly1305_sha256",
    ];
    credentials::start_openssl();
    let native = Native::new(&Method { side: Side::Both, min: 0, max: TLS1_3 })?;
    // SAFETY: the session is freed below, its list goes with it, and the names are static.
    let mut names: Vec<String> = unsafe {
        let ssl = native.new_ssl()?;
        let list = ffi::SSL_get_ciphers(ssl);
        let count = sys::OPENSSL_sk_num(list.cast());
        let names = (0..count).map(|i| {
            let cipher = sys::OPENSSL_sk_value(list.cast(), i).cast::<sys::SSL_CIPHER>();
            CStr::from_ptr(sys::SSL_CIPHER_get_name(cipher)).to_string_lossy().to_ascii_lowercase()
        });
        let names = names.collect();
        sys::SSL_free(ssl);
        names
    };
    names.extend(TLS13.map(str::to_owned));
    names.sort_unstable();
    names.dedup();
    Ok(names)
}
