//! rustls's part: the client configuration and the handshake.

use crate::failure::{Failure, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue, UnbufferedClientConnection,
};
use rustls::crypto::{ring, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::unbuffered::{ConnectionState, EncodeError, InsufficientSizeError, UnbufferedStatus};
use rustls::{version, ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// Tickets kept at most: more than a run of a minute needs, and some tens of megabytes.
const TICKETS: usize = 1 << 16;

/// The name sent as SNI.
const SERVER_NAME: &str = "localhost";

/// Room for a ClientHello with a ticket, or any other flight of a client without a certificate.
const FLIGHT: usize = 2048;

/// TLS 1.3 with TLS_AES_128_GCM_SHA256 and X25519 only, so that every server negotiates the same.
/// With `tickets`, sessions are resumed as these allow.
pub fn config(tickets: Option<Arc<Tickets>>) -> Result<Arc<ClientConfig>> {
    let provider = CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![ring::kx_group::X25519],
        ..ring::default_provider()
    };
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAnyone { schemes }))
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    config.resumption = tickets.map_or_else(Resumption::disabled, |tickets| Resumption::store(tickets));
    Ok(Arc::new(config))
}

pub fn connection(config: &Arc<ClientConfig>) -> Result<UnbufferedClientConnection> {
    let name = ServerName::try_from(SERVER_NAME).map_err(|_| Failure::new("invalid server name"))?;
    Ok(UnbufferedClientConnection::new(config.clone(), name)?)
}

/// Where a connection stands after [`advance`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    Handshaking,
    Established,
    /// The peer's close_notify has come.
    PeerClosed,
}

/// What [`advance`] has done.
pub struct Advance {
    /// Bytes of the input that are used up.
    pub used: usize,
    pub standing: Standing,
}

/// Lets rustls work on `input` until it needs more; what it wants to send is appended to `out`.
/// Application data is thrown away.
pub fn advance(tls: &mut UnbufferedClientConnection, input: &mut [u8], out: &mut Vec<u8>) -> Result<Advance> {
    let mut used = 0;
    loop {
        let UnbufferedStatus { discard, state } = tls.process_tls_records(&mut input[used..]);
        let standing = match state? {
            ConnectionState::EncodeTlsData(mut flight) => {
                append(
                    out,
                    |room| flight.encode(room),
                    |error| match error {
                        EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => Some(*required_size),
                        EncodeError::AlreadyEncoded => None,
                    },
                )?;
                None
            }
            ConnectionState::TransmitTlsData(sent) => {
                sent.done();
                None
            }
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    record?;
                }
                None
            }
            ConnectionState::BlockedHandshake => Some(Standing::Handshaking),
            ConnectionState::WriteTraffic(_) => Some(Standing::Established),
            ConnectionState::PeerClosed | ConnectionState::Closed => Some(Standing::PeerClosed),
            _ => return Err(Failure::new("unexpected state of the handshake")),
        };
        used += discard;
        if let Some(standing) = standing {
            return Ok(Advance { used, standing });
        }
    }
}

/// Appends a close_notify to `out`.
pub fn close(tls: &mut UnbufferedClientConnection, out: &mut Vec<u8>) -> Result<()> {
    if let ConnectionState::WriteTraffic(mut traffic) = tls.process_tls_records(&mut []).state? {
        append(out, |room| traffic.queue_close_notify(room), |_| None)?;
    }
    Ok(())
}

/// Lets `write` fill the end of `out`, once more with the room `wanted` tells from its error.
fn append<E: std::fmt::Display>(
    out: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> std::result::Result<usize, E>,
    wanted: impl Fn(&E) -> Option<usize>,
) -> Result<()> {
    let begin = out.len();
    let mut room = FLIGHT;
    loop {
        out.resize(begin + room, 0);
        match write(&mut out[begin..]) {
            Ok(count) => {
                out.truncate(begin + count);
                return Ok(());
            }
            Err(error) => match wanted(&error) {
                Some(more) if more > room => room = more,
                _ => return Err(Failure::new(error.to_string())),
            },
        }
    }
}

/// Accepts any certificate and any signature: checking them would be charged to the cores the server is measured on.
#[derive(Debug)]
struct TrustAnyone {
    schemes: Vec<SignatureScheme>,
}

impl ServerCertVerifier for TrustAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// Tickets of the one server: first collected, then spent, each once, the newest first, as a server may remember only
/// the last sessions. A store of our own because rustls's keeps the last eight of a name, and Node's tls sends none on a
/// resumed connection.
#[derive(Default)]
pub struct Tickets {
    kept: Mutex<Vec<Tls13ClientSessionValue>>,
    spending: AtomicBool,
}

impl Tickets {
    /// From now on connections resume.
    pub fn spend(&self) {
        self.spending.store(true, Relaxed);
    }

    /// Connections resume, but there is no ticket left to resume with.
    pub fn spent(&self) -> bool {
        self.spending.load(Relaxed) && self.kept.lock().is_ok_and(|kept| kept.is_empty())
    }
}

impl std::fmt::Debug for Tickets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tickets")
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _server_name: ServerName<'static>, _group: NamedGroup) {}

    fn kx_hint(&self, _server_name: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _server_name: ServerName<'static>, _value: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _server_name: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        if let Ok(mut kept) = self.kept.lock() {
            if kept.len() < TICKETS {
                kept.push(value);
            }
        }
    }

    fn take_tls13_ticket(&self, _server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        if !self.spending.load(Relaxed) {
            return None;
        }
        self.kept.lock().ok()?.pop()
    }
}
