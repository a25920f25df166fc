//! A connection as JavaScript's handle has it.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::environment::Environment;
use super::framing::FramingOptions;
use super::params::{hooks, seconds, start_options, TlsParams};
use super::secure_context::SecureContext;
#[cfg(not(unix))]
use super::throw::throw;
use super::throw::OrThrow;
use super::write;
use crate::driver::{self, parse_address};
use crate::engine::{Answer, SharedKey, TicketAnswer, TicketKey, Verify};
use crate::transport::{ConnectOptions, SocketAddress, SocketOptions};

#[napi(object, object_to_js = false)]
pub struct TcpOptions {
    /// In the order in which they are tried.
    pub addresses: Vec<String>,
    pub port: u16,
    pub local_address: Option<String>,
    pub local_port: Option<u16>,
    /// Milliseconds for each address but the last.
    pub attempt_timeout: Option<f64>,
    pub no_delay: Option<bool>,
    pub keep_alive: Option<bool>,
    /// Seconds, rounded up to whole ones; 0: the system's.
    pub keep_alive_delay: Option<f64>,
}

pub(super) fn socket_options(no_delay: Option<bool>, keep_alive: Option<bool>, delay: Option<f64>) -> SocketOptions {
    SocketOptions {
        no_delay: no_delay.unwrap_or(false),
        keep_alive: keep_alive.unwrap_or(false).then(|| seconds(delay.unwrap_or(0.0))),
        ..SocketOptions::default()
    }
}

#[napi(object, object_from_js = false)]
pub struct AddressInfo {
    pub address: String,
    pub family: &'static str,
    pub port: u16,
}

impl From<SocketAddress> for AddressInfo {
    fn from(a: SocketAddress) -> Self {
        AddressInfo { address: a.address, family: a.family, port: a.port }
    }
}

#[napi]
pub struct Connection {
    pub(super) inner: Arc<driver::Connection>,
}

impl Drop for Connection {
    /// Nobody can use it any more, be it that the environment is gone.
    fn drop(&mut self) {
        write::forget(self.inner.id());
        self.inner.close(false);
    }
}

impl Connection {
    fn new(inner: Arc<driver::Connection>, environment: &Arc<Environment>) -> Self {
        write::register(&inner, environment);
        Connection { inner }
    }
}

/// Takes over an accepted connection that an event named.
#[napi]
pub fn claim(env: &Env, id: u32) -> Result<Option<Connection>> {
    let environment = Environment::current(env)?;
    Ok(environment.claim(id).map(|inner| Connection::new(inner, &environment)))
}

#[napi]
impl Connection {
    #[napi(factory)]
    pub fn tcp(env: &Env, options: TcpOptions) -> Result<Self> {
        let environment = Environment::current(env)?;
        let options = ConnectOptions {
            addresses: options
                .addresses
                .iter()
                .map(|a| parse_address(a))
                .collect::<crate::error::Result<_>>()
                .or_throw(env)?,
            port: options.port,
            local_address: options.local_address.as_deref().map(parse_address).transpose().or_throw(env)?,
            local_port: options.local_port.unwrap_or(0),
            attempt_timeout: options.attempt_timeout.map(|ms| seconds(ms / 1000.0)).filter(|t| !t.is_zero()),
            socket: socket_options(options.no_delay, options.keep_alive, options.keep_alive_delay),
        };
        let inner = driver::Connection::connect_tcp(environment.clone(), options).or_throw(env)?;
        Ok(Connection::new(inner, &environment))
    }

    #[napi(factory)]
    pub fn pipe(env: &Env, path: String) -> Result<Self> {
        let environment = Environment::current(env)?;
        #[cfg(unix)]
        {
            let inner = driver::Connection::connect_path(environment.clone(), path).or_throw(env)?;
            Ok(Connection::new(inner, &environment))
        }
        #[cfg(not(unix))]
        {
            let _ = (environment, path);
            Err(throw(env, &super::listener::no_paths()))
        }
    }

