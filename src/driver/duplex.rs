//! The ciphertext side of a connection over a stream of JavaScript's.

use crate::policy::limits::DUPLEX_INBOX;

#[derive(Default)]
pub(super) struct Duplex {
    /// Ciphertext that the engine has not had yet.
    inbox: Vec<u8>,
    pub eof: bool,
    /// A piece of ciphertext is with JavaScript's stream.
    pub in_flight: bool,
    /// The stream was told to pause.
    paused: bool,
}

pub(super) enum Received {
    Nothing,
    Eof,
    /// With `resume`, the stream that was paused may go on.
    Bytes {
        bytes: Vec<u8>,
        resume: bool,
    },
}

impl Duplex {
    /// False: the stream should pause.
    pub fn receive(&mut self, bytes: &[u8]) -> bool {
        self.inbox.extend_from_slice(bytes);
        self.paused |= self.inbox.len() > DUPLEX_INBOX;
        !self.paused
    }

    pub fn take(&mut self) -> Received {
        if !self.inbox.is_empty() {
            let resume = std::mem::take(&mut self.paused);
            Received::Bytes { bytes: std::mem::take(&mut self.inbox), resume }
        } else if self.eof {
            Received::Eof
        } else {
            Received::Nothing
        }
    }
}
