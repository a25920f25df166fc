//! Close codes and the payloads of Close frames (RFC 6455, 5.5.1 and 7.4).

use super::frame::{Failure, MAX_CONTROL};
use super::utf8::whole_characters;

pub(super) const PROTOCOL_ERROR: u16 = 1002;
/// Never on the wire: the peer's Close frame had no code.
pub const NO_STATUS: u16 = 1005;
/// Never on the wire: the connection ended without the peer's Close frame.
pub const ABNORMAL: u16 = 1006;
pub(super) const INVALID_PAYLOAD: u16 = 1007;
pub(super) const POLICY_VIOLATION: u16 = 1008;
pub(super) const TOO_BIG: u16 = 1009;

/// How the connection ended, or the peer's wish that it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseStatus {
    /// The peer's code, [`NO_STATUS`], [`ABNORMAL`], or that of our [`Failure`].
    pub code: u16,
    /// At most 123 bytes.
    pub reason: String,
}

/// Whether a Close frame may carry `code`: registered codes up to 1014, and those of libraries and programs.
pub fn is_valid(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Code and reason; `None` when the frame has no payload.
pub(super) fn parse(payload: &[u8]) -> Result<Option<(u16, &str)>, Failure> {
    match *payload {
        [] => Ok(None),
        [_] => Err(Failure::protocol("close code of one byte")),
        [high, low, ref reason @ ..] => {
            let code = u16::from_be_bytes([high, low]);
            if !is_valid(code) {
                return Err(Failure::protocol("invalid close code"));
            }
            let reason = std::str::from_utf8(reason).map_err(|_| Failure::payload("close reason is not UTF-8"))?;
            Ok(Some((code, reason)))
        }
    }
}

/// A Close frame's payload: as much of `reason` as fits, in whole characters.
pub(super) fn payload(code: u16, reason: &str) -> Vec<u8> {
    let bytes = reason.as_bytes();
    let fits = &bytes[..bytes.len().min(MAX_CONTROL - 2)];
    let whole = whole_characters(fits).unwrap_or(0);
    [&code.to_be_bytes(), &fits[..whole]].concat()
}
