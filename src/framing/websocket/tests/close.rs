//! The closing handshake (Autobahn's section 7).

use super::*;

fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

#[test]
fn valid_codes_are_given_back() {
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
        let (heard, replies, failure) = everywhere(None, &close(code, "enough"));
        assert_eq!((heard, failure), (vec![Heard::Close(Some(code), "enough".into())], None));
        assert_eq!(replies, [&[0x88, 2][..], &code.to_be_bytes()].concat());
    }
    let (heard, replies, _) = everywhere(None, &frame(0x88, b""));
    assert_eq!((heard, replies), (vec![Heard::Close(None, String::new())], vec![0x88, 0]));
    let longest = "é".repeat(61) + "e";
    assert_eq!(everywhere(None, &close(1000, &longest)).0, [Heard::Close(Some(1000), longest)]);
}

#[test]
fn invalid_codes_and_reasons() {
    for invalid in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        assert_eq!(code(&close(invalid, "")), 1002, "{invalid}");
    }
    assert_eq!(code(&frame(0x88, b"\x03")), 1002);
    assert_eq!(code(&frame(0x88, b"\x03\xe8\xce\xba\xe1")), 1007);
}

#[test]
fn what_follows_a_close_frame_is_dropped() {
    let stream = [close(1000, ""), frame(0x89, b"ping"), frame(0x81, b"text"), hex("ffffff")].concat();
    let (heard, replies, failure) = everywhere(None, &stream);
    assert_eq!((heard, failure), (vec![Heard::Close(Some(1000), String::new())], None));
    assert_eq!(replies, hex("880203e8"));
}

#[test]
fn a_close_frame_within_a_message() {
    let (heard, _, failure) = everywhere(None, &[frame(0x01, b"frag"), close(1001, "bye")].concat());
    assert_eq!((heard, failure), (vec![Heard::Close(Some(1001), "bye".into())], None));
}

#[test]
fn closed_by_the_peer() {
    let mut side = Side::new(&server(false), None);
    assert_eq!(side.session.phase(), Phase::Open);
    assert_eq!(side.session.status(), CloseStatus { code: ABNORMAL, reason: String::new() });
    side.receive(&close(1001, "leaving")).unwrap();
    assert_eq!(side.session.phase(), Phase::Closed);
    assert_eq!(side.session.status(), CloseStatus { code: 1001, reason: "leaving".into() });
    let mut out = Vec::new();
    assert_eq!(side.session.message(Kind::Text, b"late", &mut out), Err(EncodeError::Closed));
    assert_eq!(side.session.ping(&mut out), Err(EncodeError::Closed));
    assert_eq!(side.session.close(Some(1000), "", &mut out), Err(EncodeError::Closed));
    assert!(out.is_empty());
}

#[test]
fn closed_by_us() {
    let mut side = Side::new(&server(false), None);
    let mut out = Vec::new();
    side.session.close(Some(1000), "done", &mut out).unwrap();
    assert_eq!(out, b"\x88\x06\x03\xe8done");
    assert_eq!(side.session.phase(), Phase::Closing);
    // What was under way still comes; nothing is answered any more.
    side.receive(&[frame(0x81, b"late"), frame(0x89, b"?")].concat()).unwrap();
    assert_eq!(side.messages(), [text(b"late")]);
    side.receive(&frame(0x88, b"")).unwrap();
    assert!(side.replies.is_empty());
    assert_eq!(side.session.phase(), Phase::Closed);
    assert_eq!(side.session.status().code, NO_STATUS);
}

#[test]
fn closed_by_a_failure() {
    let mut side = Side::new(&server(false), None);
    let failure = side.receive(&frame(0x83, b"")).unwrap_err();
    assert_eq!(side.session.phase(), Phase::Closed);
    assert_eq!(side.session.status(), CloseStatus { code: 1002, reason: "reserved opcode".into() });
    assert_eq!(side.replies, b"\x88\x11\x03\xeareserved opcode");
    assert_eq!(side.receive(&frame(0x81, b"more")), Err(failure));
    assert_eq!(side.replies.len(), 19);
}

#[test]
fn codes_that_no_close_frame_has() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
        let mut out = Vec::new();
        let mut session = Session::new(&server(false), None);
        assert_eq!(session.close(Some(code), "", &mut out), Err(EncodeError::InvalidCloseCode(code)));
        assert_eq!((out, session.phase()), (Vec::new(), Phase::Open));
    }
}

#[test]
fn long_reasons_are_cut_between_characters() {
    let mut out = Vec::new();
    Session::new(&server(false), None).close(Some(1000), &"€".repeat(50), &mut out).unwrap();
    assert_eq!(out[..4], [0x88, 2 + 123, 3, 0xe8]);
    assert_eq!(std::str::from_utf8(&out[4..]).unwrap(), "€".repeat(41));
    let mut out = Vec::new();
    Session::new(&server(false), None).close(Some(1000), &("x".to_owned() + &"€".repeat(50)), &mut out).unwrap();
    assert_eq!(out.len(), 4 + 121);
}
