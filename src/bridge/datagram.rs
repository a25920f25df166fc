//! A UDP socket as JavaScript's handle has it.

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::connection::AddressInfo;
use super::environment::Environment;
use super::throw::{throw, OrThrow};
use crate::driver::{self, DatagramOptions};
use crate::error::Error as CoreError;
use crate::policy::limits;
use crate::transport::UdpOptions;

#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct BindOptions {
    /// Peers known at a time, at least 1; 1,000 unless told.
    pub max_peers: Option<u32>,
    /// Milliseconds without a datagram either way after which a peer is forgotten; 0: never; five minutes unless told.
    pub peer_idle: Option<f64>,
    pub reuse_address: Option<bool>,
    pub ipv6_only: Option<bool>,
}

impl From<BindOptions> for DatagramOptions {
    fn from(options: BindOptions) -> Self {
        DatagramOptions {
            socket: UdpOptions {
                reuse_address: options.reuse_address.unwrap_or(false),
                ipv6_only: options.ipv6_only.unwrap_or(false),
            },
            max_peers: options.max_peers.map_or(limits::PEERS, |most| most as usize),
            peer_idle: match options.peer_idle {
                None => Some(limits::PEER_IDLE),
                Some(ms) => (ms > 0.0).then(|| Duration::from_millis(ms as u64)),
            },
        }
    }
}

/// Events: PEER before the first DATAGRAM of a peer, PEER_GONE when it is forgotten, ERROR, LISTENER_CLOSED at last.
#[napi]
pub struct Datagram {
    environment: Arc<Environment>,
    inner: Option<Arc<driver::Datagram>>,
}

impl Drop for Datagram {
    fn drop(&mut self) {
        self.close();
    }
}

#[napi]
impl Datagram {
    #[napi(constructor)]
    pub fn new(env: &Env) -> Result<Self> {
        Ok(Datagram { environment: Environment::current(env)?, inner: None })
    }

    /// Binds and receives, once; the id under which events come.
    #[napi]
    pub fn bind(&mut self, env: &Env, ip: String, port: u16, options: Option<BindOptions>) -> Result<u32> {
        if self.inner.is_some() {
            return Err(throw(env, &CoreError::new("ERR_C4TLS_LISTENER_STATE", "bind once")));
        }
        let options = options.unwrap_or_default().into();
        let bound = driver::Datagram::bind(self.environment.clone(), &ip, port, options).or_throw(env)?;
        let id = bound.id();
        self.inner = Some(bound);
        Ok(id)
    }

    /// Null before binding.
    #[napi]
    pub fn address(&self) -> Option<AddressInfo> {
        self.inner.as_ref().map(|inner| inner.address().into())
    }

    /// One datagram to a peer. False: it was not sent, and will not be.
    #[napi]
    pub fn send(&self, peer: u32, bytes: &[u8]) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.send(peer, bytes))
    }

    /// The same to any address; throws ERR_INVALID_IP_ADDRESS.
    #[napi]
    pub fn send_to(&self, env: &Env, ip: String, port: u16, bytes: &[u8]) -> Result<bool> {
        self.inner.as_ref().map_or(Ok(false), |inner| inner.send_to(&ip, port, bytes)).or_throw(env)
    }

    /// LISTENER_CLOSED follows.
    #[napi]
    pub fn close(&self) {
        if let Some(inner) = &self.inner {
            inner.close();
        }
    }
}
