//! Messages in several frames (Autobahn's section 5, 9 and 10).

use super::*;

#[test]
fn control_frames_come_between_fragments() {
    let stream = [frame(0x01, b"frag"), frame(0x89, b"ping"), frame(0x00, b""), frame(0x80, b"ment")].concat();
    let (heard, replies, _) = everywhere(None, &stream);
    assert_eq!(heard, [Heard::Ping(b"ping".to_vec()), Heard::Part(Kind::Text, b"fragment".to_vec(), true)]);
    assert_eq!(replies, b"\x8a\x04ping");
    // In parts, the first one comes before the ping.
    let mut side = Side::new(&server(false), None);
    side.receive(&stream).unwrap();
    assert_eq!(side.heard[0], Heard::Part(Kind::Text, b"frag".to_vec(), false));
    assert_eq!(side.heard[1], Heard::Ping(b"ping".to_vec()));
}

#[test]
fn continuations_need_a_message_and_messages_an_end() {
    assert_eq!(code(&frame(0x80, b"nothing to go on with")), 1002);
    assert_eq!(code(&frame(0x00, b"the same")), 1002);
    assert_eq!(code(&[frame(0x01, b"a"), frame(0x80, b"b"), frame(0x80, b"c")].concat()), 1002);
    assert_eq!(code(&[frame(0x01, b"a"), frame(0x81, b"b")].concat()), 1002);
    assert_eq!(code(&[frame(0x02, b"a"), frame(0x01, b"b")].concat()), 1002);
}

#[test]
fn messages_as_large_as_may_be() {
    let payload = vec![b'*'; 16 << 20];
    for whole in [true, false] {
        for piece in [1 << 16, 1_000] {
            let mut side = Side::new(&server(whole), None);
            for part in frame(0x82, &payload).chunks(piece) {
                side.receive(part).unwrap();
            }
            assert!(side.messages() == [binary(&payload)]);
        }
    }
}

#[test]
fn many_small_fragments() {
    let payload: Vec<u8> = (0..4 << 20).map(|n: u32| b'a' + (n % 26) as u8).collect();
    for size in [64, 1 << 16] {
        let mut stream = Vec::new();
        for (at, part) in payload.chunks(size).enumerate() {
            let first = if at == 0 { 0x01 } else { 0x00 };
            stream.extend(frame(first | if (at + 1) * size == payload.len() { 0x80 } else { 0 }, part));
        }
        for whole in [true, false] {
            let mut side = Side::new(&server(whole), None);
            side.receive(&stream).unwrap();
            assert!(side.messages() == [text(&payload)]);
        }
    }
}

#[test]
fn assembly_can_be_switched_between_messages() {
    let mut side = Side::new(&server(false), None);
    side.receive(&frame(0x02, b"a")).unwrap();
    side.session.set_whole(true);
    side.receive(&frame(0x80, b"b")).unwrap();
    side.receive(&frame(0x02, b"c")).unwrap();
    assert_eq!(side.session.buffered(), 1);
    side.receive(&frame(0x80, b"d")).unwrap();
    assert_eq!(side.session.buffered(), 0);
    let part = |bytes: &[u8], last| Heard::Part(Kind::Binary, bytes.to_vec(), last);
    assert_eq!(side.heard, [part(b"a", false), part(b"b", true), part(b"cd", true)]);
}
