//! The TLS 1.3 record layer after the handshake, in place, without an allocation per record.

use crate::failure::{Failure, Result};
use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey, AES_128_GCM, NONCE_LEN};
use rustls::client::UnbufferedClientConnection;
use rustls::ConnectionTrafficSecrets;

/// Most plaintext bytes of one record.
pub const MAX_PLAIN: usize = 16 * 1024;

const HEADER: usize = 5;
const TAG: usize = 16;
const MAX_CIPHER: usize = MAX_PLAIN + 256;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const NEW_SESSION_TICKET: u8 = 4;
const WARNING: u8 = 1;
const CLOSE_NOTIFY: u8 = 0;

/// Both directions of an established connection.
pub struct Records {
    sending: Direction,
    receiving: Direction,
}

/// What [`Records::open`] found.
#[derive(Debug, PartialEq)]
pub struct Opened {
    /// Bytes of the input that are used up.
    pub used: usize,
    /// The peer's close_notify was among them.
    pub closed: bool,
}

impl Records {
    /// Takes over from rustls; the connection must be established and have nothing to send.
    pub fn take_over(tls: UnbufferedClientConnection) -> Result<Self> {
        let (secrets, _) = tls.dangerous_into_kernel_connection()?;
        Ok(Self { sending: Direction::new(secrets.tx)?, receiving: Direction::new(secrets.rx)? })
    }

    /// Appends one record with `plain`, at most [`MAX_PLAIN`] bytes, to `out`.
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.seal_as(APPLICATION_DATA, plain, out)
    }

    /// Appends a close_notify to `out`.
    pub fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.seal_as(ALERT, &[WARNING, CLOSE_NOTIFY], out)
    }

    fn seal_as(&mut self, kind: u8, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let [high, low] = ((plain.len() + 1 + TAG) as u16).to_be_bytes();
        let header = [APPLICATION_DATA, 3, 3, high, low];
        out.extend_from_slice(&header);
        let begin = out.len();
        out.extend_from_slice(plain);
        out.push(kind);
        let tag = self
            .sending
            .key
            .seal_in_place_separate_tag(self.sending.nonce.next(), Aad::from(header), &mut out[begin..])
            .map_err(|_| Failure::new("cannot encrypt a record"))?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens all complete records at the front of `input` and gives their application data to `data`, whose failure ends it.
    /// Session tickets are passed over; a key update, which no server of this benchmark sends, is an error.
    pub fn open(&mut self, input: &mut [u8], mut data: impl FnMut(&[u8]) -> Result<()>) -> Result<Opened> {
        let mut opened = Opened { used: 0, closed: false };
        while let Some(&[kind, major, minor, high, low]) = input.get(opened.used..opened.used + HEADER) {
            let length = usize::from(u16::from_be_bytes([high, low]));
            if kind != APPLICATION_DATA || length > MAX_CIPHER {
                return Err(Failure::new(format!("unexpected record of type {kind} with {length} bytes")));
            }
            let begin = opened.used + HEADER;
            let Some(body) = input.get_mut(begin..begin + length) else { break };
            let plain = self
                .receiving
                .key
                .open_in_place(self.receiving.nonce.next(), Aad::from([kind, major, minor, high, low]), body)
                .map_err(|_| Failure::new("a record does not decrypt"))?;
            opened.used = begin + length;
            // The true type is the last byte that is not padding.
            let end = plain.iter().rposition(|&byte| byte != 0).ok_or_else(|| Failure::new("a record of padding"))?;
            match (plain[end], &plain[..end]) {
                (APPLICATION_DATA, content) => data(content)?,
                (HANDSHAKE, [NEW_SESSION_TICKET, ..]) => {}
                (ALERT, [_, CLOSE_NOTIFY]) => opened.closed = true,
                (ALERT, [_, alert]) => return Err(Failure::new(format!("alert {alert}"))),
                (kind, _) => return Err(Failure::new(format!("unexpected content of type {kind}"))),
            }
        }
        Ok(opened)
    }
}

struct Direction {
    key: LessSafeKey,
    nonce: NonceSequence,
}

impl Direction {
    fn new((sequence, secrets): (u64, ConnectionTrafficSecrets)) -> Result<Self> {
        let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else {
            return Err(Failure::new("not the one cipher suite that was offered"));
        };
        let key = UnboundKey::new(&AES_128_GCM, key.as_ref()).map_err(|_| Failure::new("not a key of AES-128"))?;
        let iv = iv.as_ref().try_into().map_err(|_| Failure::new("not an IV of 12 bytes"))?;
        Ok(Self { key: LessSafeKey::new(key), nonce: NonceSequence { iv, sequence } })
    }
}

struct NonceSequence {
    iv: [u8; NONCE_LEN],
    sequence: u64,
}

impl NonceSequence {
    fn next(&mut self) -> Nonce {
        let mut nonce = self.iv;
        let sequence = self.sequence.to_be_bytes();
        for (byte, counter) in nonce[NONCE_LEN - sequence.len()..].iter_mut().zip(sequence) {
            *byte ^= counter;
        }
        self.sequence += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direction() -> Direction {
        let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).expect("16 bytes are a key");
        Direction { key: LessSafeKey::new(key), nonce: NonceSequence { iv: [9; NONCE_LEN], sequence: 0 } }
    }

    fn records() -> Records {
        Records { sending: direction(), receiving: direction() }
    }

    #[test]
    fn opens_what_it_seals_and_leaves_the_incomplete_rest() {
        let mut records = records();
        let mut wire = Vec::new();
        records.seal(b"one", &mut wire).expect("seals");
        let first = wire.len();
        records.seal(&[5; MAX_PLAIN], &mut wire).expect("seals");
        for cut in [0, 4, HEADER, first - 1] {
            let mut part = wire[..cut].to_vec();
            assert_eq!(records.open(&mut part, |_| panic!("no data yet")), Ok(Opened { used: 0, closed: false }));
        }
        let mut seen = Vec::new();
        let mut most = wire[..wire.len() - 1].to_vec();
        let opened = records.open(&mut most, |data| {
            seen.extend_from_slice(data);
            Ok(())
        });
        assert_eq!(opened, Ok(Opened { used: first, closed: false }));
        assert_eq!(seen, b"one");
        let opened = records.open(&mut wire[first..], |data| {
            assert_eq!(data, &[5; MAX_PLAIN]);
            Ok(())
        });
        assert!(opened.is_ok_and(|opened| opened.used == wire_length(MAX_PLAIN)));
    }

    #[test]
    fn close_notify_is_seen() {
        let mut wire = Vec::new();
        records().close(&mut wire).expect("seals");
        assert_eq!(records().open(&mut wire, |_| Ok(())), Ok(Opened { used: wire_length(2), closed: true }));
    }

    fn wire_length(plain: usize) -> usize {
        HEADER + plain + 1 + TAG
    }

    #[test]
    fn refuses_changed_and_foreign_records() {
        let mut wire = Vec::new();
        records().seal(b"text", &mut wire).expect("seals");
        wire[HEADER] ^= 1;
        assert!(records().open(&mut wire, |_| Ok(())).is_err());
        assert!(records().open(&mut [22, 3, 3, 0, 1, 0], |_| Ok(())).is_err());
        assert!(records().open(&mut [23, 3, 3, 255, 255, 0], |_| Ok(())).is_err());
    }
}
