//! permessage-deflate on the wire (Autobahn's sections 12 and 13).

use super::*;
use crate::mutate::Random;

const fn way(takeover: bool, window_bits: u8) -> Direction {
    Direction { takeover, window_bits }
}

pub(super) fn both(takeover: bool) -> Option<Agreed> {
    Some(Agreed { server: way(takeover, 15), client: way(takeover, 15) })
}

/// The examples of RFC 7692, 7.2.3.
#[test]
fn the_examples_of_the_rfc() {
    let hello = hex("f248cdc9c90700");
    let (heard, ..) = everywhere(both(false), &frame(0xc1, &hello));
    assert_eq!(messages(&heard), [text(b"Hello")]);
    let fragments = [frame(0x41, &hello[..3]), frame(0x89, b""), frame(0x80, &hello[3..])].concat();
    assert_eq!(messages(&everywhere(both(false), &fragments).0), [text(b"Hello")]);
    // With the window of the message before.
    let again = [frame(0xc1, &hello), frame(0xc1, &hex("f200110000"))].concat();
    assert_eq!(messages(&everywhere(both(true), &again).0), [text(b"Hello"), text(b"Hello")]);
    let (_, replies, failure) = everywhere(both(false), &again);
    assert_eq!((failure.map(|failure| failure.code), replies.is_empty()), (Some(1007), false));
    // A block without compression, a final block, two blocks.
    for bytes in ["000500faff48656c6c6f00", "f348cdc9c9070000", "f248050000 00ffffcac9c90700"] {
        let stream = [frame(0xc1, &hex(bytes)), frame(0xc1, &hello)].concat();
        for takeover in [true, false] {
            assert_eq!(messages(&everywhere(both(takeover), &stream).0), [text(b"Hello"), text(b"Hello")], "{bytes}");
        }
    }
    // A final block that really is the end: what a sender leaves who does not know better.
    let stream = [frame(0xc1, &hex("f348cdc9c90700")), frame(0xc1, &hello)].concat();
    assert_eq!(messages(&everywhere(both(true), &stream).0), [text(b"Hello"), text(b"Hello")]);
    assert_eq!(messages(&everywhere(both(true), &frame(0xc1, b"\0")).0), [text(b"")]);
}

#[test]
fn compressed_and_other_messages_mix() {
    let stream = [frame(0xc1, &hex("f248cdc9c90700")), frame(0x81, b"plain"), frame(0xc1, &hex("f200110000"))].concat();
    assert_eq!(messages(&everywhere(both(true), &stream).0), [text(b"Hello"), text(b"plain"), text(b"Hello")]);
}

#[test]
fn the_mark_is_the_first_frames_only() {
    let stream = [frame(0x41, &hex("f248")), frame(0xc0, &hex("cdc9c90700"))].concat();
    for stream in [stream, frame(0xc9, b""), frame(0xe1, b"\0"), frame(0xd1, b"\0")] {
        assert_eq!(everywhere(both(true), &stream).2.map(|failure| failure.code), Some(1002));
    }
}

#[test]
fn what_does_not_inflate() {
    for bytes in ["ff", "07", "000500fafe48656c6c6f00", "62000000ffffff"] {
        let failure = everywhere(both(true), &frame(0xc2, &hex(bytes))).2;
        assert_eq!(failure.map(|failure| failure.code), Some(1007), "{bytes}");
    }
}

#[test]
fn inflated_text_is_checked_as_it_comes() {
    let deflate = |payload: &[u8]| {
        let config =
            Config { deflate: DeflateOptions { threshold: 0, ..Default::default() }, ..Config::new(Role::Client) };
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&config, Some(way(true, 15)));
        encoder.part(Kind::Text, payload, false, &mut out).unwrap();
        out
    };
    for whole in [true, false] {
        let mut side = Side::new(&server(whole), both(true));
        side.receive(&deflate(b"ok \xe2\x82")).unwrap();
        let mut side = Side::new(&server(whole), both(true));
        assert_eq!(side.receive(&deflate(b"ok \xe2\x28")).unwrap_err().code, 1007);
        let mut side = Side::new(&server(whole), both(true));
        let unfinished = [deflate(b"ok \xe2\x82"), frame(0x80, b"\0")].concat();
        assert_eq!(side.receive(&unfinished).unwrap_err().code, 1007);
    }
}

/// Messages of every size, for each set of parameters, to and fro.
#[test]
fn there_and_back() {
    let mut random = Random(1);
    let words = ["connect", "{\"id\":", "true", " ", "\n", "é", "temperature", "0.125", "😱", "},"];
    for takeover in [true, false] {
        for bits in 9..=15 {
            for (level, max_frame, threshold) in [(1, 16_384, 0), (6, 100, 1024), (9, usize::MAX, 16)] {
                let deflate = DeflateOptions { level, threshold, ..Default::default() };
                let agreed = Some(Agreed { server: way(takeover, bits), client: way(!takeover, bits) });
                let config = |role| Config { whole: bits % 2 == 0, max_frame, deflate, ..Config::new(role) };
                let mut server = Side::new(&config(Role::Server), agreed);
                let mut client = Side::new(&config(Role::Client), agreed);
                let mut sent = Vec::new();
                for size in [0, 1, 16, 64, 500, 1024, 8_192, 32_768, 131_072] {
                    let mut content = String::new();
                    while content.len() < size {
                        content.push_str(words[random.next(words.len())]);
                    }
                    sent.push(text(content.as_bytes()));
                    let (mut up, mut down) = (Vec::new(), Vec::new());
                    client.session.message(Kind::Text, content.as_bytes(), &mut up).unwrap();
                    server.session.message(Kind::Text, content.as_bytes(), &mut down).unwrap();
                    assert!(size < 1024 || up.len() < content.len() * 2 / 3);
                    for piece in up.chunks(random.next(5_000) + 1) {
                        server.receive(piece).unwrap();
                    }
                    client.receive(&down).unwrap();
                }
                assert!(server.messages() == sent && client.messages() == sent);
            }
        }
    }
}

