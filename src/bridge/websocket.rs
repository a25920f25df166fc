//! WebSockets as JavaScript's handles have them.

use std::time::Duration;

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::connection::Connection;
use super::params::seconds;
use super::throw::OrThrow;
use crate::driver::WebSocketOptions;
use crate::error::Result as CoreResult;
use crate::framing::websocket::{Config, DeflateOptions, Limits, Role};
use crate::policy::limits;

/// permessage-deflate; see [`DeflateOptions`] for what is left out.
#[napi(object, object_to_js = false)]
pub struct DeflateParams {
    /// Default true.
    pub server_no_context_takeover: Option<bool>,
    pub client_no_context_takeover: Option<bool>,
    /// 9 to 15.
    pub server_max_window_bits: Option<u32>,
    /// 8 to 15.
    pub client_max_window_bits: Option<u32>,
    /// Bytes below which a message is sent as it is.
    pub threshold: Option<f64>,
    /// 1 to 9.
    pub level: Option<u32>,
}

#[napi(object, object_to_js = false)]
pub struct WebSocketParams {
    /// Messages are put together.
    pub whole: Option<bool>,
    /// Bytes of an outgoing frame's payload.
    pub max_frame: Option<f64>,
    /// Bounds on what a peer sends; see [`Limits`] for what is left out.
    pub max_message: Option<f64>,
    pub max_frame_in: Option<f64>,
    pub fragments: Option<u32>,
    /// A second.
    pub control_frames: Option<u32>,
    /// Our own that wait for their pong.
    pub pings: Option<u32>,
    /// Bytes and fields of a request's head.
    pub head_bytes: Option<u32>,
    pub headers: Option<u32>,
    /// Null: no compression. Undefined: the defaults.
    pub deflate: Option<Either<DeflateParams, Null>>,
    /// Milliseconds from the accept until the upgrade is answered; 0: none. Default 120,000.
    pub handshake_timeout: Option<f64>,
}

impl WebSocketParams {
    pub(super) fn options(&self) -> CoreResult<WebSocketOptions> {
        let defaults = Limits::default();
        let bytes = |value: Option<f64>, default: u64| value.map_or(default, |value| value as u64);
        let mut config = Config {
            whole: self.whole.unwrap_or(false),
            limits: Limits {
                frame: bytes(self.max_frame_in, defaults.frame),
                message: bytes(self.max_message, defaults.message),
                fragments: self.fragments.unwrap_or(defaults.fragments),
                control_frames: self.control_frames.unwrap_or(defaults.control_frames),
                pings: self.pings.unwrap_or(defaults.pings),
                head_bytes: self.head_bytes.map_or(defaults.head_bytes, |bytes| bytes as usize),
                headers: self.headers.map_or(defaults.headers, |fields| fields as usize),
            },
            deflate: self.deflate(),
            ..Config::new(Role::Server)
        };
        if let Some(bytes) = self.max_frame {
            config.max_frame = (bytes as usize).max(1);
        }
        let timeout = self.handshake_timeout.map_or(limits::UPGRADE_TIME, |ms| seconds(ms / 1000.0));
        Ok(WebSocketOptions { config, handshake_timeout: Some(timeout).filter(|timeout| !timeout.is_zero()) })
    }

    fn deflate(&self) -> DeflateOptions {
        let defaults = DeflateOptions::default();
        match &self.deflate {
            Some(Either::A(wanted)) => DeflateOptions {
                enabled: true,
                server_takeover: !wanted.server_no_context_takeover.unwrap_or(true),
                client_takeover: !wanted.client_no_context_takeover.unwrap_or(true),
                server_window_bits: wanted.server_max_window_bits.unwrap_or(15).clamp(9, 15) as u8,
                client_window_bits: wanted.client_max_window_bits.unwrap_or(15).clamp(8, 15) as u8,
                level: wanted.level.map_or(defaults.level, |level| level.clamp(1, 9) as u8),
                threshold: wanted.threshold.map_or(defaults.threshold, |bytes| bytes as usize),
            },
            Some(Either::B(Null)) => DeflateOptions { enabled: false, ..defaults },
            None => defaults,
        }
    }
}

#[napi]
impl Connection {
    /// Answers UPGRADE; OPEN follows. `headers`: lines ended by CRLF.
    #[napi]
    pub fn accept_upgrade(&self, env: &Env, protocol: Option<String>, headers: Option<String>) -> Result<()> {
        self.inner.accept_upgrade(protocol.as_deref(), headers.as_deref().unwrap_or_default()).or_throw(env)
    }

    /// Answers UPGRADE with an HTTP status from 200 to 599; CLOSED follows.
    #[napi]
    pub fn reject_upgrade(
        &self,
        env: &Env,
        status: u32,
        reason: Option<String>,
        headers: Option<String>,
        body: Option<&[u8]>,
    ) -> Result<()> {
        let status = u16::try_from(status).unwrap_or(0);
        let headers = headers.as_deref().unwrap_or_default();
        self.inner.reject_upgrade(status, reason.as_deref(), headers, body.unwrap_or_default()).or_throw(env)
    }

    /// The number that PONG_IN carries; 0 with a payload, for which nobody waits.
    #[napi]
    pub fn ping(&self, env: &Env, payload: Option<&[u8]>) -> Result<u32> {
        match payload {
            Some(payload) => self.inner.ping_with(payload).map(|()| 0),
            None => self.inner.ping(),
        }
        .or_throw(env)
    }

    #[napi]
    pub fn pong(&self, env: &Env, payload: &[u8]) -> Result<()> {
        self.inner.pong(payload).or_throw(env)
    }

    /// `code` 0: a Close frame without one. Milliseconds for the peer's; 0: it is not waited for. CLOSED follows.
    #[napi]
    pub fn close_web_socket(&self, env: &Env, code: u32, reason: String, timeout: f64) -> Result<()> {
        let code = (code != 0).then(|| u16::try_from(code).unwrap_or(u16::MAX));
        let timeout = if timeout > 0.0 { seconds(timeout / 1000.0) } else { Duration::ZERO };
        self.inner.close_websocket(code, &reason, timeout).or_throw(env)
    }

    /// CLOSE_IN has been dealt with: the answer follows, and CLOSED.
    #[napi]
    pub fn answer_close(&self) {
        self.inner.answer_close();
    }

    /// From the next message on.
    #[napi]
    pub fn set_whole(&self, whole: bool) {
        self.inner.set_whole(whole);
    }

    /// Bytes, from the next message on.
    #[napi]
    pub fn set_max_frame(&self, bytes: f64) {
        self.inner.set_max_frame((bytes as usize).max(1));
    }
}
