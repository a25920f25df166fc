//! What sessions have in common: protocol versions, suites, certificates, trust, ticket keys.

use crate::engine::{SessionConfig, TlsSession};
use crate::error::Result;

/// Length of [`Context::ticket_keys`] in bytes: name 16, HMAC 16, AES 16.
pub const TICKET_KEYS_LENGTH: usize = 48;

/// Node's SecureContext: a cheap clone, usable from every thread.
#[derive(Clone)]
pub struct Context {}

#[allow(unused_variables)]
impl Context {
    /// `method` is Node's secureProtocol; `min` and `max` are wire versions (0x0301 to 0x0304), 0 for any.
    pub fn new(method: Option<&str>, min: u16, max: u16) -> Result<Self> {
        todo!()
    }
    pub fn session(&self, config: SessionConfig) -> Result<Box<dyn TlsSession>> {
        todo!()
    }
    pub fn set_ciphers(&self, list: &str) -> Result<()> {
        todo!()
    }
    pub fn set_cert(&self, pem: &[u8]) -> Result<()> {
        todo!()
    }
    pub fn set_key(&self, pem: &[u8], passphrase: Option<&str>) -> Result<()> {
        todo!()
    }
    pub fn add_ca_cert(&self, pem: &[u8]) -> Result<()> {
        todo!()
    }
}
