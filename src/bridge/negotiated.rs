//! What JavaScript can ask a connection's session.

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::connection::Connection;
use super::throw::OrThrow;
use crate::engine::{Role, TlsSession};
use crate::error::Error as CoreError;

#[napi(object, object_from_js = false)]
pub struct CipherInfo {
    pub name: String,
    pub standard_name: String,
    pub version: String,
    pub bits: u32,
}

#[napi(object, object_from_js = false)]
pub struct EphemeralKeyInfo {
    #[napi(js_name = "type")]
    pub kind: Option<String>,
    pub name: Option<String>,
    pub size: Option<u32>,
}

#[napi(object, object_from_js = false)]
pub struct KeyExchange {
    pub name: String,
    pub bits: Option<u32>,
}

#[napi(object, object_from_js = false)]
pub struct VerifyError {
    pub code: String,
    pub message: String,
}

#[napi]
impl Connection {
    #[napi]
    pub fn get_protocol(&self) -> Option<String> {
        self.inner.with_session(|s| s.protocol().to_owned())
    }

    #[napi]
    pub fn get_cipher(&self) -> Option<CipherInfo> {
        let cipher = self.inner.with_session(|s| s.cipher()).flatten()?;
        Some(CipherInfo {
            name: cipher.name,
            standard_name: cipher.standard_name,
            version: cipher.version,
            bits: cipher.bits,
        })
    }

    #[napi]
    pub fn get_key_exchange(&self) -> Option<KeyExchange> {
        let found = self.inner.with_session(|s| s.key_exchange()).flatten()?;
        Some(KeyExchange { name: found.name, bits: found.bits })
    }

    #[napi]
    pub fn get_peer_chain(&self) -> Vec<Buffer> {
        self.inner.with_session(|s| s.peer_chain()).unwrap_or_default().into_iter().map(Buffer::from).collect()
    }

    #[napi]
    pub fn get_certificate(&self) -> Option<Buffer> {
        self.bytes(|s| s.certificate())
    }

    #[napi]
    pub fn get_session(&self) -> Option<Buffer> {
        self.bytes(|s| s.session())
    }

    #[napi]
    pub fn get_ticket(&self) -> Option<Buffer> {
        self.bytes(|s| s.session_ticket())
    }

    #[napi]
    pub fn is_session_reused(&self) -> bool {
        self.inner.with_session(|s| s.session_reused()).unwrap_or(false)
    }

    #[napi]
    pub fn get_finished(&self) -> Option<Buffer> {
        self.bytes(|s| s.finished())
    }

    #[napi]
    pub fn get_peer_finished(&self) -> Option<Buffer> {
        self.bytes(|s| s.peer_finished())
    }

    fn bytes(&self, look: impl FnOnce(&mut dyn TlsSession) -> Option<Vec<u8>>) -> Option<Buffer> {
        self.inner.with_session(look).flatten().map(Buffer::from)
    }

    #[napi]
    pub fn export_keying_material(
        &self,
        env: &Env,
        length: u32,
        label: String,
        context: Option<&[u8]>,
    ) -> Result<Buffer> {
        self.inner
            .with_session(|s| s.export_keying_material(length as usize, &label, context))
            .unwrap_or_else(|| Err(CoreError::new("ERR_SOCKET_CLOSED", "Socket is closed")))
            .map(Buffer::from)
            .or_throw(env)
    }

    #[napi]
    pub fn get_alpn(&self) -> Either<String, bool> {
        match self.inner.with_session(|s| s.alpn()).flatten() {
            Some(name) => Either::A(name.iter().map(|b| char::from(*b)).collect()),
            None => Either::B(false),
        }
    }

    #[napi]
    pub fn get_servername(&self) -> Either<String, bool> {
        match self.inner.with_session(|s| s.servername()).flatten() {
            Some(name) => Either::A(name),
            None => Either::B(false),
        }
    }

    /// Null on the server's side.
    #[napi]
    pub fn get_ephemeral_key_info(&self) -> Option<EphemeralKeyInfo> {
        let (role, key) = self.inner.with_session(|s| (s.role(), s.ephemeral_key()))?;
        if role == Role::Server {
            return None;
        }
        Some(match key {
            Some(key) => EphemeralKeyInfo { kind: Some(key.kind), name: key.name, size: key.bits },
            None => EphemeralKeyInfo { kind: None, name: None, size: None },
        })
    }

    #[napi]
    pub fn get_shared_sigalgs(&self) -> Vec<String> {
        self.inner.with_session(|s| s.shared_sigalgs()).unwrap_or_default()
    }

    #[napi]
    pub fn verify_error(&self) -> Option<VerifyError> {
        let error = self.inner.with_session(|s| s.verify_error()).flatten()?;
        Some(VerifyError { code: error.code.into_owned(), message: error.message })
    }
}
