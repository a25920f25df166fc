//! Parts of messages whose end does not come, where they are given after a while.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::inbound::Outlet;
use super::Task;

pub(super) struct Quiet {
    limit: Duration,
    /// The framer's, when something came last.
    pushes: u32,
    /// Until when the part that is held may wait.
    end: Option<Instant>,
    /// One timer, armed again only when it fires.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Quiet {
    pub fn new(limit: Duration) -> Self {
        Quiet { limit, pushes: 0, end: None, timer: None }
    }

    /// The task goes to another shard: a timer belongs to the runtime where it was made.
    pub fn leave_runtime(&mut self) {
        self.timer = None;
    }
}

impl Task {
    /// Gives the part of a message that is held, when nothing has come for too long.
    pub(super) fn tell_quiet(&mut self, cx: &mut Context<'_>) {
        let (Some(quiet), Outlet::Messages(framer)) = (&mut self.quiet, &self.outlet) else { return };
        if !framer.is_waiting() {
            quiet.end = None;
            return;
        }
        if quiet.end.is_none() || quiet.pushes != framer.pushes() {
            quiet.pushes = framer.pushes();
            quiet.end = Some(Instant::now() + quiet.limit);
        }
        let Some(end) = quiet.end else { return };
        let timer = quiet.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= end {
                quiet.timer = None;
                quiet.end = None;
                self.tell_rest();
                return;
            }
            timer.as_mut().reset(end);
        }
    }
}
