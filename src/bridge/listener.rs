//! A listening server as JavaScript's handle has it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::connection::{socket_options, AddressInfo};
use super::environment::Environment;
use super::framing::FramingOptions;
use super::params::{hook, seconds, start_options, TlsParams};
use super::throw::{throw, OrThrow};
use super::websocket::WebSocketParams;
use crate::driver::{parse_address, Server, ServerConfig};
use crate::error::Error as CoreError;
use crate::policy::Access;
use crate::transport::{self, BindOptions, SocketOptions};

/// Lists of addresses, in which `*` stands for any characters.
#[napi(object, object_to_js = false)]
pub struct AccessOptions {
    pub allowed: Vec<String>,
    pub blocked: Vec<String>,
    /// JavaScript has the last word: every client comes as ACCEPT, with what the lists say.
    pub ask: bool,
}

#[napi(object, object_to_js = false)]
pub struct ListenerOptions<'env> {
    pub no_delay: Option<bool>,
    pub keep_alive: Option<bool>,
    /// Seconds, rounded up to whole ones; 0: the system's.
    pub keep_alive_delay: Option<f64>,
    /// In the same way.
    pub keep_alive_interval: Option<f64>,
    /// Probes without an answer that end the connection, where the system has the option; 0: the system's.
    pub keep_alive_retries: Option<u32>,
    /// Bytes of the kernel's buffers; 0: the system's. What the system refuses is the system's too.
    pub receive_buffer: Option<f64>,
    pub send_buffer: Option<f64>,
    /// Nothing is read before `readStart`.
    pub paused: Option<bool>,
    /// 0: no limit.
    pub max_connections: Option<f64>,
    /// Connections give MESSAGE instead of DATA.
    pub framing: Option<FramingOptions<'env>>,
    /// Connections are WebSockets; then without `framing`.
    pub web_socket: Option<WebSocketParams>,
    /// Without: everybody may connect. Whoever may not is closed without an event.
    pub access: Option<AccessOptions>,
    /// Milliseconds; 0: none. See `Connection.setIdleTimeout`.
    pub idle_timeout: Option<f64>,
    /// Of the caller's choice: a connection accepted with these options has it as its `generation`.
    pub generation: Option<u32>,
}

impl ListenerOptions<'_> {
    fn socket(&self) -> SocketOptions {
        let bytes = |wanted: Option<f64>| wanted.map_or(0, |wanted| wanted.clamp(0.0, f64::from(i32::MAX)) as usize);
        SocketOptions {
            keep_alive_interval: seconds(self.keep_alive_interval.unwrap_or(0.0)),
            keep_alive_retries: self.keep_alive_retries.unwrap_or(0),
            receive_buffer: bytes(self.receive_buffer),
            send_buffer: bytes(self.send_buffer),
            ..socket_options(self.no_delay, self.keep_alive, self.keep_alive_delay)
        }
    }
}

/// Configure first, then listen.
#[napi]
pub struct Listener {
    environment: Arc<Environment>,
    config: Option<ServerConfig>,
    elsewhere: Arc<AtomicUsize>,
    server: Option<Arc<Server>>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

/// Unix sockets of Windows and its named pipes come to us as streams of JavaScript's.
#[cfg(not(unix))]
pub(super) fn no_paths() -> CoreError {
    CoreError::new("ERR_C4TLS_PATH_UNSUPPORTED", "native pipes are not supported on this system; use a net.Socket")
}

#[napi]
impl Listener {
    #[napi(constructor)]
    pub fn new(env: &Env) -> Result<Self> {
        Ok(Listener { environment: Environment::current(env)?, config: None, elsewhere: Arc::default(), server: None })
    }

    /// What later connections get. At any time. Without `params`: plain TCP.
    #[napi]
    pub fn configure(&mut self, env: &Env, params: Option<TlsParams>, options: ListenerOptions) -> Result<()> {
        let config = ServerConfig {
            eager: params.as_ref().is_some_and(|params| params.hooks & hook::EAGER != 0),
            start: start_options(params).or_throw(env)?,
            paused: options.paused.unwrap_or(false),
            socket: options.socket(),
            max_connections: options.max_connections.unwrap_or(0.0).max(0.0) as usize,
            elsewhere: self.elsewhere.clone(),
            quiet: options.framing.as_ref().and_then(FramingOptions::quiet),
            framing: options.framing.map(|framing| framing.framing()).transpose().or_throw(env)?,
            websocket: options.web_socket.map(|params| params.options().map(Arc::new)).transpose().or_throw(env)?,
            ask: options.access.as_ref().is_some_and(|access| access.ask),
            access: options.access.map(|access| Access::new(&access.allowed, &access.blocked)),
            idle_timeout: seconds(options.idle_timeout.unwrap_or(0.0) / 1000.0),
            generation: options.generation.unwrap_or(0),
        };
        match &self.server {
            Some(server) => server.configure(config),
            None => self.config = Some(config),
        }
        Ok(())
    }

