//! Peers that mean ill: every one is stopped by a limit, in linear time.

use std::time::Duration;

use super::compression::both;
use super::*;

fn limited(limits: Limits, whole: bool) -> Side {
    Side::new(&Config { limits, ..server(whole) }, both(true))
}

fn ends_with(mut side: Side, code: u16, stream: &[u8]) -> Side {
    assert_eq!(side.receive(stream).unwrap_err().code, code);
    assert_eq!(side.session.buffered(), 0);
    side
}

#[test]
fn frames_and_messages_beyond_the_limits() {
    let limits = Limits { frame: 1_000, message: 1_500, ..Limits::default() };
    for whole in [true, false] {
        // From the header alone.
        ends_with(limited(limits, whole), 1009, &frame(0x82, &[0; 1_001])[..8]);
        let mut side = limited(limits, whole);
        side.receive(&[frame(0x02, &[0; 1_000]), frame(0x00, &[0; 500]), frame(0x80, b"")].concat()).unwrap();
        side.receive(&frame(0x02, &[0; 1_000])).unwrap();
        ends_with(side, 1009, &frame(0x80, &[0; 501])[..8]);
        ends_with(limited(limits, whole), 1009, &hex("82ff 7fffffffffffffff 00000000"));
    }
}

#[test]
fn a_promised_length_costs_no_memory() {
    let mut side = limited(Limits::default(), true);
    side.receive(&frame(0x82, &vec![0; 16 << 20])[..14 + 100]).unwrap();
    assert_eq!(side.session.buffered(), 100);
}

#[test]
fn endless_fragments() {
    let limits = Limits { fragments: 3, ..Limits::default() };
    for whole in [true, false] {
        let mut side = limited(limits, whole);
        let three = [frame(0x02, b""), frame(0x00, b""), frame(0x00, b"")].concat();
        side.receive(&three).unwrap();
        let side = ends_with(side, 1008, &frame(0x00, b""));
        assert_eq!(side.heard, []);
        let mut side = limited(limits, whole);
        side.receive(&[frame(0x02, b""), frame(0x00, b""), frame(0x80, b"")].concat().repeat(5)).unwrap();
        assert_eq!(side.heard.len(), 5);
    }
}

#[test]
fn a_flood_of_control_frames() {
    let limits = Limits { control_frames: 10, ..Limits::default() };
    let mut side = limited(limits, false);
    for _ in 0..3 {
        side.receive(&[frame(0x89, b""), frame(0x8a, b"")].concat().repeat(5)).unwrap();
        side.now += Duration::from_millis(1_000);
    }
    side.receive(&frame(0x89, b"").repeat(5)).unwrap();
    side.now += Duration::from_millis(999);
    side.receive(&frame(0x8a, b"").repeat(5)).unwrap();
    let side = ends_with(side, 1008, &frame(0x8a, b""));
    assert_eq!(side.heard.len(), 40);
}

/// A megabyte of zeros is a kilobyte when compressed.
fn bomb(size: usize) -> Vec<u8> {
    let deflate = DeflateOptions { level: 9, ..Default::default() };
    let config = Config { max_frame: usize::MAX, deflate, ..Config::new(Role::Client) };
    let mut out = Vec::new();
    Session::new(&config, both(true)).message(Kind::Binary, &vec![0; size], &mut out).unwrap();
    out
}

#[test]
fn compression_bombs() {
    let bomb = bomb(64 << 20);
    assert!(bomb.len() < 400_000);
    for whole in [true, false] {
        let mut side = limited(Limits { message: 1 << 20, ..Limits::default() }, whole);
        assert_eq!(side.receive(&bomb).unwrap_err().code, 1009);
        let given: usize =
            side.heard.iter().map(|one| if let Heard::Part(_, bytes, _) = one { bytes.len() } else { 0 }).sum();
        assert!(given <= 1 << 20);
        assert_eq!(side.session.buffered(), 0);
    }
}

#[test]
fn a_message_that_inflates_to_exactly_the_limit() {
    for (size, fits) in [(99_999, true), (100_000, true), (100_001, false)] {
        for whole in [true, false] {
            let mut side = limited(Limits { message: 100_000, ..Limits::default() }, whole);
            let result = side.receive(&bomb(size));
            assert_eq!(result.err().map(|failure| failure.code), (!fits).then_some(1009));
        }
    }
}

#[test]
fn endless_empty_blocks() {
    // Compressed data that comes to nothing, a byte at a time.
    let mut side = limited(Limits::default(), true);
    let stream = frame(0x42, &[0, 0, 0, 0xff, 0xff].repeat(20_000));
    for piece in stream.chunks(1) {
        side.receive(piece).unwrap();
    }
    assert_eq!((side.session.buffered(), side.heard.len()), (0, 0));
}

/// A large message in small pieces is copied a few times at most: 16 MiB in pieces of 100 bytes would else take minutes.
#[test]
fn large_messages_in_tiny_pieces() {
    let (piece, count) = ([b'x'; 100], 16 * 1024 * 10);
    let mut side = limited(Limits { fragments: u32::MAX, ..Limits::default() }, true);
    side.receive(&frame(0x01, b"")).unwrap();
    let fragment = frame(0x00, &piece);
    for _ in 0..count {
        side.receive(&fragment).unwrap();
    }
    assert_eq!(side.session.buffered(), 100 * count);
    side.receive(&frame(0x80, b"")).unwrap();
    assert_eq!(side.messages()[0].1.len(), 100 * count);
}
