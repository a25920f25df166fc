//! zlib as permessage-deflate needs it (RFC 7692, 7.2): raw, flushed at the end of each message, without the four bytes
//! that every flush ends with.

use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush, Status};

use super::frame::Failure;
use super::negotiate::Direction;
use super::pool::{self, Profile};

/// What a flush ends with and a sender takes away.
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Reads compressed messages. Holds an inflater from the first one on, or, without context takeover, during each.
pub(super) struct Inflater {
    takeover: bool,
    inflate: Option<Inflate>,
    /// A final block has ended: what follows starts anew.
    ended: bool,
}

/// What one step came to.
pub(super) struct Step {
    /// Bytes of the input used.
    pub used: usize,
    /// The room for output was filled: more may come without further input.
    pub full: bool,
}

impl Inflater {
    pub(super) fn new(direction: Direction) -> Self {
        Inflater { takeover: direction.takeover, inflate: None, ended: false }
    }

    /// Appends to `output` at most `room` bytes (at least 1) of what `input` inflates to.
    pub(super) fn step(&mut self, input: &[u8], output: &mut Vec<u8>, room: usize) -> Result<Step, Failure> {
        let inflate = self.inflate.get_or_insert_with(pool::take_inflater);
        if self.ended && !input.is_empty() {
            // Its sender ended a stream, as zlib's Z_FINISH does, and began another, which knows nothing of the first.
            inflate.reset(false);
            self.ended = false;
        }
        output.reserve(room);
        let spare = &mut output.spare_capacity_mut()[..room];
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate
            .decompress_uninit(input, spare, InflateFlush::SyncFlush)
            .map_err(|_| Failure::payload("invalid compressed data"))?;
        self.ended |= status == Status::StreamEnd;
        let used = (inflate.total_in() - read) as usize;
        let written = (inflate.total_out() - written) as usize;
        // SAFETY: the inflater has written so many bytes into the spare capacity.
        unsafe { output.set_len(output.len() + written) };
        Ok(Step { used, full: written == room && !self.ended })
    }

    /// Whether the message ended with a final block, which has no tail.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn end_message(&mut self) {
        if !self.takeover || self.ended {
            if let Some(inflate) = self.inflate.take() {
                pool::give_inflater(inflate);
            }
            self.ended = false;
        }
    }
}

/// Compresses messages. Holds a deflater from the first one on, or, without context takeover, during each.
pub(super) struct Deflater {
    direction: Direction,
    profile: Profile,
    deflate: Option<Deflate>,
}

impl Deflater {
    /// `level`: 1 to 9.
    pub(super) fn new(direction: Direction, level: u8) -> Self {
        let profile = Profile { window_bits: direction.window_bits, level };
        Deflater { direction, profile, deflate: None }
    }

    /// For messages that do not depend on earlier ones.
    pub(super) fn independently(profile: Profile) -> Self {
        let direction = Direction { takeover: false, window_bits: profile.window_bits };
        Deflater { direction, profile, deflate: None }
    }

    /// Where messages do not depend on earlier ones: what they depend on.
    pub(super) fn independent(&self) -> Option<Profile> {
        (!self.direction.takeover).then_some(self.profile)
    }

    /// Appends `part` of a message, compressed, to `output`, without the tail when it is the message's `last`.
    pub(super) fn part(&mut self, part: &[u8], last: bool, output: &mut Vec<u8>) {
        let deflate = self.deflate.get_or_insert_with(|| pool::take_deflater(self.profile));
        compress(deflate, part, output);
        if last {
            if output.ends_with(&TAIL) {
                output.truncate(output.len() - TAIL.len());
            }
            if output.is_empty() {
                // Nothing to add: an empty block, of which the receiver adds the other four bytes.
                output.push(0);
            }
            if !self.direction.takeover {
                if let Some(deflate) = self.deflate.take() {
                    pool::give_deflater(self.profile, deflate);
                }
            }
        }
    }
}

fn compress(deflate: &mut Deflate, mut input: &[u8], output: &mut Vec<u8>) {
    loop {
        // More than six bytes, or zlib may flush twice; mostly enough at once.
        let room = input.len() + input.len() / 256 + 64;
        output.reserve(room);
        let spare = &mut output.spare_capacity_mut()[..room];
        let (read, written) = (deflate.total_in(), deflate.total_out());
        // Errors are of arguments out of range only, and there are none.
        let status = deflate.compress_uninit(input, spare, DeflateFlush::SyncFlush);
        let written = (deflate.total_out() - written) as usize;
        input = &input[(deflate.total_in() - read) as usize..];
        // SAFETY: the deflater has written so many bytes into the spare capacity.
        unsafe { output.set_len(output.len() + written) };
        if written < room || status.is_err() {
            return;
        }
    }
}
