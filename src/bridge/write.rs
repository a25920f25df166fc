//! The calls on the path of every message. They do without the conversions, and the ledger of borrowed objects under a
//! global lock, that surround every other call.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi::sys;
use napi_derive::napi;
use rustc_hash::FxHashMap;

use super::environment::Environment;
use crate::driver::{broadcast, Connection, Part, Taken, WriteStatus};
use crate::framing::websocket::Kind;

struct Writable {
    connection: Arc<Connection>,
    environment: Arc<Environment>,
    /// The batch of events with which something was last sent directly.
    sent_with: Cell<Option<usize>>,
}

impl Writable {
    /// A burst leaves in few system calls: only the first of a turn goes straight through.
    fn light(&self) -> bool {
        let batch = Some(self.environment.batch());
        self.environment.light() && self.sent_with.replace(batch) != batch
    }
}

thread_local! {
    /// The connections that JavaScript on this thread has a handle of, by id. Ids are ours: nobody can make them collide.
    static WRITABLE: RefCell<FxHashMap<u32, Writable>> = RefCell::default();
}

/// `write` and `send` find it from now on.
pub(super) fn register(connection: &Arc<Connection>, environment: &Arc<Environment>) {
    let entry =
        Writable { connection: connection.clone(), environment: environment.clone(), sent_with: Cell::new(None) };
    WRITABLE.with_borrow_mut(|writable| writable.insert(connection.id(), entry));
}

pub(super) fn forget(id: u32) {
    // The thread may be ending, and the table with it.
    let _ = WRITABLE.try_with(|writable| writable.borrow_mut().remove(&id));
}

fn write(id: u32, bytes: &[u8]) -> i32 {
    WRITABLE.with_borrow(|writable| {
        let Some(Writable { connection, environment, .. }) = writable.get(&id) else { return -1 };
        match connection.write(bytes, environment.light()) {
            WriteStatus::Done => 0,
            WriteStatus::Pending => 1,
            WriteStatus::Gone => -1,
        }
    })
}

fn send(id: u32, bytes: &[u8], limit: usize, whole: bool) -> i64 {
    WRITABLE.with_borrow(|writable| {
        let Some(entry) = writable.get(&id) else { return -1 };
        // Node's buffers have less than 2^53 bytes.
        entry.connection.send(bytes, limit, whole, entry.light()).map_or(-1, |taken| taken as i64)
    })
}

/// What `sendMessage` and `broadcast` are told, as bits of one number.
mod flag {
    pub const LAST: u32 = 1;
    pub const TEXT: u32 = 2;
    pub const AS_IS: u32 = 4;
}

fn part(bytes: &[u8], flags: u32) -> Part<'_> {
    let kind = if flags & flag::TEXT != 0 { Kind::Text } else { Kind::Binary };
    Part { kind, bytes, last: flags & flag::LAST != 0, compress: flags & flag::AS_IS == 0 }
}

const GONE: i64 = -1;
const OUT_OF_PLACE: i64 = -2;

fn send_message(id: u32, part: Part<'_>, limit: usize) -> i64 {
    WRITABLE.with_borrow(|writable| {
        let Some(entry) = writable.get(&id) else { return GONE };
        match entry.connection.send_message(part, limit, entry.light()) {
            Ok(Taken::Whole) => part.bytes.len() as i64,
            Ok(Taken::Full) => 0,
            Ok(Taken::Gone) => GONE,
            Err(_) => OUT_OF_PLACE,
        }
    })
}

/// Sends a WebSocket message to many connections of one server, encoded once; gives how many took it. `flags` and `limit`
/// as for `sendMessage`; it is a whole message.
#[napi(js_name = "broadcast")]
pub fn broadcast_message(ids: &[u32], bytes: &[u8], flags: u32, limit: f64) -> u32 {
    WRITABLE.with_borrow(|writable| {
        let connections = ids.iter().filter_map(|id| writable.get(id)).map(|entry| &entry.connection);
        broadcast(connections, part(bytes, flags), limit as usize) as u32
    })
}

