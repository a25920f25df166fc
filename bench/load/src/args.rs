//! The command line.

use crate::failure::{Failure, Result};
use crate::record::MAX_PLAIN;
use crate::websocket::MAX_MESSAGE;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

pub const USAGE: &str = "\
c4tls-load MODE --addr 127.0.0.1:PORT [options]

modes
  handshake   a new TCP and TLS connection each time, counted when the server has answered its close_notify
  echo        messages of --size bytes, sent back by the server
  lines       the same with CR LF at the end of each, at most 16384 bytes; it must be there when they come back
  download    1 byte asks for --size bytes
  upload      --size bytes are answered with 1 byte
  hold        opens --connections, one echo of --size bytes on each, then keeps them until told to stop

options
  --connections N   1 to 19000; for handshake: how many at a time (default 32; otherwise 1)
  --window N        1 to 1024 requests in flight on a connection (default 1)
  --size BYTES      1 to 16777216 (default 1024)
  --seconds S       0.05 to 60, measured part (default 3)
  --warmup S        0 to 60, the same load before it, not measured (default 0.5)
  --websocket       echo, hold: in binary WebSocket messages of at most 16376 bytes
  --deflate         hold --websocket: compressed, with permessage-deflate
  --resume          handshake: with the TLS 1.3 tickets that the warm-up collects
  --rate N          handshake: 1 to 100000 a second at fixed times, at most --connections at once
  --limit S         1 to 600, the process ends itself after that (default 120)
  --wait            after the warm-up, wait for a line `go` on standard input
";

/// What to do with the connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Handshake {
        resume: bool,
        /// Connections begun per second; `None`: as fast as they end.
        rate: Option<f64>,
    },
    /// Requests of so many bytes, each answered with so many, `window` of them in flight on a connection.
    Exchange { request: usize, response: usize, window: usize, framing: Framing },
    /// One echo of so many bytes, then silence.
    Hold { size: usize, framing: Framing },
}

/// How requests and responses are told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Framing {
    /// By their length alone.
    Bytes,
    /// Each also ends as a line.
    Lines,
    /// Each is a message, compressed with `deflate`.
    WebSocket { deflate: bool },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    pub mode: Mode,
    /// The mode's name, for the report.
    pub name: String,
    pub addr: SocketAddr,
    pub connections: usize,
    pub duration: Duration,
    pub warmup: Duration,
    pub limit: Duration,
    pub wait: bool,
}

impl Args {
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut words = words.into_iter();
        let name = words.next().ok_or_else(|| Failure::new("which mode?"))?;
        let (mut addr, mut connections, mut rate) = (None, None, None);
        let (mut window, mut size) = (1usize, 1024usize);
        let (mut duration, mut warmup, mut limit) = (3.0, 0.5, 120.0);
        let (mut resume, mut wait, mut websocket, mut deflate) = (false, false, false, false);
        while let Some(option) = words.next() {
            let mut value = || words.next().ok_or_else(|| Failure::new(format!("{option} needs a value")));
            match option.as_str() {
                "--addr" => addr = Some(loopback(&value()?)?),
                "--connections" => connections = Some(number(&option, &value()?, 1, 19_000)?),
                "--window" => window = number(&option, &value()?, 1, 1024)?,
                "--size" => size = number(&option, &value()?, 1, 16 << 20)?,
                "--seconds" => duration = number(&option, &value()?, 0.05, 60.0)?,
                "--warmup" => warmup = number(&option, &value()?, 0.0, 60.0)?,
                "--rate" => rate = Some(number(&option, &value()?, 1.0, 100_000.0)?),
                "--limit" => limit = number(&option, &value()?, 1.0, 600.0)?,
                "--resume" => resume = true,
                "--wait" => wait = true,
                "--websocket" => websocket = true,
                "--deflate" => deflate = true,
                _ => return Err(Failure::new(format!("unknown option {option}"))),
            }
        }
        let framing = if websocket { Framing::WebSocket { deflate } } else { Framing::Bytes };
        if websocket && (size > MAX_MESSAGE || !matches!(name.as_str(), "echo" | "hold")) {
            return Err(Failure::new(format!("--websocket is for echo and hold, with at most {MAX_MESSAGE} bytes")));
        }
        // The reader inflates the first message of a connection: more would need its window, and memory for each.
        if deflate && !(websocket && name == "hold") {
            return Err(Failure::new("--deflate is for hold --websocket"));
        }
        let mode = match name.as_str() {
            "handshake" => Mode::Handshake { resume, rate },
            "echo" => Mode::Exchange { request: size, response: size, window, framing },
            "lines" if (2..=MAX_PLAIN).contains(&size) => {
                Mode::Exchange { request: size, response: size, window, framing: Framing::Lines }
            }
            "lines" => return Err(Failure::new(format!("lines have 2 to {MAX_PLAIN} bytes"))),
            "download" => Mode::Exchange { request: 1, response: size, window, framing },
            "upload" => Mode::Exchange { request: size, response: 1, window, framing },
            "hold" => Mode::Hold { size, framing },
            _ => return Err(Failure::new(format!("unknown mode {name}"))),
        };
        let default_connections = if matches!(mode, Mode::Handshake { .. }) { 32 } else { 1 };
        Ok(Self {
            mode,
            name,
            addr: addr.ok_or_else(|| Failure::new("--addr is missing"))?,
            connections: connections.unwrap_or(default_connections),
            duration: Duration::from_secs_f64(duration),
            warmup: Duration::from_secs_f64(warmup),
            limit: Duration::from_secs_f64(limit),
            wait,
        })
    }
}

