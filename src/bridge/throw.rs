//! The core's errors as JavaScript's.

use napi::bindgen_prelude::*;
use napi::{Env, JsValue};
use serde_json::{json, Value};

use crate::error::Error as CoreError;

/// Throws `error` as an `Error` with `code` and, where they exist, `library`, `reason`,
/// `opensslErrorStack`, `syscall` and `errno` (negative, as libuv has it). The value returned is for `?`.
pub(super) fn throw(env: &Env, error: &CoreError) -> Error {
    match build(env, error).and_then(|e| env.throw(e)) {
        Ok(()) => Error::new(Status::PendingException, error.message.clone()),
        Err(e) => e,
    }
}

fn build<'env>(env: &'env Env, error: &CoreError) -> Result<Object<'env>> {
    let made = env.create_error(Error::from_reason(error.message.clone()))?;
    // SAFETY: the value was made in this scope and is an object.
    let mut object = unsafe { Object::from_napi_value(env.raw(), made.raw())? };
    object.set("code", &*error.code)?;
    if let Some(library) = &error.library {
        object.set("library", &**library)?;
    }
    if let Some(reason) = &error.reason {
        object.set("reason", &**reason)?;
    }
    if !error.stack.is_empty() {
        object.set("opensslErrorStack", error.stack.to_vec())?;
    }
    if let Some(syscall) = error.syscall {
        object.set("syscall", syscall)?;
        object.set("errno", -error.errno)?;
    }
    Ok(object)
}

/// The same facts for an error that travels as an event.
pub(super) fn to_json(error: &CoreError) -> Value {
    let mut data = json!({ "code": error.code, "message": error.message });
    let optional =
        [("library", error.library.as_deref()), ("reason", error.reason.as_deref()), ("syscall", error.syscall)];
    for (name, value) in optional {
        if let Some(value) = value {
            data[name] = value.into();
        }
    }
    if !error.stack.is_empty() {
        data["stack"] = error.stack.to_vec().into();
    }
    if error.errno != 0 {
        data["errno"] = (-error.errno).into();
    }
    data
}

/// `?` for the core's results in functions that JavaScript calls.
pub(super) trait OrThrow<T> {
    fn or_throw(self, env: &Env) -> Result<T>;
}

impl<T> OrThrow<T> for crate::error::Result<T> {
    fn or_throw(self, env: &Env) -> Result<T> {
        self.map_err(|e| throw(env, &e))
    }
}
