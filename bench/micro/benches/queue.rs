//! Events into the queue and out again as one batch, up to the point where Node-API takes over.

use std::hint::black_box;
use std::sync::Arc;

use c4tls_micro::bridge::EventQueue;
use c4tls_micro::driver::Connection;
use criterion::{criterion_group, criterion_main, Criterion, Throughput};

/// Connections with an event each in one batch.
const CONNECTIONS: u32 = 64;

fn queue(c: &mut Criterion) {
    let connections: Vec<_> = (1..=CONNECTIONS).map(|id| Arc::new(Connection::new(id))).collect();
    let mut group = c.benchmark_group("queue");
    group.throughput(Throughput::Elements(CONNECTIONS.into()));
    let mut queue = EventQueue::default();
    group.bench_function("no payload", |b| {
        b.iter(|| {
            for connection in &connections {
                queue.plain(connection.id());
            }
            black_box(queue.take())
        })
    });
    // In the slab, and in buffers of their own.
    for (name, size) in [("data/64 B", 64), ("data/1 KiB", 1024), ("data/16 KiB", 16 * 1024)] {
        let data = vec![b'x'; size];
        group.bench_function(name, |b| {
            b.iter(|| {
                for connection in &connections {
                    queue.data(connection, &data);
                }
                black_box(queue.take())
            })
        });
    }
    group.finish();
}

criterion_group!(benches, queue);
criterion_main!(benches);
