//! Entry point for fuzzing, which `fuzz/` runs under libFuzzer and a test runs with random bytes: whatever comes, in
//! whatever pieces, the messages are those of a splitter that sees all of it at once. A finding is a panic.

use super::{Framer, Framing, Overflow};

/// A message and whether it ended.
pub type Given = (Vec<u8>, bool);

/// What became of a whole stream; `failed`: it had a message above the limit.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Cut {
    pub given: Vec<Given>,
    pub failed: bool,
}

/// Cuts `pieces` one after the other.
pub fn cut<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Cut {
    let mut cut = Cut::default();
    let mut framer = Framer::new(framing);
    for piece in pieces {
        let given = &mut cut.given;
        cut.failed = framer.push(piece, &mut |m| given.push((m.bytes.to_vec(), m.ended))).is_err();
        if cut.failed {
            break;
        }
    }
    framer.finish(&mut |m| cut.given.push((m.bytes.to_vec(), m.ended)));
    cut
}

/// The same from the definition: a byte at a time, with all of the stream in sight.
pub fn naive(framing: &Framing, stream: &[u8]) -> Cut {
    let (keep, limit, overflow) = match framing {
        Framing::Chunks => (false, usize::MAX, Overflow::Flush),
        Framing::Record { .. } => (false, usize::MAX, Overflow::Flush),
        Framing::Lines { limit, keep } => (*keep, *limit, Overflow::Flush),
        Framing::Delimiter(d) => (d.keep, d.limit, d.overflow),
    };
    // How long the mark is that ends a message of `from..to`, and what is skipped behind it.
    let mark = |from: usize, to: usize| match framing {
        Framing::Chunks => None,
        Framing::Record { length } => (to - from == *length).then_some((0, 0)),
        Framing::Lines { .. } => match stream[to - 1] {
            b'\n' => Some((1, 0)),
            b'\r' => Some((1, usize::from(stream.get(to) == Some(&b'\n')))),
            _ => None,
        },
        Framing::Delimiter(d) => stream[from..to].ends_with(d.needle.bytes()).then(|| (d.needle.len(), 0)),
    };
    let mut cut = Cut::default();
    let mut from = 0;
    let mut to = 0;
    while to < stream.len() {
        to += 1;
        let Some((mark, skip)) = mark(from, to) else { continue };
        if !part(&mut cut, &stream[from..to - mark], limit, overflow) {
            return cut;
        }
        if let (Some(last), true) = (cut.given.last_mut(), keep) {
            last.0.extend_from_slice(&stream[to - mark..to]);
        }
        if let Some(last) = cut.given.last_mut() {
            last.1 = true;
        }
        to += skip;
        from = to;
    }
    rest(&mut cut, framing, &stream[from..], limit, overflow);
    cut
}

/// A message without its mark, in parts where it must be.
fn part(cut: &mut Cut, bytes: &[u8], limit: usize, overflow: Overflow) -> bool {
    if bytes.len() > limit && overflow == Overflow::Fail {
        cut.failed = true;
        return false;
    }
    match bytes.is_empty() {
        true => cut.given.push((Vec::new(), false)),
        false => cut.given.extend(bytes.chunks(limit).map(|part| (part.to_vec(), false))),
    }
    true
}

fn rest(cut: &mut Cut, framing: &Framing, bytes: &[u8], limit: usize, overflow: Overflow) {
    let doubtful = match framing {
        Framing::Delimiter(d) => {
            let needle = d.needle.bytes();
            (0..needle.len().min(bytes.len() + 1)).rev().find(|&n| bytes.ends_with(&needle[..n])).unwrap_or(0)
        }
        _ => 0,
    };
    if bytes.is_empty() || overflow == Overflow::Fail && bytes.len() - doubtful <= limit {
        cut.given.extend((!bytes.is_empty()).then(|| (bytes.to_vec(), false)));
    } else {
        part(cut, bytes, limit, overflow);
    }
}

/// Takes a byte off.
fn byte(data: &mut &[u8]) -> usize {
    let Some((first, rest)) = data.split_first() else { return 0 };
    *data = rest;
    usize::from(*first)
}

/// The head of `data` chooses the framing and how the rest of it is cut into pieces.
pub fn framing(mut data: &[u8]) {
    let kind = byte(&mut data);
    let limit = [1, 2, 5, 1 << 20][byte(&mut data) % 4];
    let overflow = if kind & 8 == 0 { Overflow::Flush } else { Overflow::Fail };
    let framing = match kind % 4 {
        0 => Ok(Framing::Chunks),
        1 => Framing::record(1 + byte(&mut data) % 9),
        2 => Ok(Framing::lines(limit, false)),
        _ => {
            let length = 1 + byte(&mut data) % 6;
            let (delimiter, rest) = data.split_at(data.len().min(length));
            data = rest;
            Framing::delimiter(delimiter, kind & 4 != 0, limit, overflow)
        }
    };
    // Nothing is left of `data` for a delimiter.
    let Ok(framing) = framing else { return };
    let lengths: Vec<usize> = (0..1 + byte(&mut data) % 4).map(|_| 1 + byte(&mut data) % 7).collect();
    let mut pieces = Vec::new();
    let mut rest = data;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, behind) = rest.split_at(rest.len().min(*length));
        pieces.push(piece);
        rest = behind;
    }
    let expected = naive(&framing, data);
    let all = |cut: &Cut| cut.given.iter().flat_map(|(bytes, _)| bytes.clone()).collect::<Vec<u8>>();
    for cut in [cut(framing.clone(), pieces), cut(framing.clone(), [data])] {
        match framing {
            // The pieces themselves.
            Framing::Chunks => assert_eq!(all(&cut), data),
            _ => assert_eq!(cut, expected),
        }
    }
}
