//! One threadsafe function per environment. It carries nothing: it only makes the JavaScript thread call `onWake`.
//!
//! A threadsafe function that carries data leaks that data when the environment goes, and costs one wake per item.

use std::ptr;
use std::sync::Mutex;

use napi::bindgen_prelude::{check_status, Result};
use napi::sys;

pub(super) struct Wake {
    /// `None` once the environment is going down: nobody calls into it any more.
    function: Mutex<Option<Function>>,
}

#[derive(Clone, Copy)]
struct Function(sys::napi_threadsafe_function);

// SAFETY: Node-API documents napi_call_threadsafe_function as callable from any thread. The pointer is valid until the
// environment's cleanup, whose hook takes it out from under the same lock that every caller holds.
unsafe impl Send for Function {}

impl Wake {
    /// # Safety
    /// `on_wake` must be a function value of `env`, and the caller must be on the thread of `env`.
    pub unsafe fn new(env: sys::napi_env, on_wake: sys::napi_value) -> Result<Self> {
        let mut name = ptr::null_mut();
        let text = c"c4tls";
        check_status!(sys::napi_create_string_utf8(env, text.as_ptr(), text.to_bytes().len() as isize, &mut name))?;
        let mut function = ptr::null_mut();
        check_status!(sys::napi_create_threadsafe_function(
            env,
            on_wake,
            ptr::null_mut(),
            name,
            0,
            1,
            ptr::null_mut(),
            None,
            ptr::null_mut(),
            Some(call_on_wake),
            &mut function,
        ))?;
        // An environment with nothing open must be able to end.
        check_status!(sys::napi_unref_threadsafe_function(env, function))?;
        Ok(Wake { function: Mutex::new(Some(Function(function))) })
    }

    fn with<T>(&self, call: impl FnOnce(sys::napi_threadsafe_function) -> T) -> Option<T> {
        let function = self.function.lock().unwrap_or_else(|e| e.into_inner());
        function.map(|f| call(f.0))
    }

    /// From any thread.
    pub fn call(&self) {
        self.with(|function| {
            // SAFETY: see `Function`. An error means that the environment is closing: nobody is left to be woken.
            unsafe {
                sys::napi_call_threadsafe_function(
                    function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            }
        });
    }

    /// Whether the wake-up keeps the event loop alive. On the environment's thread.
    ///
    /// # Safety
    /// The caller must be on the thread of `env`, the environment given to `new`.
    pub unsafe fn set_alive(&self, env: sys::napi_env, alive: bool) {
        self.with(|function| match alive {
            true => sys::napi_ref_threadsafe_function(env, function),
            false => sys::napi_unref_threadsafe_function(env, function),
        });
    }

    /// The environment goes down.
    pub fn close(&self) {
        self.function.lock().unwrap_or_else(|e| e.into_inner()).take();
    }
}

unsafe extern "C" fn call_on_wake(
    env: sys::napi_env,
    on_wake: sys::napi_value,
    _context: *mut std::ffi::c_void,
    _data: *mut std::ffi::c_void,
) {
    // Null when the environment is being torn down.
    if env.is_null() || on_wake.is_null() {
        return;
    }
    let mut undefined = ptr::null_mut();
    if sys::napi_get_undefined(env, &mut undefined) != sys::Status::napi_ok {
        return;
    }
    let status = sys::napi_call_function(env, undefined, on_wake, 0, ptr::null(), ptr::null_mut());
    if status == sys::Status::napi_pending_exception {
        // What a listener throws belongs to 'uncaughtException', whatever Node's policy for callbacks is.
        let mut thrown = ptr::null_mut();
        if sys::napi_get_and_clear_last_exception(env, &mut thrown) == sys::Status::napi_ok {
            sys::napi_fatal_exception(env, thrown);
        }
    }
}
