use super::fuzzing::{cut, framing, naive, Cut};
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn delimiter(mark: &[u8], keep: bool, limit: usize, overflow: Overflow) -> Framing {
    Framing::delimiter(mark, keep, limit, overflow).unwrap()
}

fn given(list: &[(&str, bool)]) -> Vec<(Vec<u8>, bool)> {
    list.iter().map(|(text, ended)| (hex(text), *ended)).collect()
}

/// Whole, a byte at a time, and in two pieces at every place.
#[track_caller]
fn check(framing: Framing, stream: &str, expected: &[(&str, bool)]) {
    let stream = hex(stream);
    let expected = Cut { given: given(expected), failed: false };
    assert_eq!(naive(&framing, &stream), expected);
    assert_eq!(cut(framing.clone(), stream.chunks(1)), expected);
    for at in 0..=stream.len() {
        let (head, tail) = stream.split_at(at);
        assert_eq!(cut(framing.clone(), [head, tail]), expected, "cut at {at}");
    }
}

#[test]
fn a_delimiter_ends_messages_and_stays_or_goes() {
    let stream = "6162 0d0a 0d0a 63 0d 64 0d0a 65";
    let kept = [("61620d0a", true), ("0d0a", true), ("630d640d0a", true), ("65", false)];
    check(delimiter(b"\r\n", true, 99, Overflow::Fail), stream, &kept);
    let bare = [("6162", true), ("", true), ("630d64", true), ("65", false)];
    check(delimiter(b"\r\n", false, 99, Overflow::Flush), stream, &bare);
}

#[test]
fn a_delimiter_may_hold_anything() {
    check(delimiter(b"\0", false, 9, Overflow::Flush), "00 6100 ff", &[("", true), ("61", true), ("ff", false)]);
    check(delimiter(&hex("ff00ff"), true, 9, Overflow::Fail), "ff00ff 00 00ff", &[("ff00ff", true), ("0000ff", false)]);
    // The second of the overlapping ones does not count.
    check(delimiter(b"aa", false, 9, Overflow::Flush), "616161 6161", &[("", true), ("", true), ("61", false)]);
    check(delimiter(b"aab", false, 9, Overflow::Flush), "6161616162 61", &[("6161", true), ("61", false)]);
    assert_eq!(Framing::delimiter(b"", true, 9, Overflow::Fail).unwrap_err().code, "ERR_INVALID_ARG_VALUE");
}

#[test]
fn lines_end_in_cr_lf_or_both() {
    let stream = "6162 0d0a 63 0d 64 0a 0a 0d 0d0a 65";
    let lines = [("6162", true), ("63", true), ("64", true), ("", true), ("", true), ("", true), ("65", false)];
    check(Framing::lines(99, false), stream, &lines);
}

#[test]
fn lines_keep_their_ends() {
    let kept = |pieces: &[&'static [u8]]| cut(Framing::lines(3, true), pieces.iter().copied()).given;
    let lines = |expected: &[(&[u8], bool)]| expected.iter().map(|(b, e)| (b.to_vec(), *e)).collect::<Vec<_>>();
    assert_eq!(
        kept(&[b"ab\r\nc\rd\n\nabcde\r\n"]),
        lines(&[(b"ab\r\n", true), (b"c\r", true), (b"d\n", true), (b"\n", true), (b"abc", false), (b"de\r\n", true),])
    );
    // A line does not wait for what may follow its CR.
    assert_eq!(kept(&[b"a\r", b"\nb\n"]), lines(&[(b"a\r", true), (b"b\n", true)]));
}

#[test]
fn records_have_one_length() {
    check(Framing::record(3).unwrap(), "010203 040506 07", &[("010203", true), ("040506", true), ("07", false)]);
    check(Framing::record(1).unwrap(), "0102", &[("01", true), ("02", true)]);
    assert_eq!(Framing::record(0).unwrap_err().code, "ERR_OUT_OF_RANGE");
}

#[test]
fn chunks_pass_as_they_come() {
    let cut = cut(Framing::Chunks, [&b"ab"[..], b"", b"c"]);
    assert_eq!(cut.given, [(b"ab".to_vec(), false), (b"c".to_vec(), false)]);
}

#[test]
fn what_is_longer_than_the_limit_comes_in_parts() {
    let stream = "6162636465 0d0a 61626364 0d0a 6162630d";
    let parts = [
        ("6162", false),
        ("6364", false),
        ("65", true),
        ("6162", false),
        ("6364", true),
        ("6162", false),
        ("630d", false),
    ];
    check(delimiter(b"\r\n", false, 2, Overflow::Flush), stream, &parts);
    check(Framing::lines(2, false), "616263 0a 6162 0d0a", &[("6162", false), ("63", true), ("6162", true)]);
    // The mark does not count.
    check(delimiter(b"\r\n", true, 1, Overflow::Flush), "6162 0d0a", &[("61", false), ("620d0a", true)]);
}

#[test]
fn what_is_longer_than_the_limit_fails() {
    let rule = delimiter(b"\r\n", true, 2, Overflow::Fail);
    for stream in ["6162 0d0a 616263 0d0a", "6162 0d0a 616263"] {
        let stream = hex(stream);
        for pieces in [1, 2, 3, 100] {
            let cut = cut(rule.clone(), stream.chunks(pieces));
            assert_eq!(cut, Cut { given: given(&[("61620d0a", true)]), failed: true });
        }
    }
    let mut framer = Framer::new(rule);
    let error = framer.push(b"abc", &mut |_| unreachable!()).unwrap_err();
    assert_eq!(error.code, "ERR_C4TLS_MESSAGE_TOO_LARGE");
    assert_eq!(framer.buffer.capacity(), 0);
    // Two bytes and what may be a mark are not more than two.
    check(delimiter(b"\r\n", true, 2, Overflow::Fail), "6162 0d", &[("61620d", false)]);
}

#[test]
fn a_message_inside_one_piece_is_not_copied() {
    let bytes = b"one\ntwo\nthree\n";
    for framing in [delimiter(b"\n", true, 99, Overflow::Fail), Framing::lines(99, false), Framing::record(7).unwrap()]
    {
        let mut framer = Framer::new(framing);
        let mut messages = 0;
        let mut look = |message: Message<'_>| {
            assert!(bytes.as_ptr_range().contains(&message.bytes.as_ptr()));
            messages += 1;
        };
        framer.push(bytes, &mut look).unwrap();
        assert!(messages >= 2);
        assert_eq!(framer.buffer.capacity(), 0);
    }
}

