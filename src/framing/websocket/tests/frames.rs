//! Single frames: lengths, masks, reserved bits, opcodes, control frames (Autobahn's sections 1 to 4).

use super::*;

#[test]
fn the_examples_of_the_rfc() {
    // RFC 6455, 5.7: a masked text, a ping and its pong.
    let (heard, replies, _) = everywhere(None, &hex("818537fa213d7f9f4d5158 898537fa213d7f9f4d5158"));
    assert_eq!(heard, [Heard::Part(Kind::Text, b"Hello".to_vec(), true), Heard::Ping(b"Hello".to_vec())]);
    assert_eq!(replies, hex("8a0548656c6c6f"));
    let mut client = Side::new(&Config::new(Role::Client), None);
    client.receive(&hex("810548656c6c6f 010348656c 80026c6f")).unwrap();
    assert_eq!(client.messages(), [text(b"Hello"), text(b"Hello")]);
}

#[test]
fn payloads_of_every_form_of_length() {
    for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536] {
        for (first, kind) in [(0x81, Kind::Text), (0x82, Kind::Binary)] {
            let payload = vec![b'*'; length];
            let (heard, _, failure) = everywhere(None, &frame(first, &payload));
            assert_eq!(failure, None);
            assert_eq!(messages(&heard), [(kind, payload)]);
        }
    }
}

#[test]
fn a_message_in_one_piece_is_one_event_however_large() {
    let mut side = Side::new(&server(false), None);
    side.receive(&[frame(0x82, &[7; 70_000]), frame(0x81, b""), frame(0x81, b"x")].concat()).unwrap();
    assert_eq!(
        side.heard,
        [
            Heard::Part(Kind::Binary, vec![7; 70_000], true),
            Heard::Part(Kind::Text, Vec::new(), true),
            Heard::Part(Kind::Text, b"x".to_vec(), true)
        ]
    );
}

#[test]
fn parts_come_as_they_arrive() {
    let mut side = Side::new(&server(false), None);
    let stream = frame(0x82, b"abcdef");
    side.receive(&stream[..8]).unwrap();
    assert_eq!(side.heard, [Heard::Part(Kind::Binary, b"ab".to_vec(), false)]);
    side.receive(&stream[8..11]).unwrap();
    side.receive(&stream[11..]).unwrap();
    assert_eq!(
        side.heard[1..],
        [Heard::Part(Kind::Binary, b"cde".to_vec(), false), Heard::Part(Kind::Binary, b"f".to_vec(), true)]
    );
}

#[test]
fn the_first_part_is_marked() {
    let mut decoder = Decoder::new(&server(false), None);
    let mut seen = Vec::new();
    // An empty first fragment is no part.
    let mut stream =
        [frame(0x01, b""), frame(0x00, b"a"), frame(0x00, b""), frame(0x80, b""), frame(0x81, b"")].concat();
    decoder
        .push(&mut stream, &Instant::now, &mut |event| {
            if let Event::Data(data) = event {
                seen.push((data.first, data.last, data.bytes.to_vec()));
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, [(true, false, b"a".to_vec()), (false, true, Vec::new()), (true, true, Vec::new())]);
}

#[test]
fn lengths_must_be_in_their_shortest_form() {
    for stream in [
        "82fe 007d 00000000",
        "82fe 0000 00000000",
        "82ff 000000000000ffff 00000000",
        "82ff 8000000000000000 00000000",
        "82ff ffffffffffffffff 00000000",
    ] {
        assert_eq!(code(&hex(stream)), 1002, "{stream}");
    }
}

#[test]
fn masks_are_the_clients_duty() {
    assert_eq!(code(&hex("8105 48656c6c6f")), 1002);
    let mut client = Side::new(&Config::new(Role::Client), None);
    assert_eq!(client.receive(&frame(0x81, b"x")).unwrap_err().code, 1002);
}

#[test]
fn masks_of_every_alignment() {
    let payload: Vec<u8> = (0..100u8).collect();
    for length in 0..payload.len() {
        for cut in 0..=length {
            let mut side = Side::new(&server(true), None);
            let stream = frame(0x82, &payload[..length]);
            side.receive(&stream[..6 + cut]).unwrap();
            side.receive(&stream[6 + cut..]).unwrap();
            assert_eq!(side.messages(), [binary(&payload[..length])]);
        }
    }
}

#[test]
fn reserved_bits_and_opcodes() {
    for bits in 1..8 {
        for opcode in [1, 2, 8, 9, 10] {
            assert_eq!(code(&frame(0x80 | bits << 4 | opcode, b"x")), 1002);
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert_eq!(code(&[frame(0x81, b"before"), frame(0x80 | opcode, b"")].concat()), 1002);
        // The first byte is enough.
        let mut side = Side::new(&server(true), None);
        assert_eq!(side.receive(&[0x80 | opcode]).unwrap_err().code, 1002);
    }
}

#[test]
fn control_frames_have_at_most_125_bytes_and_are_whole() {
    let (heard, replies, failure) = everywhere(None, &frame(0x89, &[0xfe; 125]));
    assert_eq!((heard, failure), (vec![Heard::Ping(vec![0xfe; 125])], None));
    assert_eq!(replies, [&[0x8a, 125][..], &[0xfe; 125]].concat());
    for opcode in [8, 9, 10] {
        assert_eq!(code(&frame(0x80 | opcode, &[0; 126])), 1002);
        assert_eq!(code(&frame(opcode, b"")), 1002);
    }
}

#[test]
fn pings_are_answered_in_order_and_pongs_are_not() {
    let pings: Vec<_> = (0..10).map(|n| frame(0x89, &[n])).collect();
    let (_, replies, _) = everywhere(None, &[pings.concat(), frame(0x8a, b"unasked")].concat());
    assert_eq!(replies, (0..10).flat_map(|n| [0x8a, 1, n]).collect::<Vec<_>>());
}

#[test]
fn a_pause_stops_behind_its_event_and_leaves_the_rest_as_it_was() {
    let mut decoder = Decoder::new(&server(false), None);
    let stream = [frame(0x82, b"one"), frame(0x89, b"two"), frame(0x82, b"three")].concat();
    let mut bytes = stream.clone();
    let (mut rest, mut heard) = (&mut bytes[..], Vec::new());
    for expected in [9, 9, 11] {
        let used = decoder.push(rest, &Instant::now, &mut |event| {
            heard.push(Heard::from(event));
            ControlFlow::Break(())
        });
        assert_eq!(used, Ok(expected));
        rest = &mut rest[expected..];
        assert_eq!(rest, &stream[stream.len() - rest.len()..]);
    }
    assert_eq!(heard.len(), 3);
    assert!(!decoder.is_held());
}
