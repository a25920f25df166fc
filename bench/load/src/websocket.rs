//! A client's half of WebSocket (RFC 6455), as far as an echo of binary messages needs it: the opening handshake, one
//! masked frame for each message, and a reader that checks every frame and every byte that comes back.

use crate::failure::{Failure, Result};
use crate::record::MAX_PLAIN;
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

/// What the messages consist of.
pub const FILL: u8 = b'x';

/// Most bytes of a message: its frame, with 8 bytes in front, fits into a record.
pub const MAX_MESSAGE: usize = MAX_PLAIN - 8;

/// RFC 6455's example, and what a server must answer.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Any key masks, and the same for all frames spares the client the work.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const FIN: u8 = 0x80;
const COMPRESSED: u8 = 0x40;
const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const NORMAL: u16 = 1000;

/// Most bytes of a server's answer to the opening handshake.
const MAX_HEAD: usize = 8 * 1024;

/// What every compressed message ends with on the wire, and is sent without (RFC 7692, 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

const WINDOW_BITS: u8 = 15;

static FILLED: [u8; MAX_PLAIN] = [FILL; MAX_PLAIN];

/// The opening handshake; with `deflate` it offers permessage-deflate in the way of browsers.
pub fn opening(deflate: bool) -> Vec<u8> {
    let extension =
        if deflate { "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" } else { "" };
    format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extension}\r\n"
    )
    .into_bytes()
}

/// The frame of a message of `size` bytes, at most [`MAX_MESSAGE`].
pub fn message(size: usize, deflate: bool) -> Result<Vec<u8>> {
    if deflate {
        Ok(frame(FIN | COMPRESSED | BINARY, &compress(&FILLED[..size])?))
    } else {
        Ok(frame(FIN | BINARY, &FILLED[..size]))
    }
}

