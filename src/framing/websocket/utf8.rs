//! UTF-8 that arrives in pieces.

/// No bytes that may follow could make this UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Invalid;

/// How many of `bytes` are whole characters. The at most three behind them are the beginning of one.
pub(super) fn whole_characters(bytes: &[u8]) -> Result<usize, Invalid> {
    let end = last_boundary(bytes);
    let (whole, tail) = bytes.split_at(end);
    simdutf8::basic::from_utf8(whole).map_err(|_| Invalid)?;
    match std::str::from_utf8(tail) {
        Ok(_) => Ok(bytes.len()),
        Err(error) if error.error_len().is_none() => Ok(end),
        Err(_) => Err(Invalid),
    }
}

/// How many bytes the character that begins with `lead` has; 1 where no character begins so.
pub(super) fn width(lead: u8) -> usize {
    match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

/// Where the last character begins if it is not complete, or else the end.
fn last_boundary(bytes: &[u8]) -> usize {
    for (back, &byte) in (1..=3).zip(bytes.iter().rev()) {
        if byte & 0xc0 != 0x80 {
            return if width(byte) > back { bytes.len() - back } else { bytes.len() };
        }
    }
    bytes.len()
}