#[test]
fn another_framing_begins_with_what_is_held() {
    let mut framer = Framer::new(delimiter(b"\r\n", false, 99, Overflow::Flush));
    let mut seen = Vec::new();
    let mut keep = |message: Message<'_>| seen.push((message.bytes.to_vec(), message.ended));
    framer.push(b"head\r\nabcdefg\r", &mut keep).unwrap();
    framer.reconfigure(Framing::record(3).unwrap(), &mut keep).unwrap();
    framer.reconfigure(Framing::lines(99, false), &mut keep).unwrap();
    framer.push(b"y\r", &mut keep).unwrap();
    framer.reconfigure(Framing::Chunks, &mut keep).unwrap();
    // Of the line's end, which came in two pieces.
    framer.push(b"\nz", &mut keep).unwrap();
    framer.finish(&mut keep);
    let texts: Vec<_> = seen.iter().map(|(bytes, ended)| (std::str::from_utf8(bytes).unwrap(), *ended)).collect();
    let expected = [("head", true), ("abc", true), ("def", true), ("g", true), ("y", true), ("z", false)];
    assert_eq!(texts, expected);
}

#[test]
fn memory_goes_back_when_nothing_is_held() {
    let mut framer = Framer::new(delimiter(b"\n", false, 1 << 20, Overflow::Fail));
    framer.push(&[b'x'; 100_000], &mut |_| {}).unwrap();
    framer.release_buffers();
    assert!((100_000..=200_000).contains(&framer.buffer.capacity()));
    framer.push(b"\nabc", &mut |_| {}).unwrap();
    framer.release_buffers();
    assert!(framer.buffer.capacity() < 1000);
    framer.push(b"\n", &mut |_| {}).unwrap();
    framer.release_buffers();
    assert_eq!(framer.buffer.capacity(), 0);
}

/// Bytes that are followed one by one, however much of the delimiter keeps coming: the search inside a piece is memchr's,
/// which is linear, and everything else is counted here.
#[test]
fn near_matches_cost_no_more_than_other_bytes() {
    let mut marks = vec![b"a".repeat(1000)];
    marks[0].push(b'b');
    marks.push([b"ab".repeat(500), b"aa".to_vec()].concat());
    for mark in marks {
        let stream: Vec<u8> = mark[..1000].iter().copied().cycle().take(1 << 20).collect();
        for piece in [1, 2, 3, 999, 1000, 1001, 1002, 1003, 65_536] {
            let framing = delimiter(&mark, true, 1 << 21, Overflow::Fail);
            let Framing::Delimiter(Delimiter { needle, .. }) = &framing else { unreachable!() };
            let needle = needle.clone();
            assert_eq!(cut(framing, stream.chunks(piece)).given, [(stream.clone(), false)]);
            let steps = needle.steps.load(std::sync::atomic::Ordering::Relaxed);
            assert!(steps <= 4 * stream.len(), "{steps} steps in pieces of {piece}");
        }
    }
}

#[test]
fn random_bytes_are_cut_as_a_naive_splitter_cuts_them() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..40_000 {
        let mut data: Vec<u8> = (0..4).map(|_| next(256) as u8).collect();
        // Of few different bytes, so that delimiters and near ones are frequent.
        let alphabet = [&b"\r\n"[..], b"ab", b"\r\nx", b"\x00\xff"][round % 4];
        data.extend((0..next(80)).map(|_| alphabet[next(alphabet.len())]));
        framing(&data);
    }
}