pub fn close() -> Vec<u8> {
    frame(FIN | CLOSE, &NORMAL.to_be_bytes())
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASKED: u8 = 0x80;
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(MASKED | short as u8),
        long => {
            frame.push(MASKED | 126);
            frame.extend((long as u16).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn compress(plain: &[u8]) -> Result<Vec<u8>> {
    let mut out = vec![0; plain.len() + 64];
    let mut deflate = Deflate::new(1, false, WINDOW_BITS);
    deflate
        .compress(plain, &mut out, DeflateFlush::SyncFlush)
        .map_err(|error| Failure::new(format!("cannot compress: {}", error.as_str())))?;
    out.truncate((deflate.total_out() as usize).saturating_sub(TAIL.len()));
    Ok(out)
}

/// Reads what a server sends: its answer to the opening handshake, then messages of one size that are all [`FILL`].
pub struct Reader {
    stage: Stage,
    /// Bytes of every message.
    size: usize,
    deflate: bool,
    /// Its first frame has come and its last has not.
    begun: bool,
    /// Bytes of the message so far; of a compressed one `packed` has them.
    received: usize,
    /// The bytes of a compressed message.
    packed: Option<Vec<u8>>,
}

enum Stage {
    Opening(Vec<u8>),
    Header { bytes: [u8; 10], have: usize },
    Payload { left: usize, last: bool },
}

const HEADER: Stage = Stage::Header { bytes: [0; 10], have: 0 };

impl Reader {
    pub fn new(size: usize, deflate: bool) -> Self {
        Self { stage: Stage::Opening(Vec::new()), size, deflate, begun: false, received: 0, packed: None }
    }

    /// The server has agreed.
    pub fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Opening(_))
    }

    /// Takes what has come, in pieces of any length, and returns how many messages end in it.
    pub fn take(&mut self, mut data: &[u8]) -> Result<usize> {
        let mut ended = 0;
        while let Some(&byte) = data.first() {
            match &mut self.stage {
                Stage::Opening(head) => {
                    head.push(byte);
                    data = &data[1..];
                    if head.ends_with(b"\r\n\r\n") {
                        check_head(head, self.deflate)?;
                        self.stage = HEADER;
                    } else if head.len() > MAX_HEAD {
                        return Err(Failure::new("an endless answer to the opening handshake"));
                    }
                }
                Stage::Header { bytes, have } => {
                    bytes[*have] = byte;
                    *have += 1;
                    data = &data[1..];
                    if let Some(length) = payload_length(&bytes[..*have]) {
                        let first = bytes[0];
                        self.begin(first, length?)?;
                        ended += self.end_if_complete()?;
                    }
                }
                Stage::Payload { left, .. } => {
                    let piece;
                    (piece, data) = data.split_at(data.len().min(*left));
                    *left -= piece.len();
                    match &mut self.packed {
                        Some(packed) => packed.extend_from_slice(piece),
                        None if piece.chunks(MAX_PLAIN).all(|piece| *piece == FILLED[..piece.len()]) => {}
                        None => return Err(Failure::new("a message that is no echo")),
                    }
                    ended += self.end_if_complete()?;
                }
            }
        }
        Ok(ended)
    }

    /// A frame's header is complete.
    fn begin(&mut self, first: u8, length: usize) -> Result<()> {
        let compressed = first & COMPRESSED != 0;
        match first & !(FIN | COMPRESSED) {
            BINARY if !self.begun && (self.deflate || !compressed) => {
                self.packed = compressed.then(Vec::new);
            }
            CONTINUATION if self.begun && !compressed => {}
            CLOSE => return Err(Failure::new("the server closed the WebSocket")),
            _ => return Err(Failure::new(format!("an unexpected frame, 0x{first:02x}"))),
        }
        self.begun = true;
        self.received += length;
        // What is compressed may be a little longer than what it stands for.
        if self.received > self.size + if self.packed.is_some() { 64 } else { 0 } {
            return Err(Failure::new("a message that is longer than its echo"));
        }
        self.stage = Stage::Payload { left: length, last: first & FIN != 0 };
        Ok(())
    }

    /// 1 when the last frame of a message has come.
    fn end_if_complete(&mut self) -> Result<usize> {
        let Stage::Payload { left: 0, last } = self.stage else { return Ok(0) };
        self.stage = HEADER;
        if !last {
            return Ok(0);
        }
        self.begun = false;
        let received = std::mem::take(&mut self.received);
        let is_echo = match self.packed.take() {
            Some(packed) => inflates_to_fill(packed, self.size)?,
            None => received == self.size,
        };
        if is_echo {
            Ok(1)
        } else {
            Err(Failure::new("a message that is no echo"))
        }
    }
}

/// The payload's length as soon as the header is complete; a client takes only short ones, and no masked ones.
fn payload_length(header: &[u8]) -> Option<Result<usize>> {
    match *header {
        [_, short @ 0..126] => Some(Ok(usize::from(short))),
        [_, 126, high, low] => Some(Ok(usize::from(u16::from_be_bytes([high, low])))),
        [_, 126 | 127] | [_, 126, _] | [] | [_] => None,
        _ => Some(Err(Failure::new("a frame that is masked or longer than 64 KiB"))),
    }
}

fn check_head(head: &[u8], deflate: bool) -> Result<()> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101 ") {
        return Err(Failure::new(format!("the server does not upgrade: {status}")));
    }
    let field = |name: &str| {
        lines.clone().filter_map(|line| line.split_once(':')).find(|(found, _)| found.eq_ignore_ascii_case(name))
    };
    if field("sec-websocket-accept").is_none_or(|(_, value)| value.trim() != ACCEPT) {
        return Err(Failure::new("a wrong Sec-WebSocket-Accept"));
    }
    let agreed = field("sec-websocket-extensions").is_some_and(|(_, value)| value.contains("permessage-deflate"));
    match (deflate, agreed) {
        (true, false) => Err(Failure::new("the server does not do permessage-deflate")),
        (false, true) => Err(Failure::new("the server does permessage-deflate, which was not offered")),
        _ => Ok(()),
    }
}