    #[napi(factory)]
    pub fn duplex(env: &Env) -> Result<Self> {
        let environment = Environment::current(env)?;
        let inner = driver::Connection::over_duplex(environment.clone()).or_throw(env)?;
        Ok(Connection::new(inner, &environment))
    }

    #[napi(getter)]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Of the listener's options that it was accepted with; 0 without.
    #[napi(getter)]
    pub fn generation(&self) -> u32 {
        self.inner.generation()
    }

    /// Whether a part of a message waits for the rest of it.
    #[napi]
    pub fn has_partial(&self) -> bool {
        self.inner.has_partial()
    }

    /// Without `params`: no TLS.
    #[napi]
    pub fn start(&self, env: &Env, params: Option<TlsParams>) -> Result<()> {
        self.inner.start(start_options(params).or_throw(env)?);
        Ok(())
    }

    /// Sends all that was accepted, then close_notify and FIN; CLOSED follows. A peer that takes nothing for so many
    /// milliseconds (0: for ever) gets a reset.
    #[napi]
    pub fn finish(&self, timeout: f64) {
        self.inner.finish(seconds(timeout / 1000.0));
    }

    /// Bytes that were accepted and are not in the kernel.
    #[napi]
    pub fn pending_bytes(&self) -> f64 {
        self.inner.pending() as f64
    }

    /// Sends a regular file behind what waits. FILE_PROGRESS tells how far it is, FILE_DONE that it is over. False: the
    /// connection is closing, or a file is on its way.
    #[napi]
    pub fn send_file(&self, path: String) -> bool {
        self.inner.send_file(path.into())
    }

    /// FILE_DONE follows, if there is a file.
    #[napi]
    pub fn interrupt_file(&self) {
        self.inner.interrupt_file();
    }

    /// DRAIN follows when all that was accepted is in the kernel, be it now.
    #[napi]
    pub fn await_drain(&self) {
        self.inner.await_drain();
    }

    /// From now on, beginning with what has come and was not delivered yet.
    #[napi]
    pub fn set_framing(&self, env: &Env, framing: FramingOptions) -> Result<()> {
        self.inner.set_framing(framing.framing().or_throw(env)?);
        Ok(())
    }

    /// Milliseconds in which neither side moves a byte, until ERROR; 0: no limit.
    #[napi]
    pub fn set_idle_timeout(&self, timeout: f64) {
        self.inner.set_idle_timeout(seconds(timeout / 1000.0));
    }

    /// Milliseconds, from now on, in which the kernel takes nothing of what waits, until STALLED; 0: no limit.
    #[napi]
    pub fn set_stall_timeout(&self, timeout: f64) {
        self.inner.set_stall_timeout(seconds(timeout / 1000.0));
    }

    #[napi]
    pub fn shutdown(&self) {
        self.inner.shutdown();
    }

    #[napi]
    pub fn close(&self, reset: Option<bool>) {
        self.inner.close(reset.unwrap_or(false));
    }

    #[napi]
    pub fn read_start(&self) {
        self.inner.read_start();
    }

    #[napi]
    pub fn read_stop(&self) {
        self.inner.read_stop();
    }

    /// `alpn`: undefined leaves the choice to the list, null refuses.
    #[napi]
    pub fn answer_hello(
        &self,
        env: &Env,
        session: Option<&[u8]>,
        alpn: Either3<String, Null, Undefined>,
    ) -> Result<()> {
        let alpn = match alpn {
            Either3::A(name) => Some(Some(name.chars().map(|c| c as u8).collect())),
            Either3::B(Null) => Some(None),
            Either3::C(()) => None,
        };
        self.inner.answer(Answer::ClientHello { session: session.map(<[u8]>::to_vec), alpn }).or_throw(env)
    }

    #[napi]
    pub fn answer_certificate(
        &self,
        env: &Env,
        context: Option<ClassInstance<SecureContext>>,
        ocsp: Option<&[u8]>,
    ) -> Result<()> {
        let context = context.map(|c| c.context()).transpose().or_throw(env)?;
        self.inner.answer(Answer::Certificate { context, ocsp: ocsp.map(<[u8]>::to_vec) }).or_throw(env)
    }

