//! What a thread keeps for reuse, so that an idle connection holds none of it.

use std::cell::RefCell;

/// Empty buffers kept, and bytes of each at most.
const BUFFERS: usize = 4;
const BUFFER_CAPACITY: usize = 128 * 1024;
/// Inflaters kept, 46 KiB each. A thread works on one message at a time; the others are of messages under way.
const INFLATERS: usize = 8;
/// Deflaters kept, 370 KiB each.
const DEFLATERS: usize = 2;

#[derive(Default)]
struct Pool {
    buffers: Vec<Vec<u8>>,
    inflaters: Vec<zlib_rs::Inflate>,
    deflaters: Vec<(Profile, zlib_rs::Deflate)>,
}

/// What deflaters differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    /// 9 to 15.
    pub window_bits: u8,
    /// 1 to 9.
    pub level: u8,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

pub(super) fn take_buffer() -> Vec<u8> {
    POOL.with_borrow_mut(|pool| pool.buffers.pop()).unwrap_or_default()
}

pub(super) fn give_buffer(mut buffer: Vec<u8>) {
    if (1..=BUFFER_CAPACITY).contains(&buffer.capacity()) {
        buffer.clear();
        POOL.with_borrow_mut(|pool| {
            if pool.buffers.len() < BUFFERS {
                pool.buffers.push(buffer);
            }
        });
    }
}

/// One without history. It reads every window up to 32 KiB, whatever was agreed.
pub(super) fn take_inflater() -> zlib_rs::Inflate {
    let inflater = POOL.with_borrow_mut(|pool| pool.inflaters.pop());
    inflater.unwrap_or_else(|| zlib_rs::Inflate::new(false, 15))
}

pub(super) fn give_inflater(mut inflater: zlib_rs::Inflate) {
    inflater.reset(false);
    POOL.with_borrow_mut(|pool| {
        if pool.inflaters.len() < INFLATERS {
            pool.inflaters.push(inflater);
        }
    });
}

/// One without history.
pub(super) fn take_deflater(profile: Profile) -> zlib_rs::Deflate {
    let found = POOL.with_borrow_mut(|pool| {
        let at = pool.deflaters.iter().position(|(other, _)| *other == profile)?;
        Some(pool.deflaters.swap_remove(at).1)
    });
    found.unwrap_or_else(|| zlib_rs::Deflate::new(profile.level.into(), false, profile.window_bits))
}

pub(super) fn give_deflater(profile: Profile, mut deflater: zlib_rs::Deflate) {
    deflater.reset();
    POOL.with_borrow_mut(|pool| {
        if pool.deflaters.len() == DEFLATERS {
            // The one that waited longest: profiles that are no longer used make room.
            pool.deflaters.remove(0);
        }
        pool.deflaters.push((profile, deflater));
    });
}
