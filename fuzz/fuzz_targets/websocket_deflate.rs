#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| c4tls_fuzz::framing::websocket::fuzzing::deflate(data));
