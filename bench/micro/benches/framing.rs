//! Bytes into the framer and messages out of it, a read of the driver's at a time.

use std::hint::black_box;

use c4tls_micro::framing::{Framer, Framing, Overflow};
use c4tls_micro::policy::limits::READ_CHUNK;
use criterion::{criterion_group, criterion_main, Criterion, Throughput};

const MIB: usize = 1 << 20;

fn crlf() -> Framing {
    Framing::delimiter(b"\r\n", true, MIB, Overflow::Fail).expect("a delimiter")
}

/// 1 MiB in pieces of `piece` bytes.
fn measure(c: &mut Criterion, name: &str, framing: Framing, stream: &[u8], piece: usize) {
    let mut group = c.benchmark_group("framing");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            let mut framer = Framer::new(framing.clone());
            for bytes in stream.chunks(piece) {
                framer
                    .push(bytes, &mut |message| {
                        black_box(message);
                    })
                    .expect("messages of sense");
            }
            framer.finish(&mut |message| {
                black_box(message);
            });
        })
    });
    group.finish();
}

fn framing(c: &mut Criterion) {
    for (name, size) in [("64 B", 64), ("1 KiB", 1024)] {
        let mut message = vec![b'x'; size - 2];
        message.extend_from_slice(b"\r\n");
        let stream: Vec<u8> = message.iter().copied().cycle().take(MIB).collect();
        let record = Framing::record(size).expect("a record");
        for (kind, framing) in [("delimiter", crlf()), ("lines", Framing::lines(MIB, false)), ("record", record)] {
            measure(c, &format!("{kind}/{name}"), framing, &stream, READ_CHUNK);
        }
        measure(c, &format!("delimiter/{name} straddling"), crlf(), &stream, size - 7);
    }
    let mut delimiter = vec![b'a'; 16];
    let stream = vec![b'a'; MIB];
    delimiter.push(b'b');
    let near = Framing::delimiter(&delimiter, true, 2 * MIB, Overflow::Fail).expect("a delimiter");
    measure(c, "near matches", near, &stream, READ_CHUNK);
}

criterion_group!(benches, framing);
criterion_main!(benches);
