//! Frames that leave: fragments, pings, messages shared by connections.

use super::*;

/// Unmasked frames: first byte and payload.
pub(super) fn split(mut wire: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = wire {
        let (length, rest) = match second {
            126 => (u16::from_be_bytes([rest[0], rest[1]]).into(), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, &rest[8..]),
            short => (usize::from(*short), rest),
        };
        frames.push((*first, rest[..length].to_vec()));
        wire = &rest[length..];
    }
    frames
}

#[test]
fn lengths_take_their_shortest_form() {
    for (length, header) in
        [(0, "8200"), (125, "827d"), (126, "827e007e"), (65_535, "827effff"), (65_536, "827f0000000000010000")]
    {
        let mut out = b"queued".to_vec();
        let config = Config { max_frame: usize::MAX, ..server(false) };
        Session::new(&config, None).message(Kind::Binary, &vec![3; length], &mut out).unwrap();
        assert_eq!(out, [b"queued", &hex(header)[..], &vec![3; length]].concat());
    }
}

#[test]
fn long_messages_leave_in_fragments() {
    let mut session = Session::new(&Config { max_frame: 4, ..server(false) }, None);
    let mut out = Vec::new();
    session.message(Kind::Text, b"abcdefghij", &mut out).unwrap();
    assert_eq!(split(&out), [(0x01, b"abcd".to_vec()), (0x00, b"efgh".to_vec()), (0x80, b"ij".to_vec())]);
    out.clear();
    session.message(Kind::Binary, b"abcdefgh", &mut out).unwrap();
    assert_eq!(split(&out), [(0x02, b"abcd".to_vec()), (0x80, b"efgh".to_vec())]);
    out.clear();
    session.set_max_frame(0);
    session.message(Kind::Binary, b"ab", &mut out).unwrap();
    assert_eq!(split(&out), [(0x02, b"a".to_vec()), (0x80, b"b".to_vec())]);
}

#[test]
fn a_message_sent_in_parts() {
    let mut session = Session::new(&server(false), None);
    let mut out = Vec::new();
    session.part(Kind::Text, b"", false, &mut out).unwrap();
    assert!(out.is_empty());
    session.part(Kind::Text, b"a", false, &mut out).unwrap();
    session.part(Kind::Text, b"", false, &mut out).unwrap();
    // Control frames may come between.
    session.ping_with(b"p", &mut out).unwrap();
    let before = out.clone();
    assert_eq!(session.message(Kind::Text, b"x", &mut out), Err(EncodeError::MessageOpen));
    assert_eq!(session.part(Kind::Binary, b"x", true, &mut out), Err(EncodeError::MessageOpen));
    assert_eq!(session.shared(&mut Shared::new(&server(false), Kind::Text, b"x")), Err(EncodeError::MessageOpen));
    assert_eq!(out, before);
    session.part(Kind::Text, b"", true, &mut out).unwrap();
    assert_eq!(split(&out), [(0x01, b"a".to_vec()), (0x89, b"p".to_vec()), (0x80, Vec::new())]);
    session.message(Kind::Text, b"x", &mut out).unwrap();
}

#[test]
fn clients_mask() {
    let mut client = Session::new(&Config::new(Role::Client), None);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    client.message(Kind::Text, b"secret", &mut one).unwrap();
    client.message(Kind::Text, b"secret", &mut two).unwrap();
    assert_eq!(one[1], 0x86);
    assert_ne!(one, two);
    let mut side = Side::new(&server(true), None);
    side.receive(&[one, two].concat()).unwrap();
    assert_eq!(side.messages(), [text(b"secret"), text(b"secret")]);
}

#[test]
fn control_frames_are_not_too_long() {
    let mut session = Session::new(&server(false), None);
    let mut out = Vec::new();
    assert_eq!(session.ping_with(&[0; 126], &mut out), Err(EncodeError::ControlTooLong));
    assert_eq!(session.pong(&[0; 126], &mut out), Err(EncodeError::ControlTooLong));
    assert!(out.is_empty());
    session.pong(&[0; 125], &mut out).unwrap();
}

#[test]
fn pongs_answer_our_pings() {
    let mut side = Side::new(&Config { limits: Limits { pings: 3, ..Limits::default() }, ..server(false) }, None);
    let mut out = Vec::new();
    let numbers: Vec<_> = (0..3).map(|_| side.session.ping(&mut out).unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(side.session.ping(&mut out), Err(EncodeError::TooManyPings));
    let payloads: Vec<_> = split(&out).into_iter().map(|(_, payload)| payload).collect();
    // The second: the first is answered with it. The first comes late, the third twice.
    for at in [1, 0, 2, 2] {
        side.receive(&frame(0x8a, &payloads[at])).unwrap();
    }
    side.receive(&frame(0x8a, b"")).unwrap();
    side.receive(&frame(0x8a, b"what")).unwrap();
    let answers: Vec<_> = side.heard.iter().map(|one| matches!(one, Heard::Pong(_, Some(_)))).collect();
    assert_eq!(answers, [true, false, true, false, false, false]);
    assert_eq!(side.heard[0], Heard::Pong(payloads[1].clone(), Some(2)));
    assert_eq!(side.session.pending_pings(), 0);
    side.session.ping(&mut out).unwrap();
}

#[test]
fn a_shared_message_is_encoded_once() {
    let payload = b"the same for everyone ".repeat(100);
    let config = Config { max_frame: 1000, ..server(false) };
    let side = |takeover, window_bits| Direction { takeover, window_bits };
    let agreed = |server| Some(Agreed { server, client: side(false, 15) });
    let mut message = Shared::new(&config, Kind::Text, &payload);
    let mut get = |agreed| message.bytes_for(&Encoder::new(&config, agreed)).unwrap();
    let plain = get(None);
    let small = get(Some(side(false, 9)));
    let large = get(Some(side(false, 15)));
    let dependent = get(Some(side(true, 15)));
    // The very same bytes.
    assert!(std::sync::Arc::ptr_eq(&plain, &dependent));
    assert!(std::sync::Arc::ptr_eq(&large, &get(Some(side(false, 15)))));
    assert!(large.len() < 200 && small.len() < 400);
    for (bytes, agreed) in [(plain, None), (small, agreed(side(false, 9))), (large, agreed(side(false, 15)))] {
        let mut client = Side::new(&Config { whole: true, ..Config::new(Role::Client) }, agreed);
        client.receive(&bytes).unwrap();
        assert_eq!(client.messages(), [text(&payload)]);
    }
}