    /// Connections of another listener that count among `maxConnections`. At any time; at first 0.
    #[napi]
    pub fn set_elsewhere(&self, count: u32) {
        self.elsewhere.store(count as usize, Ordering::Release);
    }

    /// Binds and listens; the id under which events come. `exclusive`: on Windows nobody can take the port away.
    #[allow(clippy::too_many_arguments)]
    #[napi]
    pub fn listen_tcp(
        &mut self,
        env: &Env,
        ip: String,
        port: u16,
        backlog: i32,
        ipv6_only: Option<bool>,
        reuse_port: Option<bool>,
        exclusive: Option<bool>,
    ) -> Result<u32> {
        let ip = parse_address(&ip).or_throw(env)?;
        let options = BindOptions {
            ipv6_only: ipv6_only.unwrap_or(false),
            reuse_port: reuse_port.unwrap_or(false),
            exclusive: exclusive.unwrap_or(false),
        };
        self.listen(env, transport::Listener::tcp(ip, port, backlog, options))
    }

    /// `mode`: permission bits to add to the socket file.
    #[napi]
    pub fn listen_pipe(&mut self, env: &Env, path: String, backlog: i32, mode: Option<u32>) -> Result<u32> {
        #[cfg(unix)]
        return self.listen(env, transport::Listener::path(&path, backlog, mode.unwrap_or(0)));
        #[cfg(not(unix))]
        {
            let _ = (path, backlog, mode);
            Err(throw(env, &no_paths()))
        }
    }

    /// Takes the descriptor over.
    #[napi]
    pub fn listen_fd(&mut self, env: &Env, fd: i32, backlog: i32) -> Result<u32> {
        #[cfg(unix)]
        return self.listen(env, transport::Listener::descriptor(fd, backlog));
        #[cfg(not(unix))]
        {
            let _ = (fd, backlog);
            Err(throw(env, &no_paths()))
        }
    }

    /// Without a socket of its own: connections come through `accept`.
    #[napi]
    pub fn listen_handed(&mut self, env: &Env) -> Result<u32> {
        self.listen(env, Ok(transport::Listener::Handed))
    }

    /// Takes a connection that somebody else accepted; the descriptor stays the caller's.
    #[napi]
    pub fn accept(&self, env: &Env, fd: i32) -> Result<()> {
        #[cfg(unix)]
        return self.server.as_ref().map_or(Ok(()), |server| server.hand_over(fd)).or_throw(env);
        #[cfg(not(unix))]
        {
            let _ = fd;
            Err(throw(env, &no_paths()))
        }
    }

    fn listen(&mut self, env: &Env, bound: std::io::Result<transport::Listener>) -> Result<u32> {
        let listener = bound.map_err(|e| throw(env, &CoreError::system(&e, "listen")))?;
        let config = self.config.take().ok_or_else(|| {
            throw(env, &CoreError::new("ERR_C4TLS_LISTENER_STATE", "configure() first, and listen once"))
        })?;
        let server = Server::start(self.environment.clone(), listener, config).or_throw(env)?;
        let id = server.id();
        self.server = Some(server);
        Ok(id)
    }

    /// Null for a path and before listening.
    #[napi]
    pub fn address(&self) -> Option<AddressInfo> {
        self.server.as_ref()?.address().map(Into::into)
    }

    /// Connections that JavaScript has not heard of.
    #[napi]
    pub fn pending(&self) -> u32 {
        self.server.as_ref().map_or(0, |s| s.pending() as u32)
    }

    /// LISTENER_CLOSED follows.
    #[napi]
    pub fn close(&self) {
        if let Some(server) = &self.server {
            server.close();
        }
    }

    /// The same, and closes the connections that JavaScript has not heard of.
    #[napi]
    pub fn abort(&self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
