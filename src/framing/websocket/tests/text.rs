//! UTF-8, in one frame, over several, and cut within characters (Autobahn's section 6).

use super::*;

const GOOD: [&str; 8] = [
    "cebae1bdb9cf83cebcceb5",     // Greek
    "48656c6c6f2dc2b540c39fc3b6", // two bytes
    "f0908080 f48fbfbf",          // first and last of four bytes
    "ed9fbf ee8080",              // around the surrogates
    "efbfbe efbfbf",              // noncharacters
    "f09f98b1",                   // an emoji
    "00",
    "e0a080 c280 7f",
];
const BAD: [&str; 16] = [
    "cebae1bdb9cf83cebcceb5eda080656469746564", // a surrogate
    "80",                                       // no lead
    "bf80",
    "c0af", // overlong
    "c1bf",
    "e08080",
    "e09fbf",
    "f0808080",
    "f08fbfbf",
    "f4908080", // above U+10FFFF
    "f5808080",
    "fe",
    "ff",
    "c320",     // too short
    "eda080",   // a surrogate alone
    "e282ac80", // one continuation too many
];

#[test]
fn good_text_cut_anywhere() {
    for text in GOOD.map(hex) {
        let (heard, _, failure) = everywhere(None, &frame(0x81, &text));
        assert_eq!((messages(&heard), failure), (vec![(Kind::Text, text.clone())], None));
        for cut in 0..=text.len() {
            let stream = [frame(0x01, &text[..cut]), frame(0x89, b""), frame(0x80, &text[cut..])].concat();
            let (heard, _, failure) = everywhere(None, &stream);
            assert_eq!((messages(&heard), failure), (vec![(Kind::Text, text.clone())], None));
        }
        let mut stream: Vec<_> = text.iter().map(|&byte| frame(0x00, &[byte])).collect();
        stream[0][0] = 0x01;
        let stream = [stream.concat(), frame(0x80, b"")].concat();
        assert_eq!(messages(&everywhere(None, &stream).0), [(Kind::Text, text)]);
    }
}

#[test]
fn bad_text_cut_anywhere() {
    for bad in BAD.map(hex) {
        for before in [&b""[..], b"ok", "κόσμε".as_bytes(), &[b'x'; 200]] {
            let text = [before, &bad, b"and more"].concat();
            assert_eq!(code(&frame(0x81, &text)), 1007, "{bad:x?}");
            for cut in before.len()..=before.len() + bad.len() {
                assert_eq!(code(&[frame(0x01, &text[..cut]), frame(0x80, &text[cut..])].concat()), 1007);
            }
        }
    }
}

#[test]
fn text_that_ends_within_a_character() {
    for good in GOOD.map(hex) {
        let text = [b"x", &good[..]].concat();
        for end in (1..text.len()).filter(|&end| std::str::from_utf8(&text[..end]).is_err()) {
            assert_eq!(code(&frame(0x81, &text[..end])), 1007);
            assert_eq!(code(&[frame(0x01, &text[..end]), frame(0x80, b"")].concat()), 1007);
        }
    }
}

/// The failure comes with the byte that makes it sure, not with the end of the character, the frame or the message.
#[test]
fn failing_at_once() {
    for (good, bad) in
        [("ce", "20"), ("e0", "80"), ("ed", "a0"), ("f4", "90"), ("f0", "80"), ("f48f", "20"), ("", "f5")]
    {
        for whole in [true, false] {
            let (good, bad) = (hex(good), hex(bad));
            let mut side = Side::new(&server(whole), None);
            let payload = [b"begin", &good[..], &bad, b"never seen"].concat();
            let stream = frame(0x01, &payload);
            let sure = stream.len() - b"never seen".len();
            side.receive(&stream[..sure - 1]).unwrap();
            assert_eq!(side.receive(&stream[sure - 1..sure]).unwrap_err().code, 1007);
        }
    }
}

#[test]
fn a_split_character_comes_with_the_later_part() {
    let mut side = Side::new(&server(false), None);
    side.receive(&frame(0x01, b"a\xf0\x9f")).unwrap();
    side.receive(&frame(0x00, b"\x98")).unwrap();
    assert_eq!(side.session.buffered(), 3);
    side.receive(&frame(0x80, b"\xb1z")).unwrap();
    let parts = side.heard.iter().map(|one| match one {
        Heard::Part(_, bytes, last) => (String::from_utf8(bytes.clone()).unwrap(), *last),
        other => panic!("{other:?}"),
    });
    assert_eq!(parts.collect::<Vec<_>>(), [("a".into(), false), ("😱".into(), false), ("z".into(), true)]);
    // Binary is given as it is.
    let mut side = Side::new(&server(false), None);
    side.receive(&frame(0x02, b"\xf0\x9f")).unwrap();
    assert_eq!(side.heard, [Heard::Part(Kind::Binary, b"\xf0\x9f".to_vec(), false)]);
}