    /// Both or none.
    #[napi]
    pub fn answer_psk(&self, env: &Env, identity: Option<String>, key: Option<&[u8]>) -> Result<()> {
        let key = identity.zip(key).map(|(identity, key)| SharedKey { identity, key: key.to_vec().into() });
        self.inner.answer(Answer::Psk(key)).or_throw(env)
    }

    /// False: the client gets an alert, and ERROR follows.
    #[napi]
    pub fn answer_client_certificate(&self, env: &Env, accept: bool) -> Result<()> {
        self.inner.answer(Answer::ClientCertificate(accept)).or_throw(env)
    }

    /// Each: name, vector and AES key of 16 bytes, then the HMAC key. `made` undefined: the handshake ends.
    #[napi]
    pub fn answer_ticket_keys(
        &self,
        env: &Env,
        made: Option<Vec<BufferSlice>>,
        opened: Option<&[u8]>,
        renew: Option<bool>,
    ) -> Result<()> {
        let answer = made.map(|made| {
            let made = made.iter().map(|key| TicketKey::from_bytes(key)).collect::<crate::error::Result<_>>()?;
            let opened = opened.map(TicketKey::from_bytes).transpose()?;
            Ok(TicketAnswer { made, opened: opened.map(|key| (key, renew.unwrap_or(false))) })
        });
        self.inner.answer(Answer::TicketKeys(answer.transpose().or_throw(env)?)).or_throw(env)
    }

    #[napi]
    pub fn answer_renegotiation(&self, env: &Env) -> Result<()> {
        self.inner.answer(Answer::Renegotiation).or_throw(env)
    }

    #[napi]
    pub fn session_stored(&self) {
        self.inner.session_stored();
    }

    #[napi]
    pub fn set_verify_mode(&self, env: &Env, request: bool, reject: bool) -> Result<()> {
        self.inner.set_verify(Verify { request, require: request && reject, optional: false }).or_throw(env)
    }

    #[napi]
    pub fn renegotiate(&self, env: &Env) -> Result<()> {
        self.inner.renegotiate().or_throw(env)
    }

    #[napi]
    pub fn disable_renegotiation(&self) {
        self.inner.with_session(|s| s.disable_renegotiation());
    }

    #[napi]
    pub fn set_max_send_fragment(&self, env: &Env, bytes: u32) -> Result<bool> {
        let set = self.inner.with_session(|s| s.set_max_send_fragment(bytes as usize)).unwrap_or(false);
        if set {
            Environment::current(env)?.mind_records();
        }
        Ok(set)
    }

    #[napi]
    pub fn set_key_cert(&self, env: &Env, context: ClassInstance<SecureContext>) -> Result<()> {
        let context = context.context().or_throw(env)?;
        self.inner.with_session(|s| s.set_key_cert(&context)).unwrap_or(Ok(())).or_throw(env)
    }

    #[napi]
    pub fn enable_hooks(&self, bits: u32) {
        self.inner.enable_hooks(hooks(bits));
    }

    #[napi]
    pub fn getsockname(&self) -> Option<AddressInfo> {
        self.inner.local_address().map(Into::into)
    }

    #[napi]
    pub fn getpeername(&self) -> Option<AddressInfo> {
        self.inner.peer_address().map(Into::into)
    }

    #[napi]
    pub fn set_no_delay(&self, on: bool) {
        self.inner.set_no_delay(on);
    }

    #[napi]
    pub fn set_keep_alive(&self, on: bool, delay: f64) {
        self.inner.set_keep_alive(on, seconds(delay));
    }

    /// False: pause the stream until CIPHER_RESUME.
    #[napi]
    pub fn receive(&self, bytes: &[u8]) -> bool {
        self.inner.receive(bytes)
    }

    #[napi]
    pub fn receive_eof(&self) {
        self.inner.receive_eof();
    }

    #[napi]
    pub fn cipher_written(&self) {
        self.inner.cipher_written();
    }
}
