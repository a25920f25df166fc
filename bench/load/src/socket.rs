//! A non-blocking TCP socket with what it still has to send and the incomplete record it has received.

use crate::failure::Result;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

/// Size of the receive buffer that all connections share: some records' worth, and small enough to stay in the cache.
pub const SCRATCH: usize = 256 * 1024;

pub struct Socket {
    stream: TcpStream,
    /// Bytes to send; those before `sent` are gone already.
    pub out: Vec<u8>,
    sent: usize,
    /// The beginning of a record whose end has not arrived; empty most of the time.
    partial: Vec<u8>,
}

impl Socket {
    /// Begins to connect and registers for edge-triggered events under `token`.
    pub fn connect(addr: SocketAddr, registry: &Registry, token: Token) -> Result<Self> {
        let mut stream = TcpStream::connect(addr)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, out: Vec::new(), sent: 0, partial: Vec::new() })
    }

    pub fn set_nodelay(&self) -> Result<()> {
        Ok(self.stream.set_nodelay(true)?)
    }

    /// Sends what waits; `true` when all of it has gone.
    pub fn flush(&mut self) -> Result<bool> {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.out.clear();
        self.sent = 0;
        Ok(true)
    }

    /// Receives until the socket is empty and hands all bytes to `consume(bytes, out)`, which returns how many of them it
    /// has used; the rest is given again in front of the next. `scratch` has room for the longest record and more.
    /// A read that does not fill the buffer has emptied the socket, which saves the call that would only learn
    /// so, unless the peer has closed (`hangup`): then no further event would come. `true` at the end of the stream.
    pub fn receive(
        &mut self,
        scratch: &mut [u8],
        hangup: bool,
        mut consume: impl FnMut(&mut [u8], &mut Vec<u8>) -> Result<usize>,
    ) -> Result<bool> {
        loop {
            let kept = self.partial.len();
            scratch[..kept].copy_from_slice(&self.partial);
            match self.stream.read(&mut scratch[kept..]) {
                Ok(0) => return Ok(true),
                Ok(count) => {
                    let filled = kept + count;
                    let used = consume(&mut scratch[..filled], &mut self.out)?;
                    self.partial.clear();
                    self.partial.extend_from_slice(&scratch[used..filled]);
                    if filled < scratch.len() && !hangup {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
