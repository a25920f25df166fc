//! One session of the system's stack, over bytes.

use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use native_tls::{HandshakeError, MidHandshakeTlsStream, TlsAcceptor, TlsConnector, TlsStream};

use super::{failed, unsupported};
use crate::engine::state::Bytes;
use crate::engine::{Answer, Context, Handshake, Hooks, Read, Role, SessionEvent, TlsSession, Verify};
use crate::error::{Error, Result};

/// The system's view of the bytes. Shared with the session, because a handshake that fails takes its stream along, and
/// the alert in it must still go out.
#[derive(Default, Clone)]
struct Pipe(Arc<Mutex<Bytes>>);

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.lock().take(buf) {
            0 if !buf.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl io::Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.lock().output.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) enum Start {
    Accept(TlsAcceptor),
    Connect(TlsConnector),
}

enum Stream {
    Ahead(Start),
    Shaking(MidHandshakeTlsStream<Pipe>),
    Open(TlsStream<Pipe>),
    /// The handshake failed, or is being run just now.
    Gone,
}

pub(super) struct Session {
    pipe: Pipe,
    stream: Stream,
    output: Vec<u8>,
    role: Role,
    servername: Option<String>,
    /// The one event there is, until it is taken.
    done: Option<SessionEvent>,
    failed: Option<Error>,
    closing: bool,
}

impl Session {
    pub fn new(start: Start, role: Role, servername: Option<String>) -> Self {
        Session {
            pipe: Pipe::default(),
            stream: Stream::Ahead(start),
            output: Vec::new(),
            role,
            servername,
            done: None,
            failed: None,
            closing: false,
        }
    }

    /// What every call ends with: the bytes that came out are the owner's, and an error stays.
    fn settle<T>(&mut self, result: Result<T>) -> Result<T> {
        self.output.append(&mut self.pipe.lock().output);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }

    fn alive(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    fn shake(&mut self) -> Result<Handshake> {
        let pipe = self.pipe.clone();
        let result = match std::mem::replace(&mut self.stream, Stream::Gone) {
            Stream::Open(stream) => {
                self.stream = Stream::Open(stream);
                return Ok(Handshake::Done);
            }
            Stream::Ahead(Start::Accept(acceptor)) => acceptor.accept(pipe),
            Stream::Ahead(Start::Connect(connector)) => {
                connector.connect(self.servername.as_deref().unwrap_or_default(), pipe)
            }
            Stream::Shaking(stream) => stream.handshake(),
            Stream::Gone => return Err(Error::new("ERR_C4TLS_PLATFORM", "The handshake has failed")),
        };
        match result {
            Ok(stream) => {
                self.stream = Stream::Open(stream);
                self.done = Some(SessionEvent::HandshakeDone);
                Ok(Handshake::Done)
            }
            Err(HandshakeError::WouldBlock(stream)) => {
                self.stream = Stream::Shaking(stream);
                Ok(Handshake::Pending)
            }
            Err(HandshakeError::Failure(error)) => Err(failed(error)),
        }
    }

    fn open(&mut self) -> Result<&mut TlsStream<Pipe>> {
        match &mut self.stream {
            Stream::Open(stream) => Ok(stream),
            _ => Err(Error::new("ERR_C4TLS_PLATFORM", "The handshake is not done")),
        }
    }

    fn read_some(&mut self, buf: &mut [u8]) -> Result<Read> {
        match self.open()?.read(buf) {
            Ok(0) if buf.is_empty() => Ok(Read::Pending),
            Ok(0) => Ok(Read::Closed),
            Ok(count) => Ok(Read::Data(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::Pending),
            Err(error) => Err(Error::new("ERR_C4TLS_PLATFORM", error.to_string())),
        }
    }

    fn write_all(&mut self, clear: &[u8]) -> Result<usize> {
        let stream = self.open()?;
        let mut written = 0;
        while written < clear.len() {
            match stream.write(&clear[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(Error::new("ERR_C4TLS_PLATFORM", error.to_string())),
            }
        }
        Ok(written)
    }
}

impl TlsSession for Session {
    fn feed(&mut self, ciphertext: &[u8]) {
        self.pipe.lock().feed(ciphertext);
    }

    fn handshake(&mut self, _: Instant) -> Result<Handshake> {
        self.alive()?;
        let result = self.shake();
        self.settle(result)
    }

    fn read(&mut self, buf: &mut [u8], _: &dyn Fn() -> Instant) -> Result<Read> {
        self.alive()?;
        let result = self.read_some(buf);
        self.settle(result)
    }

    fn write(&mut self, clear: &[u8]) -> Result<usize> {
        self.alive()?;
        let result = self.write_all(clear);
        self.settle(result)
    }

    fn close_notify(&mut self) {
        let first = !std::mem::replace(&mut self.closing, true);
        if let (true, Stream::Open(stream)) = (first && self.failed.is_none(), &mut self.stream) {
            // It has said what it had to; whether it waits for an answer does not matter here.
            let _ = stream.shutdown();
            let _ = self.settle(Ok(()));
        }
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn unread(&self) -> usize {
        self.pipe.lock().unread()
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        self.done.take()
    }

    fn has_event(&self) -> bool {
        self.done.is_some()
    }

    fn answer(&mut self, _: Answer) -> Result<()> {
        Err(unsupported("questions during the handshake"))
    }

    fn release_buffers(&mut self) {
        self.pipe.lock().release();
        if self.output.is_empty() {
            self.output = Vec::new();
        }
    }

    fn role(&self) -> Role {
        self.role
    }

    fn protocol(&self) -> &str {
        "unknown"
    }

    fn servername(&self) -> Option<String> {
        self.servername.clone()
    }

    fn peer_chain(&self) -> Vec<Vec<u8>> {
        let Stream::Open(stream) = &self.stream else { return Vec::new() };
        stream.peer_certificate().ok().flatten().and_then(|leaf| leaf.to_der().ok()).into_iter().collect()
    }

    fn export_keying_material(&self, _: usize, _: &str, _: Option<&[u8]>) -> Result<Vec<u8>> {
        Err(unsupported("exporting keying material"))
    }

    fn set_verify(&mut self, verify: Verify) -> Result<()> {
        match verify.request && self.role == Role::Server {
            true => Err(unsupported("client certificates")),
            false => Ok(()),
        }
    }

    fn renegotiate(&mut self) -> Result<()> {
        Err(unsupported("renegotiation"))
    }

    fn disable_renegotiation(&mut self) {}

    fn set_max_send_fragment(&mut self, _: usize) -> bool {
        false
    }

    fn set_key_cert(&mut self, _: &Context) -> Result<()> {
        Err(unsupported("a change of certificate"))
    }

    fn enable_hooks(&mut self, _: Hooks) {}
}
