//! Where the answers end in what a server sends.

use crate::args::Framing;
use crate::failure::{Failure, Result};
use crate::websocket::Reader;

/// The answers of one connection, all of the same size.
pub enum Answers {
    /// `received`: bytes of the next one.
    Bytes {
        size: usize,
        lines: bool,
        received: usize,
    },
    WebSocket(Box<Reader>),
}

impl Answers {
    pub fn new(size: usize, framing: Framing) -> Self {
        match framing {
            Framing::Bytes | Framing::Lines => {
                Self::Bytes { size, lines: matches!(framing, Framing::Lines), received: 0 }
            }
            Framing::WebSocket { deflate } => Self::WebSocket(Box::new(Reader::new(size, deflate))),
        }
    }

    /// The server expects requests.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Bytes { .. } => true,
            Self::WebSocket(reader) => reader.is_open(),
        }
    }

    /// Takes what has come and returns how many answers end in it.
    pub fn take(&mut self, data: &[u8]) -> Result<usize> {
        let (size, lines, received) = match self {
            Self::Bytes { size, lines, received } => (*size, *lines, received),
            Self::WebSocket(reader) => return reader.take(data),
        };
        *received += data.len();
        let mut ended = 0;
        while *received >= size {
            *received -= size;
            // What is left of `received` lies behind the end of this answer.
            if lines && data[data.len() - *received - 1] != b'\n' {
                return Err(Failure::new("an answer that is no line"));
            }
            ended += 1;
        }
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_end_by_their_size() {
        let mut answers = Answers::new(4, Framing::Bytes);
        assert_eq!([b"abc", b"def", b"ghi"].map(|data| answers.take(data)), [Ok(0), Ok(1), Ok(1)]);
    }

    #[test]
    fn lines_end_where_they_belong() {
        let mut answers = Answers::new(4, Framing::Lines);
        assert_eq!([&b"ab\r\ncd"[..], b"\r\n"].map(|data| answers.take(data)), [Ok(1), Ok(1)]);
        assert!(answers.take(b"abc\r\n").is_err());
    }
}
