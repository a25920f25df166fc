//! Keeps the addon in memory.
//!
//! Node closes an addon's library when the last environment that loaded it ends, a Worker's included. The runtime's
//! threads still run code of it then.

/// Takes a reference to this library that nobody gives back.
#[cfg(unix)]
pub(super) fn pin_library() {
    let here = pin_library as fn();
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `info` has room for the answer, which is all zeros where there is none; the name it holds belongs to the
    // loader and lives as long as the library.
    unsafe {
        if libc::dladdr(here as *const libc::c_void, info.as_mut_ptr()) != 0 {
            let name = info.assume_init().dli_fname;
            if !name.is_null() {
                libc::dlopen(name, libc::RTLD_LAZY | libc::RTLD_NODELETE);
            }
        }
    }
}

/// Takes a reference to this library that nobody gives back.
#[cfg(windows)]
pub(super) fn pin_library() {
    const PIN: u32 = 1;
    const FROM_ADDRESS: u32 = 4;
    extern "system" {
        fn GetModuleHandleExW(
            flags: u32,
            address: *const core::ffi::c_void,
            module: *mut *mut core::ffi::c_void,
        ) -> i32;
    }
    let here = pin_library as fn();
    let mut module = std::ptr::null_mut();
    // SAFETY: with FROM_ADDRESS the second argument is any address inside the module; the third is ours.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, here as *const core::ffi::c_void, &mut module) };
}
