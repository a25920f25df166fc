//! What OpenSSL leaves behind of a password or a key: it frees some copies as they are, and its readers keep others on
//! the stack.

use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use zeroize::Zeroize;

/// More than OpenSSL's readers of keys need, less than what V8 leaves of a worker's stack.
const STACK: usize = 64 * 1024;

/// How many callers of [`wiped`] are at work. While there are any, all threads wipe what they free.
static WIPING: AtomicUsize = AtomicUsize::new(0);

type Malloc = unsafe extern "C" fn(usize, *const c_char, c_int) -> *mut c_void;
type Realloc = unsafe extern "C" fn(*mut c_void, usize, *const c_char, c_int) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void, *const c_char, c_int);

extern "C" {
    fn CRYPTO_set_mem_functions(malloc: Malloc, realloc: Realloc, free: Free) -> c_int;
}

/// Gives OpenSSL the allocator below. Must come before its first allocation; later it changes nothing.
pub(super) fn install() {
    // SAFETY: the three functions keep to the contract of malloc, realloc and free, and last as long as the library.
    unsafe { CRYPTO_set_mem_functions(malloc, realloc, free) };
}

/// Runs `work`, which handles secrets, and wipes what OpenSSL frees meanwhile and what stays on the stack.
pub(in crate::credentials) fn wiped<T>(work: impl FnOnce() -> T) -> T {
    struct Turn;
    impl Drop for Turn {
        fn drop(&mut self) {
            WIPING.fetch_sub(1, Ordering::Relaxed);
            wipe_stack();
        }
    }
    WIPING.fetch_add(1, Ordering::Relaxed);
    let _turn = Turn;
    apart(work)
}

/// A frame of its own, below the one that [`wipe_stack`] is called from.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn wipe_stack() {
    let mut stack = MaybeUninit::<[u8; STACK]>::uninit();
    // Writes that the compiler does not take away.
    stack.zeroize();
}

unsafe extern "C" fn malloc(size: usize, _: *const c_char, _: c_int) -> *mut c_void {
    // SAFETY: no pointer is handed in.
    if size == 0 {
        ptr::null_mut()
    } else {
        unsafe { libc::malloc(size) }
    }
}

unsafe extern "C" fn realloc(old: *mut c_void, size: usize, file: *const c_char, line: c_int) -> *mut c_void {
    // SAFETY: `old` is null or came from the functions here, and OpenSSL does not use it after success.
    unsafe {
        if old.is_null() {
            return malloc(size, file, line);
        }
        if size == 0 {
            free(old, file, line);
            return ptr::null_mut();
        }
        if WIPING.load(Ordering::Relaxed) == 0 {
            return libc::realloc(old, size);
        }
        let new = libc::malloc(size);
        if !new.is_null() {
            ptr::copy_nonoverlapping(old.cast::<u8>(), new.cast::<u8>(), usable_size(old).min(size));
            free(old, file, line);
        }
        new
    }
}

unsafe extern "C" fn free(memory: *mut c_void, _: *const c_char, _: c_int) {
    // SAFETY: `memory` is null or came from the functions here, and nobody uses it any more.
    unsafe {
        if WIPING.load(Ordering::Relaxed) != 0 && !memory.is_null() {
            std::slice::from_raw_parts_mut(memory.cast::<MaybeUninit<u8>>(), usable_size(memory)).zeroize();
        }
        libc::free(memory);
    }
}

/// Bytes that may be written at `memory`, which came from malloc.
unsafe fn usable_size(memory: *mut c_void) -> usize {
    #[cfg(target_vendor = "apple")]
    use libc::malloc_size as size;
    #[cfg(not(any(target_vendor = "apple", windows)))]
    use libc::malloc_usable_size as size;
    #[cfg(windows)]
    extern "C" {
        #[link_name = "_msize"]
        fn size(memory: *mut c_void) -> usize;
    }
    // SAFETY: the caller's promise.
    unsafe { size(memory) }
}

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" {
        fn CRYPTO_malloc(size: usize, file: *const c_char, line: c_int) -> *mut c_void;
        fn CRYPTO_realloc(memory: *mut c_void, size: usize, file: *const c_char, line: c_int) -> *mut c_void;
        fn CRYPTO_free(memory: *mut c_void, file: *const c_char, line: c_int);
    }

    #[test]
    fn openssl_allocates_and_frees_here_wiping_or_not() {
        crate::credentials::start_openssl();
        let round = || {
            // SAFETY: memory of OpenSSL's, used within its size and freed once.
            unsafe {
                assert!(CRYPTO_malloc(0, c"".as_ptr(), 0).is_null());
                let mut memory = CRYPTO_realloc(ptr::null_mut(), 3, c"".as_ptr(), 0).cast::<u8>();
                memory.copy_from(b"abc".as_ptr(), 3);
                for size in [4, 100_000, 3] {
                    memory = CRYPTO_realloc(memory.cast(), size, c"".as_ptr(), 0).cast();
                    assert_eq!(std::slice::from_raw_parts(memory, 3), b"abc");
                }
                CRYPTO_free(memory.cast(), c"".as_ptr(), 0);
                CRYPTO_free(ptr::null_mut(), c"".as_ptr(), 0);
                let memory = CRYPTO_malloc(8, c"".as_ptr(), 0);
                assert!(CRYPTO_realloc(memory, 0, c"".as_ptr(), 0).is_null());
            }
        };
        round();
        wiped(round);
        assert!(std::panic::catch_unwind(|| wiped(|| panic!("as a test"))).is_err());
    }

    /// Through the file system, because no pointer may look there any more.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_stack_is_wiped_behind_the_work() {
        use std::hint::black_box;
        use std::os::unix::fs::FileExt;

        const MARK: [u8; 16] = *b"left on a stack!";
        let left = |run: fn(&mut dyn FnMut())| {
            let mut place = 0;
            run(&mut || {
                let secret = black_box([MARK; 1024]);
                place = black_box(&secret).as_ptr().addr();
            });
            let mut found = vec![0; 1024 * MARK.len()];
            let memory = std::fs::File::open("/proc/self/mem").unwrap();
            memory.read_exact_at(&mut found, place as u64).unwrap();
            found.chunks(MARK.len()).filter(|&chunk| chunk == MARK).count()
        };
        assert!(left(|work| apart(work)) > 500);
        assert_eq!(left(|work| wiped(work)), 0);
    }
}
