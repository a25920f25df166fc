//! The one call on the path of every message. It does without the conversions, and the ledger of borrowed objects under a
//! global lock, that surround every other call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi::sys;
use napi_derive::napi;

use super::environment::Environment;
use crate::driver::{Connection, WriteStatus};

type Connections = HashMap<u32, (Arc<Connection>, Arc<Environment>)>;

thread_local! {
    /// The connections that JavaScript on this thread has a handle of, by id.
    static WRITABLE: RefCell<Connections> = RefCell::default();
}

/// `write` finds it from now on.
pub(super) fn register(connection: &Arc<Connection>, environment: &Arc<Environment>) {
    let entry = (connection.clone(), environment.clone());
    WRITABLE.with_borrow_mut(|writable| writable.insert(connection.id(), entry));
}

pub(super) fn forget(id: u32) {
    // The thread may be ending, and the table with it.
    let _ = WRITABLE.try_with(|writable| writable.borrow_mut().remove(&id));
}

fn write(id: u32, bytes: &[u8]) -> i32 {
    WRITABLE.with_borrow(|writable| {
        let Some((connection, environment)) = writable.get(&id) else { return -1 };
        match connection.write(bytes, environment.light()) {
            WriteStatus::Done => 0,
            WriteStatus::Pending => 1,
            WriteStatus::Gone => -1,
        }
    })
}

/// `write(id, bytes)`. 0: sent. 1: DRAIN follows. -1: the connection is gone.
///
/// # Safety
/// For Node-API to call, with the arguments it documents.
unsafe extern "C" fn write_from_js(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut count = 2;
    let mut arguments = [ptr::null_mut(); 2];
    let (mut id, mut data, mut length, mut result) = (0, ptr::null_mut(), 0, ptr::null_mut());
    let known = sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), ptr::null_mut())
        == sys::Status::napi_ok
        && sys::napi_get_value_uint32(env, arguments[0], &mut id) == sys::Status::napi_ok
        && sys::napi_get_buffer_info(env, arguments[1], &mut data, &mut length) == sys::Status::napi_ok;
    if !known {
        sys::napi_throw_type_error(env, ptr::null(), c"write(id, bytes) takes a number and a Buffer".as_ptr());
        return result;
    }
    let bytes = match length {
        0 => &[],
        // SAFETY: memory of the Buffer, which the caller's frame keeps; nothing of JavaScript runs before we return.
        _ => std::slice::from_raw_parts(data.cast::<u8>(), length),
    };
    // A panic must not cross into Node. What it left behind is the connection's, which is then gone.
    let status = catch_unwind(AssertUnwindSafe(|| write(id, bytes))).unwrap_or(-1);
    sys::napi_create_int32(env, status, &mut result);
    result
}

#[napi(module_exports)]
pub fn add_write(mut exports: Object) -> Result<()> {
    exports.create_named_method("write", write_from_js)
}
