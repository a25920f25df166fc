//! Memory for what must not reach the disk.

use std::ops::{Deref, DerefMut};

use region::{Allocation, LockGuard, Protection};
use zeroize::Zeroize;

use crate::error::{Error, Result};

/// Bytes in pages of their own: kept out of swap and core dumps where the system allows it, wiped at the end.
pub(super) struct Locked {
    length: usize,
    // Fields go in this order: the lock must end before its pages do.
    _lock: Option<LockGuard>,
    pages: Allocation,
}

// SAFETY: the pages belong to this value alone, as those of a `Box<[u8]>` would; the pointer in it is their address.
unsafe impl Send for Locked {}
// SAFETY: as above; through a shared reference they are only read.
unsafe impl Sync for Locked {}

impl Locked {
    /// `length` bytes of zero. Errors: `ENOMEM`.
    pub fn zeroed(length: usize) -> Result<Self> {
        let refused = |_| Error::new("ENOMEM", "The system gives no memory for a password");
        let pages = region::alloc(length.max(1), Protection::READ_WRITE).map_err(refused)?;
        // A container's limit of locked memory may be small; a password that can be swapped is better than none.
        let lock = region::lock(pages.as_ptr::<u8>(), pages.len()).ok();
        keep_out_of_dumps(&pages);
        Ok(Locked { length, _lock: lock, pages })
    }
}

#[cfg(target_os = "linux")]
fn keep_out_of_dumps(pages: &Allocation) {
    // SAFETY: advice about pages that are ours alone; it changes none of their bytes.
    unsafe { libc::madvise(pages.as_ptr::<libc::c_void>().cast_mut(), pages.len(), libc::MADV_DONTDUMP) };
}

#[cfg(not(target_os = "linux"))]
fn keep_out_of_dumps(_: &Allocation) {}

impl Deref for Locked {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the pages hold `length` bytes at least, initialised by the system, and live as long as `self`.
        unsafe { std::slice::from_raw_parts(self.pages.as_ptr(), self.length) }
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above; `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_mut_ptr(), self.length) }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zero_at_first_and_writable() {
        for length in [0, 1, 5_000] {
            let mut locked = Locked::zeroed(length).unwrap();
            assert_eq!(&locked[..], vec![0; length]);
            locked.fill(7);
            assert_eq!(&locked[..], vec![7; length]);
        }
    }

    /// Skips where the limit of locked memory is too small to tell.
    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_locked_and_left_out_of_dumps() {
        let locked = Locked::zeroed(32).unwrap();
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let start = format!("{:x}-", locked.as_ptr().addr());
        let flags = maps.lines().skip_while(|line| !line.starts_with(&start)).find(|line| line.starts_with("VmFlags"));
        let flags: Vec<_> = flags.map(|line| line.split(' ').collect()).unwrap_or_default();
        assert!(flags.contains(&"dd"), "{flags:?}");
        assert!(flags.contains(&"lo") || locked._lock.is_none(), "{flags:?}");
    }
}