/// Whether `packed`, the first compressed message of a connection, stands for `size` bytes that are all [`FILL`].
fn inflates_to_fill(mut packed: Vec<u8>, size: usize) -> Result<bool> {
    packed.extend(TAIL);
    let mut plain = vec![0; size + 1];
    let mut inflate = Inflate::new(false, WINDOW_BITS);
    inflate
        .decompress(&packed, &mut plain, InflateFlush::SyncFlush)
        .map_err(|error| Failure::new(format!("a message that does not inflate: {}", error.as_str())))?;
    Ok(plain[..inflate.total_out() as usize] == FILLED[..size])
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGREED: &str = "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    fn head(more: &str) -> Vec<u8> {
        format!("{AGREED}{more}\r\n").into_bytes()
    }

    /// A server's frame: as the client's, but not masked.
    fn served(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        if payload.len() < 126 {
            frame.push(payload.len() as u8);
        } else {
            frame.push(126);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
        frame.extend(payload);
        frame
    }

    fn opened(size: usize, deflate: bool) -> Reader {
        let mut reader = Reader::new(size, deflate);
        let extension = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
        assert_eq!(reader.take(&head(extension)), Ok(0));
        assert!(reader.is_open());
        reader
    }

    #[test]
    fn a_client_frame_is_masked() {
        assert_eq!(message(3, false), Ok(vec![0x82, 0x83, 0x37, 0xfa, 0x21, 0x3d, 0x4f, 0x82, 0x59]));
        let long = message(MAX_MESSAGE, false).expect("a message");
        assert_eq!((long.len(), &long[..4]), (MAX_PLAIN, &[0x82, 0xfe, 0x3f, 0xf8][..]));
    }

    #[test]
    fn reads_frames_however_they_are_cut() {
        let mut wire = head("");
        wire.extend(served(0x82, &[FILL; 300]));
        wire.extend(served(0x02, &[FILL; 100]));
        wire.extend(served(0x00, &[]));
        wire.extend(served(0x80, &[FILL; 200]));
        for step in [1, 2, 7, 250, wire.len()] {
            let mut reader = Reader::new(300, false);
            let ended: Result<usize> = wire.chunks(step).map(|piece| reader.take(piece)).sum();
            assert_eq!(ended, Ok(2), "in steps of {step}");
        }
    }

    #[test]
    fn a_compressed_message_is_inflated() {
        let packed = compress(&FILLED[..1024]).expect("compresses");
        assert!(packed.len() < 64);
        assert_eq!(opened(1024, true).take(&served(0xc2, &packed)), Ok(1));
        assert!(opened(1023, true).take(&served(0xc2, &packed)).is_err());
        // A server need not compress.
        assert_eq!(opened(5, true).take(&served(0x82, &[FILL; 5])), Ok(1));
        assert!(opened(1024, true).take(&served(0xc2, &[0xff; 9])).is_err());
    }

    #[test]
    fn refuses_what_is_no_echo() {
        for (first, payload) in [
            (0x82, &b"xxy"[..]),
            (0x82, b"xx"),
            (0x82, b"xxxx"),
            (0x81, b"xxx"),
            (0xc2, b"xxx"),
            (0x80, b"xxx"),
            (0x88, b""),
            (0x89, b""),
        ] {
            assert!(opened(3, false).take(&served(first, payload)).is_err(), "{first:x} {payload:?}");
        }
        assert!(opened(3, false).take(&[0x82, 0x83]).is_err(), "masked");
        assert!(opened(3, false).take(&[0x82, 0x7f, 0]).is_err(), "long");
    }

    #[test]
    fn refuses_what_is_no_upgrade() {
        let answers = [
            "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            "HTTP/1.1 101 Switching Protocols\r\n\r\n".to_owned(),
            AGREED.replace("s3p", "S3p") + "\r\n",
            AGREED.to_owned() + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        ];
        for answer in &answers {
            assert!(Reader::new(1, false).take(answer.as_bytes()).is_err(), "{answer}");
        }
        assert!(Reader::new(1, true).take(&head("")).is_err());
        assert!(Reader::new(1, false).take(&[b'x'; MAX_HEAD + 1]).is_err());
    }
}
