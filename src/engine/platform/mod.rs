//! [`TlsSession`] over the operating system's own stack, by way of native-tls: SChannel on Windows, Security.framework
//! on Apple systems, OpenSSL elsewhere.
//!
//! native-tls offers one certificate, one list of trusted roots, and bytes. Whatever else a [`SessionConfig`] asks for
//! is refused with `ERR_C4TLS_PROVIDER_UNSUPPORTED` before the first byte; whatever else a session is asked about it
//! does not know. Its clients differ in one thing: the system verifies the server's certificate inside the handshake,
//! and refuses there.

mod session;

use native_tls::{Protocol, TlsAcceptor, TlsConnector};
use openssl::pkey::PKey;
use openssl::x509::X509;

use crate::credentials::start_openssl;
use crate::engine::{Forgive, Role, SessionConfig, TlsSession};
use crate::error::{Error, Result};
use session::{Session, Start};

/// What sessions of the system's stack have in common. A cheap clone.
#[derive(Clone)]
pub struct Platform {
    side: Side,
}

#[derive(Clone)]
enum Side {
    Server(TlsAcceptor),
    Client(TlsConnector),
}

/// A server's certificate and key.
pub enum Identity<'a> {
    Pkcs12 {
        der: &'a [u8],
        passphrase: &'a str,
    },
    /// The chain, leaf first, and a PKCS#8 key that is not encrypted.
    Pem {
        chain: &'a [u8],
        key: &'a [u8],
    },
}

/// The oldest and the newest protocol as on the wire, `0x0303` for TLS 1.2; 0: the system's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Versions {
    pub min: u16,
    pub max: u16,
}

impl Platform {
    /// Errors: `ERR_C4TLS_PLATFORM`, worded by the system; `ERR_C4TLS_PROVIDER_UNSUPPORTED` for versions it does not have.
    pub fn server(identity: Identity, versions: Versions) -> Result<Self> {
        start_openssl();
        // Elsewhere native-tls offers servers TLS 1.2 at most.
        if versions.min > 0x0303 && !cfg!(windows) {
            return Err(unsupported("servers of TLS 1.3 alone"));
        }
        if versions.max != 0 && versions.max < versions.min {
            return Err(unsupported("a newest protocol that is older than the oldest"));
        }
        let identity = match identity {
            Identity::Pkcs12 { der, passphrase } => native_tls::Identity::from_pkcs12(der, passphrase),
            Identity::Pem { chain, key } => {
                matching(chain, key)?;
                native_tls::Identity::from_pkcs8(chain, key)
            }
        };
        let mut builder = TlsAcceptor::builder(identity.map_err(failed)?);
        if versions.min != 0 {
            builder.min_protocol_version(Some(protocol(versions.min)?));
        }
        if versions.max != 0 {
            builder.max_protocol_version(Some(protocol(versions.max)?));
            // The system's oldest may be newer than that.
            if versions.min == 0 && versions.max < 0x0303 {
                builder.min_protocol_version(Some(protocol(versions.max)?));
            }
        }
        Ok(Platform { side: Side::Server(builder.build().map_err(failed)?) })
    }

    /// A client that trusts the system's roots, and those in `roots` (PEM each) as well.
    pub fn client(roots: &[&[u8]]) -> Result<Self> {
        start_openssl();
        let mut builder = TlsConnector::builder();
        for pem in roots {
            builder.add_root_certificate(native_tls::Certificate::from_pem(pem).map_err(failed)?);
        }
        Ok(Platform { side: Side::Client(builder.build().map_err(failed)?) })
    }

    /// `ERR_C4TLS_PROVIDER_UNSUPPORTED` when `config` asks for more than there is.
    pub fn check(&self, config: &SessionConfig) -> Result<()> {
        let SessionConfig { role, verify, forgive, alpn, session, request_ocsp, hooks, sni, .. } = config;
        let side = match &self.side {
            Side::Server(_) => Role::Server,
            Side::Client(_) => Role::Client,
        };
        let refused = [
            (!alpn.is_empty(), "ALPN"),
            (session.is_some(), "resuming a stored session"),
            (*request_ocsp, "OCSP stapling"),
            (hooks.client_hello || hooks.certificate || hooks.offer, "questions during the handshake"),
            (hooks.psk, "pre-shared keys"),
            (hooks.keylog, "key logging"),
            (hooks.sessions, "session events"),
            (hooks.trace || hooks.records, "tracing"),
            (sni.is_some(), "certificates by server name"),
            ((verify.request || hooks.client_certificate) && *role == Role::Server, "client certificates"),
            (*forgive != Forgive::default() && *role == Role::Client, "faults of certificates that are forgiven"),
            (*role != side, "the other side of the handshake"),
        ];
        match refused.iter().find(|(asked, _)| *asked) {
            Some((_, what)) => Err(unsupported(what)),
            None => Ok(()),
        }
    }

    pub fn session(&self, config: SessionConfig) -> Result<Box<dyn TlsSession>> {
        self.check(&config)?;
        let SessionConfig { role, servername, .. } = config;
        let start = match &self.side {
            Side::Server(acceptor) => Start::Accept(acceptor.clone()),
            Side::Client(connector) => Start::Connect(connector.clone()),
        };
        Ok(Box::new(Session::new(start, role, servername)))
    }
}

/// Not every system minds a key of another certificate before the first handshake. What cannot be read is left to it.
fn matching(chain: &[u8], key: &[u8]) -> Result<()> {
    let own = X509::from_pem(chain).and_then(|leaf| leaf.public_key()).ok();
    match (own, PKey::private_key_from_pem_callback(key, |_| Ok(0)).ok()) {
        (Some(own), Some(key)) if !key.public_eq(&own) => {
            Err(Error::new("ERR_C4TLS_PLATFORM", "The private key is not the certificate's"))
        }
        _ => Ok(()),
    }
}

fn protocol(version: u16) -> Result<Protocol> {
    match version {
        0x0301 => Ok(Protocol::Tlsv10),
        0x0302 => Ok(Protocol::Tlsv11),
        0x0303 => Ok(Protocol::Tlsv12),
        0x0304 => Ok(Protocol::Tlsv13),
        _ => Err(unsupported("this protocol version")),
    }
}

fn failed(error: native_tls::Error) -> Error {
    Error::new("ERR_C4TLS_PLATFORM", error.to_string())
}

/// `ERR_C4TLS_PROVIDER_UNSUPPORTED`.
pub fn unsupported(what: &str) -> Error {
    let message = format!("The platform's TLS provider does not support {what}; use the internal provider");
    Error::new("ERR_C4TLS_PROVIDER_UNSUPPORTED", message)
}