/// The arguments, of which the first two are an id and a Buffer.
///
/// # Safety
/// `info` is that of the running call; the bytes are used before anything of JavaScript runs.
unsafe fn arguments<'a, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> Option<(u32, &'a [u8], [sys::napi_value; N])> {
    let mut count = N;
    let mut arguments = [ptr::null_mut(); N];
    let (mut id, mut data, mut length) = (0, ptr::null_mut(), 0);
    let known = sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), ptr::null_mut())
        == sys::Status::napi_ok
        && sys::napi_get_value_uint32(env, arguments[0], &mut id) == sys::Status::napi_ok
        && sys::napi_get_buffer_info(env, arguments[1], &mut data, &mut length) == sys::Status::napi_ok;
    let bytes = match length {
        0 => &[],
        // SAFETY: memory of the Buffer, which the caller's frame keeps; nothing of JavaScript runs before we return.
        _ => std::slice::from_raw_parts(data.cast::<u8>(), length),
    };
    known.then_some((id, bytes, arguments))
}

/// `write(id, bytes)`. 0: sent. 1: DRAIN follows. -1: the connection is gone.
///
/// # Safety
/// For Node-API to call, with the arguments it documents.
unsafe extern "C" fn write_from_js(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut result = ptr::null_mut();
    let Some((id, bytes, _)) = arguments::<2>(env, info) else {
        sys::napi_throw_type_error(env, ptr::null(), c"write(id, bytes) takes a number and a Buffer".as_ptr());
        return result;
    };
    // A panic must not cross into Node. What it left behind is the connection's, which is then gone.
    let status = catch_unwind(AssertUnwindSafe(|| write(id, bytes))).unwrap_or(-1);
    sys::napi_create_int32(env, status, &mut result);
    result
}

/// `send(id, bytes, limit, whole)`: how many bytes were accepted behind those that wait, which may be `limit` bytes; with
/// `whole` all or none. DRAIN follows when it was not all. -1: the connection is gone.
///
/// # Safety
/// For Node-API to call, with the arguments it documents.
unsafe extern "C" fn send_from_js(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut limit, mut whole, mut result) = (0.0, false, ptr::null_mut());
    let known = arguments::<4>(env, info).filter(|(_, _, arguments)| {
        sys::napi_get_value_double(env, arguments[2], &mut limit) == sys::Status::napi_ok
            && sys::napi_get_value_bool(env, arguments[3], &mut whole) == sys::Status::napi_ok
    });
    let Some((id, bytes, _)) = known else {
        let message = c"send(id, bytes, limit, whole) takes a number, a Buffer, a number and a boolean";
        sys::napi_throw_type_error(env, ptr::null(), message.as_ptr());
        return result;
    };
    let taken = catch_unwind(AssertUnwindSafe(|| send(id, bytes, limit as usize, whole))).unwrap_or(-1);
    sys::napi_create_int64(env, taken, &mut result);
    result
}

/// `sendMessage(id, bytes, flags, limit)`: sends a WebSocket message or a part of one behind those that wait, which may be
/// `limit` bytes; if none waits it may be longer. The number of bytes; 0: nothing was taken, unless there are none, and
/// DRAIN follows. -1: the connection is gone. -2: another message is under way.
///
/// # Safety
/// For Node-API to call, with the arguments it documents.
unsafe extern "C" fn send_message_from_js(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut flags, mut limit, mut result) = (0, 0.0, ptr::null_mut());
    let known = arguments::<4>(env, info).filter(|(_, _, arguments)| {
        sys::napi_get_value_uint32(env, arguments[2], &mut flags) == sys::Status::napi_ok
            && sys::napi_get_value_double(env, arguments[3], &mut limit) == sys::Status::napi_ok
    });
    let Some((id, bytes, _)) = known else {
        let message = c"sendMessage(id, bytes, flags, limit) takes a number, a Buffer and two numbers";
        sys::napi_throw_type_error(env, ptr::null(), message.as_ptr());
        return result;
    };
    let taken = catch_unwind(AssertUnwindSafe(|| send_message(id, part(bytes, flags), limit as usize)));
    sys::napi_create_int64(env, taken.unwrap_or(GONE), &mut result);
    result
}

#[napi(module_exports)]
pub fn add_calls(mut exports: Object) -> Result<()> {
    exports.create_named_method("write", write_from_js)?;
    exports.create_named_method("send", send_from_js)?;
    exports.create_named_method("sendMessage", send_message_from_js)
}
