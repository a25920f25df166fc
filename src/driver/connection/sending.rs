//! What a connection's owner sends.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};

use super::{control, Connection, WriteStatus};
use crate::driver::core::Core;
use crate::driver::lock;
use crate::policy::limits;

impl Connection {
    /// Takes a write. `light`: the JavaScript thread has little to do, so it may encrypt and send by itself.
    pub fn write(self: &Arc<Self>, bytes: &[u8], light: bool) -> WriteStatus {
        if self.is_closing() {
            return WriteStatus::Gone;
        }
        match self.put(bytes, light, true) {
            true => WriteStatus::Done,
            false => WriteStatus::Pending,
        }
    }

    /// Queues bytes behind those that wait; gives how many, or `None` when the connection is closing. Not more may wait
    /// in front of the engine than `limit` bytes: what is too much is not taken, with `whole` nothing is. Then
    /// [`crate::driver::Event::Drain`] follows when all that was taken is in the kernel.
    pub fn send(self: &Arc<Self>, bytes: &[u8], limit: usize, whole: bool, light: bool) -> Option<usize> {
        if self.is_closing() {
            return None;
        }
        let room = limit.saturating_sub(lock(&self.outbox).len());
        let fits = match bytes.len() <= room {
            true => bytes.len(),
            false if whole => 0,
            false => room,
        };
        if fits > 0 {
            self.put(&bytes[..fits], light, fits < bytes.len());
        }
        if fits < bytes.len() {
            self.await_drain();
        }
        Some(fits)
    }

    /// [`crate::driver::Event::Drain`] follows when all that was taken is in the kernel, be it now.
    pub fn await_drain(self: &Arc<Self>) {
        lock(&self.outbox).waiting = true;
        self.wake();
    }

    /// Sends a regular file behind what waits; what is sent later goes behind it. [`crate::driver::Event::FileProgress`] tells how
    /// far it is, and [`crate::driver::Event::FileDone`] that it is over, unless the connection ends before. False: the connection
    /// is closing, or a file is on its way already.
    pub fn send_file(self: &Arc<Self>, path: PathBuf) -> bool {
        let taken = !self.is_closing() && lock(&self.outbox).send_file(path);
        self.wake();
        taken
    }

    /// Sends no more of the file: what is encrypted already still leaves. [`crate::driver::Event::FileDone`] follows.
    pub fn interrupt_file(self: &Arc<Self>) {
        if lock(&self.outbox).interrupt_file() {
            self.wake();
        }
    }

    /// Bytes that were taken and are not in the kernel, as they are: clear or encrypted. What was not read yet of a file
    /// does not count. While the task is at work with them there may be more, but never none.
    pub fn pending(&self) -> usize {
        let waiting = lock(&self.outbox).len();
        let mut core = match self.core.try_lock() {
            Ok(core) => core,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Compressing a large message takes long.
            Err(TryLockError::WouldBlock) if waiting > 0 => return waiting,
            Err(TryLockError::WouldBlock) => lock(&self.core),
        };
        core.encrypted() + lock(&self.outbox).len()
    }

    pub(in crate::driver) fn is_closing(&self) -> bool {
        const CLOSING: u8 = control::CLOSE | control::ENDED | control::FINISH;
        self.control.load(Ordering::Acquire) & CLOSING != 0
    }

    /// True when all of it is in the kernel; otherwise [`crate::driver::Event::Drain`] tells, if `tell`.
    fn put(self: &Arc<Self>, bytes: &[u8], light: bool, tell: bool) -> bool {
        if light && bytes.len() <= limits::DIRECT_WRITE {
            if let Ok(mut core) = self.core.try_lock() {
                if let Some(sent) = self.put_through(&mut core, bytes, tell) {
                    return sent;
                }
            }
        }
        self.queue(bytes, tell);
        false
    }

    pub(in crate::driver) fn queue(self: &Arc<Self>, bytes: &[u8], tell: bool) {
        let mut outbox = lock(&self.outbox);
        outbox.push(bytes);
        outbox.waiting |= tell;
        drop(outbox);
        self.wake();
    }

    /// Encrypts and sends on the spot; `None` when something is queued already or TLS is not ready.
    fn put_through(self: &Arc<Self>, core: &mut Core, bytes: &[u8], tell: bool) -> Option<bool> {
        if !core.may_write_through() || !lock(&self.outbox).is_empty() {
            return None;
        }
        self.put_next(core, bytes, tell)
    }

    /// The same where it is known that nothing is in the way.
    pub(in crate::driver) fn put_next(self: &Arc<Self>, core: &mut Core, bytes: &[u8], tell: bool) -> Option<bool> {
        core.touched = true;
        let bytes = core.send_clear(bytes);
        if bytes.is_empty() {
            return Some(true);
        }
        match core.session.as_mut()?.write(bytes) {
            Ok(n) if n == bytes.len() => {}
            Ok(n) => {
                self.queue(&bytes[n..], tell);
                return Some(false);
            }
            Err(error) => {
                core.failure = Some(error);
                self.wake();
                return Some(false);
            }
        }
        if core.send_now() {
            // Here, where it came from: what the task gives back is another thread's.
            if let Some(session) = &mut core.session {
                session.release_buffers();
            }
            return Some(true);
        }
        self.queue(&[], tell);
        Some(false)
    }
}
