//! The state of a connection that its task and the JavaScript thread share, under one lock.

use std::io;
use std::sync::Arc;

use super::connection::StartOptions;
use super::server::Server;
use crate::engine::TlsSession;
use crate::error::Error;
use crate::transport::WriteHalf;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Connecting,
    /// There is a socket; TLS waits for [`StartOptions`].
    Idle,
    Handshake,
    /// Clear bytes flow.
    Open,
    /// An alert is on its way out; nothing else happens any more.
    Lingering,
}

/// Where ciphertext goes.
pub(super) enum Io {
    Socket(WriteHalf),
    /// To JavaScript; see [`super::duplex`].
    Duplex,
}

pub(super) struct Core {
    pub phase: Phase,
    pub io: Option<Io>,
    pub session: Option<Box<dyn TlsSession>>,
    /// Given, and not used yet.
    pub start: Option<StartOptions>,
    pub strict_eof: bool,
    /// The server of a connection that JavaScript has not heard of.
    pub unseen: Option<Arc<Server>>,
    /// While lingering: what is still to be sent, the alert at its end.
    pub farewell: Vec<u8>,
    /// The output is session tickets: they may wait for company.
    pub tickets_held: bool,
    /// Output waits until JavaScript has stored the new session.
    pub awaiting_store: bool,
    /// The handshake waits for an answer of JavaScript's, not for the peer.
    pub parked: bool,
    /// The session may have something to do without new bytes.
    pub stir: bool,
    /// The peer has sent its close_notify or its FIN.
    pub eof: bool,
    pub shutdown: Shutdown,
    /// What the JavaScript thread ran into; the task reports it.
    pub failure: Option<Error>,
    /// The JavaScript thread has sent something, which the task has not noticed yet.
    pub touched: bool,
}

/// Our side of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shutdown {
    No,
    /// close_notify is in the output.
    Notified,
    Done,
}

impl Core {
    pub fn new(phase: Phase) -> Self {
        Core {
            phase,
            io: None,
            session: None,
            start: None,
            strict_eof: false,
            unseen: None,
            farewell: Vec::new(),
            tickets_held: false,
            awaiting_store: false,
            parked: false,
            stir: false,
            eof: false,
            shutdown: Shutdown::No,
            failure: None,
            touched: false,
        }
    }

    /// Nothing is queued, so that a record written now is the next on the wire.
    pub fn may_write_through(&mut self) -> bool {
        self.phase == Phase::Open
            && self.shutdown == Shutdown::No
            && !self.awaiting_store
            && self.failure.is_none()
            && matches!(self.io, Some(Io::Socket(_)))
            && (self.tickets_held || self.session.as_mut().is_some_and(|s| s.output().is_empty()))
    }

    /// Bytes of output that are on their way.
    pub fn encrypted(&mut self) -> usize {
        match self.tickets_held {
            true => 0,
            false => self.session.as_mut().map_or(0, |s| s.output().len()),
        }
    }

    /// Lets a session whose handshake is done go over to its lighter form.
    pub fn settle(&mut self) {
        if let Some(settled) = self.session.as_mut().and_then(|s| s.settle()) {
            self.session = Some(settled);
        }
    }

    /// Without TLS: sends what the kernel takes at once of `bytes`, and gives the rest. Nothing may be queued.
    pub fn send_clear<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (Some(Io::Socket(write)), Some(session)) = (&self.io, &self.session) else { return bytes };
        if !session.passes_through() {
            return bytes;
        }
        // What went wrong shows again when the rest is sent.
        let sent = write.try_write(bytes).unwrap_or(0);
        &bytes[sent..]
    }

    /// Without TLS: bytes go over the wire as they are.
    pub fn is_clear(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.passes_through())
    }

    /// Sends the output without waiting; true when all of it left.
    pub fn send_now(&mut self) -> bool {
        self.tickets_held = false;
        let (Some(Io::Socket(write)), Some(session)) = (&self.io, &mut self.session) else { return false };
        match send(write, session.output()) {
            Ok(all) => all,
            Err(e) => {
                self.failure = Some(Error::system(&e, "write"));
                false
            }
        }
    }
}

/// Writes until the kernel takes no more; true when nothing is left.
pub(super) fn send(write: &WriteHalf, output: &mut Vec<u8>) -> io::Result<bool> {
    let mut sent = 0;
    let outcome = loop {
        if sent == output.len() {
            break Ok(true);
        }
        match write.try_write(&output[sent..]) {
            Ok(n) => sent += n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break Ok(false),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => break Err(e),
        }
    };
    output.drain(..sent);
    outcome
}
