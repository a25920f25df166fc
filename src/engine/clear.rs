//! Plain TCP as a session without TLS, so that a driver has one path for both.

use std::time::Instant;

use super::{Answer, Context, Handshake, Hooks, Read, Role, SessionEvent, TlsSession, Verify};
use crate::error::{Error, Result};

/// A session whose handshake is done at once and whose ciphertext is the clear text.
pub fn clear_session(role: Role) -> Box<dyn TlsSession> {
    Box::new(ClearSession { role, begun: false, event: None, inbox: Vec::new(), output: Vec::new() })
}

struct ClearSession {
    role: Role,
    begun: bool,
    event: Option<SessionEvent>,
    inbox: Vec<u8>,
    output: Vec<u8>,
}

fn no_tls() -> Error {
    Error::new("ERR_C4TLS_NO_TLS", "The connection has no TLS")
}

impl TlsSession for ClearSession {
    fn passes_through(&self) -> bool {
        true
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
    }

    fn handshake(&mut self, _now: Instant) -> Result<Handshake> {
        if !std::mem::replace(&mut self.begun, true) {
            self.event = Some(SessionEvent::HandshakeDone);
        }
        Ok(Handshake::Done)
    }

    fn read(&mut self, buf: &mut [u8], _: &dyn Fn() -> Instant) -> Result<Read> {
        let n = buf.len().min(self.inbox.len());
        buf[..n].copy_from_slice(&self.inbox[..n]);
        self.inbox.drain(..n);
        Ok(if n == 0 { Read::Pending } else { Read::Data(n) })
    }

    fn write(&mut self, clear: &[u8]) -> Result<usize> {
        self.output.extend_from_slice(clear);
        Ok(clear.len())
    }

    fn close_notify(&mut self) {}

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn unread(&self) -> usize {
        self.inbox.len()
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        self.event.take()
    }

    fn has_event(&self) -> bool {
        self.event.is_some()
    }

    fn answer(&mut self, _answer: Answer) -> Result<()> {
        Err(super::not_parked())
    }

    fn release_buffers(&mut self) {
        for buffer in [&mut self.inbox, &mut self.output] {
            if buffer.is_empty() {
                *buffer = Vec::new();
            }
        }
    }

    fn role(&self) -> Role {
        self.role
    }

    fn protocol(&self) -> &str {
        ""
    }

    fn export_keying_material(&self, _length: usize, _label: &str, _context: Option<&[u8]>) -> Result<Vec<u8>> {
        Err(no_tls())
    }

    fn set_verify(&mut self, _verify: Verify) -> Result<()> {
        Ok(())
    }

    fn renegotiate(&mut self) -> Result<()> {
        Err(no_tls())
    }

    fn disable_renegotiation(&mut self) {}

    fn set_max_send_fragment(&mut self, _bytes: usize) -> bool {
        false
    }

    fn set_key_cert(&mut self, _context: &Context) -> Result<()> {
        Err(no_tls())
    }

    fn enable_hooks(&mut self, _hooks: Hooks) {}
}