fn loopback(text: &str) -> Result<SocketAddr> {
    let addr: SocketAddr = text.parse().map_err(|_| Failure::new(format!("{text}: not an address and port")))?;
    if addr.ip().is_loopback() {
        Ok(addr)
    } else {
        Err(Failure::new(format!("{addr}: only loopback addresses are loaded")))
    }
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(option: &str, text: &str, min: T, max: T) -> Result<T> {
    match text.parse::<T>() {
        Ok(value) if value >= min && value <= max => Ok(value),
        _ => Err(Failure::new(format!("{option} takes a number from {min} to {max}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_full_line() {
        let args = parse("echo --addr 127.0.0.1:99 --connections 64 --window 16 --size 100 --seconds 1.5 --wait");
        let args = args.expect("a valid line");
        assert_eq!(args.mode, Mode::Exchange { request: 100, response: 100, window: 16, framing: Framing::Bytes });
        assert_eq!((args.connections, args.wait), (64, true));
        assert_eq!(args.duration, Duration::from_millis(1500));
    }

    #[test]
    fn websocket_echoes_and_holds() {
        let mode = |line: &str| parse(&format!("{line} --addr 127.0.0.1:99")).map(|args| args.mode);
        let framing = Framing::WebSocket { deflate: true };
        assert_eq!(mode("hold --websocket --deflate --size 16376"), Ok(Mode::Hold { size: MAX_MESSAGE, framing }));
        let framing = Framing::WebSocket { deflate: false };
        let echo = Mode::Exchange { request: 1024, response: 1024, window: 1, framing };
        assert_eq!(mode("echo --websocket"), Ok(echo));
        for bad in ["echo --deflate", "hold --deflate", "echo --websocket --deflate", "upload --websocket"] {
            assert!(mode(bad).is_err(), "{bad}");
        }
        assert!(mode("echo --websocket --size 16377").is_err());
    }

    #[test]
    fn refuses_what_is_not_loopback_or_out_of_bounds() {
        assert!(parse("echo --addr 192.0.2.1:99").is_err());
        assert!(parse("echo --addr [::1]:99").is_ok());
        for bad in ["--connections 0", "--connections 20000", "--window 0", "--seconds NaN", "--limit 1e9", "--size"] {
            assert!(parse(&format!("echo --addr 127.0.0.1:99 {bad}")).is_err(), "{bad}");
        }
        assert!(parse("lines --addr 127.0.0.1:99 --size 2").is_ok());
        assert!(parse("lines --addr 127.0.0.1:99 --size 1").is_err());
        assert!(parse("lines --addr 127.0.0.1:99 --size 16385").is_err());
        assert!(parse("dance --addr 127.0.0.1:99").is_err());
        assert!(parse("echo").is_err());
        assert!(parse("").is_err());
    }
}
