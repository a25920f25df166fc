//! What a session may still be asked when its `SSL` is gone.

use openssl::ssl::SslSession;
use openssl::x509::X509;
use openssl_sys as sys;

use super::schedule::Secret;
use super::Suite;
use crate::engine::{info, KeyExchange};
use crate::error::Error;

pub(super) struct Facts {
    pub suite: Suite,
    pub cipher: info::CipherEntry,
    pub alpn: Option<Box<[u8]>>,
    pub servername: Option<String>,
    pub reused: bool,
    pub verify_error: Option<Error>,
    pub peer: Option<info::PeerChain>,
    pub certificate: Option<X509>,
    pub session: Option<SslSession>,
    pub finished: Option<Box<[u8]>>,
    pub peer_finished: Option<Box<[u8]>>,
    pub sigalgs: Box<[info::Sigalg]>,
    pub key_exchange: Option<KeyExchange>,
    pub exporter: Secret,
}

impl Facts {
    /// SAFETY: `ssl` is live.
    pub unsafe fn read(ssl: *mut sys::SSL, suite: Suite, exporter: Secret, servername: Option<String>) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            Facts {
                suite,
                cipher: info::cipher(ssl),
                alpn: info::alpn(ssl).map(Vec::into_boxed_slice),
                servername,
                reused: sys::SSL_session_reused(ssl) == 1,
                verify_error: info::verify_error(ssl),
                peer: info::peer_chain(ssl),
                certificate: info::certificate(ssl),
                session: info::session(ssl),
                finished: info::finished(ssl, false).map(Vec::into_boxed_slice),
                peer_finished: info::finished(ssl, true).map(Vec::into_boxed_slice),
                sigalgs: info::shared_sigalgs(ssl),
                key_exchange: info::key_exchange(ssl),
                exporter,
            }
        }
    }
}