/// Nothing in it repeats.
fn noise() -> Vec<u8> {
    let mut random = Random(7);
    (0..2_000).map(|_| random.next(256) as u8).collect()
}

#[test]
fn a_window_is_kept_to() {
    // What repeats lies farther back than the window of 512 bytes, but not than one of 32 KiB.
    let block = noise();
    let size = |bits| {
        let mut out = Vec::new();
        let agreed = Some(Agreed { server: way(false, bits), client: way(false, 15) });
        Session::new(&server(false), agreed).message(Kind::Binary, &block.repeat(2), &mut out).unwrap();
        out.len()
    };
    assert!(size(15) < 2_200);
    assert!(size(9) > 3_900);
}

#[test]
fn small_and_incompressible_messages_are_sent_as_they_are() {
    let sent = |takeover, payload: &[u8]| {
        let mut out = Vec::new();
        Session::new(&server(false), both(takeover)).message(Kind::Binary, payload, &mut out).unwrap();
        out[0]
    };
    assert_eq!([sent(false, &[0; 1023]), sent(false, &[0; 1024])], [0x82, 0xc2]);
    assert_eq!(sent(false, &noise()), 0x82);
    // The peer needs it for what comes later.
    assert_eq!(sent(true, &noise()), 0xc2);
}

#[test]
fn a_compressed_message_sent_in_parts() {
    for takeover in [true, false] {
        for parts in
            [&[&b"one"[..], b"two", b"three"][..], &[b"one", b""], &[b"", b"two"], &[b"", b""], &[b"x", b"", b"y"]]
        {
            let mut server = Session::new(&server(false), both(takeover));
            let mut client = Side::new(&Config { whole: true, ..Config::new(Role::Client) }, both(takeover));
            for _ in 0..3 {
                let mut out = Vec::new();
                for (at, part) in parts.iter().enumerate() {
                    server.part(Kind::Binary, part, at + 1 == parts.len(), &mut out).unwrap();
                }
                // Nothing in front of the last part: a whole message after all, too short to gain.
                let late = parts[..parts.len() - 1].iter().all(|part| part.is_empty());
                assert_eq!(out[0] & 0x40 == 0x40, takeover || !late);
                client.receive(&out).unwrap();
            }
            assert_eq!(client.messages(), vec![binary(&parts.concat()); 3]);
        }
    }
}

#[test]
fn a_pause_holds_inflated_parts_back() {
    let config = Config { max_frame: usize::MAX, ..Config::new(Role::Client) };
    let payload = b"all the same ".repeat(20_000);
    let mut wire = Vec::new();
    Session::new(&config, both(false)).message(Kind::Text, &payload, &mut wire).unwrap();
    wire.extend(frame(0x89, b"behind"));
    let mut decoder = Decoder::new(&server(false), both(false).map(|agreed| agreed.client));
    let (mut rest, mut given, mut most) = (&mut wire[..], Vec::new(), 0);
    let mut ping = false;
    while !ping {
        let mut events = 0;
        let used = decoder.push(rest, &Instant::now, &mut |event| {
            events += 1;
            match event {
                Event::Data(data) => {
                    most = most.max(data.bytes.len());
                    given.extend_from_slice(data.bytes);
                }
                event => ping = event == Event::Ping(b"behind"),
            }
            ControlFlow::Break(())
        });
        assert_eq!(events, 1);
        rest = &mut rest[used.unwrap()..];
        assert_eq!(decoder.is_held() || !rest.is_empty(), !ping);
    }
    assert!(given == payload);
    assert_eq!(most, 16 * 1024);
}

#[test]
fn parts_come_in_order_with_control_frames() {
    let hello = hex("f248cdc9c90700");
    let mut side = Side::new(&server(false), both(false));
    side.receive(&[frame(0x41, &hello[..5]), frame(0x89, b""), frame(0x80, &hello[5..])].concat()).unwrap();
    let pings: Vec<_> = side.heard.iter().map(|one| *one == Heard::Ping(Vec::new())).collect();
    assert_eq!(pings, [false, true, false]);
    assert_eq!(side.messages(), [text(b"Hello")]);
}

/// All that can be inflated is, though the room of one step is filled and no more input is there.
#[test]
fn nothing_inflated_waits_for_more_input() {
    let mut wire = Vec::new();
    let config = Config { max_frame: usize::MAX, ..Config::new(Role::Client) };
    Session::new(&config, both(false)).message(Kind::Binary, &[0; 300_000], &mut wire).unwrap();
    for cut in 10..wire.len() {
        let mut parts = Side::new(&server(false), both(false));
        let mut whole = Side::new(&server(true), both(false));
        parts.receive(&wire[..cut]).unwrap();
        whole.receive(&wire[..cut]).unwrap();
        let given: usize =
            parts.heard.iter().map(|one| if let Heard::Part(_, bytes, _) = one { bytes.len() } else { 0 }).sum();
        assert_eq!(given, whole.session.buffered());
    }
}
