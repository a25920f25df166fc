//! WebSocket framing alone: a server's decoding and encoding, MiB/s of payload.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use c4tls_micro::framing::websocket::{Agreed, Config, DeflateOptions, Direction, Kind, Role, Session};
use criterion::{criterion_group, criterion_main, BatchSize, BenchmarkId, Criterion, Throughput};

/// Bytes of a message.
const SIZES: [(&str, usize); 3] = [("16 B", 16), ("1 KiB", 1024), ("64 KiB", 64 * 1024)];
/// Payload of one measurement: as much as one read brings.
const TOTAL: usize = 64 * 1024;

fn config(role: Role, whole: bool, level: u8) -> Config {
    Config { whole, deflate: DeflateOptions { level, ..Default::default() }, ..Config::new(role) }
}

/// Readings of a sensor, as JSON.
fn text(size: usize) -> Vec<u8> {
    let mut text = String::new();
    for n in 0u32.. {
        if text.len() >= size {
            break;
        }
        let value = n.wrapping_mul(2_654_435_761) >> 8;
        text.push_str(&format!("{{\"id\":{n},\"room\":\"kitchen\",\"temperature\":{}.{}}},", value % 40, value % 97));
    }
    text.into_bytes()[..size].to_vec()
}

fn agreed() -> Option<Agreed> {
    let alone = Direction { takeover: false, window_bits: 15 };
    Some(Agreed { server: alone, client: alone })
}

/// What a client sends: `TOTAL` bytes in messages of `size`.
fn traffic(kind: Kind, size: usize, deflate: Option<Agreed>) -> Vec<u8> {
    let mut client = Session::new(&config(Role::Client, false, 6), deflate);
    let (mut out, payload) = (Vec::new(), text(size));
    for _ in 0..TOTAL / size {
        client.message(kind, &payload, &mut out).expect("an open session");
    }
    out
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("websocket/decode");
    group.throughput(Throughput::Bytes(TOTAL as u64));
    for (name, kind, deflate) in
        [("binary", Kind::Binary, None), ("text", Kind::Text, None), ("compressed", Kind::Text, agreed())]
    {
        for (label, size) in SIZES {
            let wire = traffic(kind, size, deflate);
            for (mode, whole) in [("whole", true), ("parts", false)] {
                let mut server = Session::new(&config(Role::Server, whole, 6), deflate);
                let (mut replies, now) = (Vec::new(), Instant::now());
                group.bench_function(BenchmarkId::new(format!("{name}/{mode}"), label), |b| {
                    b.iter_batched_ref(
                        || wire.clone(),
                        |bytes| {
                            server.receive(bytes, &|| now, &mut replies, &mut |event| {
                                black_box(&event);
                                ControlFlow::Continue(())
                            })
                        },
                        BatchSize::LargeInput,
                    )
                });
            }
        }
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("websocket/encode");
    group.throughput(Throughput::Bytes(TOTAL as u64));
    for (label, size) in SIZES {
        let payload = text(size);
        let mut run = |name: &str, deflate, level| {
            let mut server = Session::new(&config(Role::Server, false, level), deflate);
            let mut out = Vec::new();
            group.bench_function(BenchmarkId::new(name, label), |b| {
                b.iter(|| {
                    out.clear();
                    for _ in 0..TOTAL / size {
                        _ = black_box(server.message(Kind::Text, &payload, &mut out));
                    }
                    out.len()
                })
            });
        };
        run("plain", None, 1);
        if size >= 1024 {
            run("compressed, level 1", agreed(), 1);
            run("compressed, level 6", agreed(), 6);
        }
    }
    group.finish();
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
