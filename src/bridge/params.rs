//! How JavaScript describes a TLS session to come.

use std::time::Duration;

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::secure_context::SecureContext;
use super::sni_table::SniTable;
use crate::driver::StartOptions;
use crate::engine::{Forgive, Hooks, Renegotiation, Role, SessionConfig, Verify};
use crate::error::Result as CoreResult;

/// Questions and notices that JavaScript asked for, as bits of one number.
pub(super) mod hook {
    pub const HELLO: u32 = 1;
    pub const CERTIFICATE: u32 = 2;
    pub const KEYLOG: u32 = 4;
    pub const SESSIONS: u32 = 8;
    /// Listener only: each connection waits for `start`.
    pub const EAGER: u32 = 16;
    pub const TRACE: u32 = 32;
    pub const PSK: u32 = 64;
    pub const OFFER: u32 = 128;
    pub const CLIENT_CERTIFICATE: u32 = 256;
    pub const RECORDS: u32 = 512;
}

pub(super) fn hooks(bits: u32) -> Hooks {
    Hooks {
        client_hello: bits & hook::HELLO != 0,
        certificate: bits & hook::CERTIFICATE != 0,
        psk: bits & hook::PSK != 0,
        keylog: bits & hook::KEYLOG != 0,
        sessions: bits & hook::SESSIONS != 0,
        trace: bits & hook::TRACE != 0,
        records: bits & hook::RECORDS != 0,
        offer: bits & hook::OFFER != 0,
        client_certificate: bits & hook::CLIENT_CERTIFICATE != 0,
    }
}

#[napi(object, object_to_js = false)]
pub struct TlsParams<'env> {
    pub context: ClassInstance<'env, SecureContext>,
    pub is_server: bool,
    pub request_cert: bool,
    pub reject_unauthorized: bool,
    /// With `rejectUnauthorized`: a client without a certificate is welcome.
    pub optional_cert: Option<bool>,
    /// Wire form.
    pub alpn: Option<BufferSlice<'env>>,
    pub servername: Option<String>,
    pub session: Option<BufferSlice<'env>>,
    #[napi(js_name = "requestOCSP")]
    pub request_ocsp: Option<bool>,
    pub hooks: u32,
    pub psk_identity_hint: Option<String>,
    /// Milliseconds; 0: none.
    pub handshake_timeout: f64,
    /// Milliseconds in which the peer may be silent while the handshake waits for it; 0: any.
    pub handshake_inactivity: Option<f64>,
    pub sni: Option<ClassInstance<'env, SniTable>>,
    pub reneg_limit: f64,
    /// Seconds.
    pub reneg_window: f64,
    pub strict_eof: Option<bool>,
    /// Bits of what is forgiven a peer's certificate, as IPWorks' SSLSecurityFlags have them.
    pub verify_flags: Option<u32>,
}

/// Without `params`: plain TCP. Fails for what the provider does not support.
pub(super) fn start_options(params: Option<TlsParams>) -> CoreResult<StartOptions> {
    let Some(params) = params else { return Ok(StartOptions::clear()) };
    let options = params.start_options();
    options.provider.as_ref().map_or(Ok(()), |provider| provider.check(&options.session))?;
    Ok(options)
}

impl TlsParams<'_> {
    fn start_options(&self) -> StartOptions {
        StartOptions {
            provider: Some(self.context.provider()),
            session: SessionConfig {
                role: if self.is_server { Role::Server } else { Role::Client },
                verify: Verify {
                    request: self.request_cert,
                    require: self.is_server && self.request_cert && self.reject_unauthorized,
                    optional: self.optional_cert.unwrap_or(false),
                },
                forgive: forgive(self.verify_flags.unwrap_or(0)),
                alpn: self.alpn.as_deref().unwrap_or_default().to_vec(),
                servername: self.servername.clone().filter(|name| !name.is_empty()),
                session: self.session.as_deref().map(<[u8]>::to_vec),
                request_ocsp: self.request_ocsp.unwrap_or(false),
                hooks: hooks(self.hooks),
                psk_identity_hint: self.psk_identity_hint.clone(),
                sni: self.sni.as_ref().map(|sni| sni.table()),
                renegotiation: Renegotiation {
                    limit: self.reneg_limit.clamp(0.0, f64::from(u32::MAX)) as u32,
                    window: seconds(self.reneg_window),
                    disabled: false,
                    ask: self.is_server,
                },
            },
            handshake_timeout: limit(self.handshake_timeout),
            handshake_inactivity: self.handshake_inactivity.and_then(limit),
            strict_eof: self.strict_eof.unwrap_or(false),
        }
    }
}

/// Of milliseconds; 0 is none.
fn limit(milliseconds: f64) -> Option<Duration> {
    Some(seconds(milliseconds / 1000.0)).filter(|limit| !limit.is_zero())
}

fn forgive(flags: u32) -> Forgive {
    Forgive { time: flags & 0x01 != 0, authority: flags & 0x10 != 0, usage: flags & 0x20 != 0 }
}

/// Any number JavaScript may give; what is no duration becomes zero.
pub(super) fn seconds(number: f64) -> Duration {
    /// A year: beyond any timer of sense, within any clock's range.
    const MOST: f64 = 365.0 * 86400.0;
    if number > 0.0 {
        Duration::from_secs_f64(number.min(MOST))
    } else {
        Duration::ZERO
    }
}
