//! What comes over a WebSocket, on its way to its listener.

use crate::framing::websocket::Data;

/// What the peer of a WebSocket sends.
#[derive(Debug)]
pub enum Frame<'a> {
    Data(Data<'a>),
    /// Answered already.
    Ping(&'a [u8]),
    Pong {
        payload: &'a [u8],
        /// The ping of ours that it answers, and all before it.
        answers: Option<u32>,
    },
}

impl Frame<'_> {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Frame::Data(data) => data.bytes,
            Frame::Ping(payload) | Frame::Pong { payload, .. } => payload,
        }
    }
}
