//! Session tickets under keys that the program gives for each of them.
//!
//! OpenSSL wants these keys from a callback that has to answer at once, while the program's answer takes its time. So all
//! of it is asked at the ClientHello, where a handshake may park: about the tickets that the client shows, and for the
//! keys of those that it will get. The callback gives what was answered.

use std::ffi::{c_int, c_uchar};
use std::{ptr, slice};

use openssl::rand::rand_bytes;
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::engine::state::State;
use crate::engine::ticket::{self, PART};
use crate::engine::{Question, SessionEvent};
use crate::error::{Error, Result};

/// Name and vector in front of a ticket, which are public: 16 bytes each.
pub type TicketHead = [u8; 2 * PART];

/// What opens one ticket, or makes one.
pub struct TicketKey {
    pub head: TicketHead,
    /// AES-128-CBC encrypts.
    aes: Zeroizing<[u8; PART]>,
    /// HMAC-SHA256 signs.
    hmac: Zeroizing<Vec<u8>>,
}

impl TicketKey {
    /// Name, vector and AES key of 16 bytes each, then the HMAC key of any length.
    /// Errors: `ERR_INVALID_ARG_VALUE` for less.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let short = || Error::new("ERR_INVALID_ARG_VALUE", "A ticket key is too short");
        let (head, keys) = bytes.split_first_chunk().ok_or_else(short)?;
        let (aes, hmac) = keys.split_first_chunk().ok_or_else(short)?;
        Ok(TicketKey { head: *head, aes: Zeroizing::new(*aes), hmac: Zeroizing::new(hmac.to_vec()) })
    }
}

/// The program's answer to [`Question::TicketKeys`].
pub struct TicketAnswer {
    /// The ticket to use among those shown, by its head, and whether the client gets a new one in its place.
    pub opened: Option<(TicketKey, bool)>,
    /// For the tickets to come. When they run out, the last one serves on, with other vectors. Empty: none are made.
    pub made: Vec<TicketKey>,
}

/// What a ClientHello says of tickets.
pub(super) struct TicketOffer {
    pub shown: Vec<TicketHead>,
    pub fresh: usize,
}

/// A session's part, from the question on.
pub(super) struct OwnTickets {
    asked: bool,
    /// `None` once answered: the program has refused.
    answer: Option<TicketAnswer>,
    /// The last of the keys to make tickets was used.
    used_up: bool,
}

impl State {
    /// Server: the ClientHello is in. True: go on; false: parked.
    pub(super) fn ticket_offer(&mut self, offer: impl FnOnce() -> Option<TicketOffer>) -> bool {
        // A renegotiation goes on with the keys of the first handshake.
        if self.own_tickets.is_none() && !self.established && self.context.asks_ticket_keys() {
            if let Some(TicketOffer { shown, fresh }) = offer() {
                self.own_tickets = Some(Box::new(OwnTickets { asked: true, answer: None, used_up: false }));
                self.events.push_back(SessionEvent::Question(Question::TicketKeys { shown, fresh }));
            }
        }
        !self.awaits_ticket_keys()
    }

    pub(super) fn awaits_ticket_keys(&self) -> bool {
        self.own_tickets.as_ref().is_some_and(|tickets| tickets.asked)
    }

    /// The program has answered, and refused.
    pub(super) fn refuses_tickets(&self) -> bool {
        self.own_tickets.as_ref().is_some_and(|tickets| !tickets.asked && tickets.answer.is_none())
    }

    /// Takes the program's answer; `None` ends the handshake.
    pub(super) fn answer_ticket_keys(&mut self, answer: Option<TicketAnswer>) {
        if let Some(tickets) = &mut self.own_tickets {
            tickets.asked = false;
            tickets.answer = answer;
        }
    }
}

impl OwnTickets {
    /// As OpenSSL's callback: 1: go on, 2: and renew the ticket, 0: without a ticket, negative: failure.
    ///
    /// SAFETY: as for [`ticket::keys`].
    pub(super) unsafe fn prepare(
        &mut self,
        name: *mut c_uchar,
        iv: *mut c_uchar,
        cipher: *mut sys::EVP_CIPHER_CTX,
        mac: *mut sys::EVP_MAC_CTX,
        encrypt: bool,
    ) -> c_int {
        let Some(answer) = &mut self.answer else { return -1 };
        // SAFETY: the caller's promise: 16 bytes at either place.
        unsafe {
            if !encrypt {
                let (name, iv) = (slice::from_raw_parts(name, PART), slice::from_raw_parts(iv, PART));
                let shown = |(key, _): &&(TicketKey, bool)| key.head[..PART] == *name && key.head[PART..] == *iv;
                return match answer.opened.as_ref().filter(shown) {
                    Some((key, renew)) => match ticket::load(&key.aes[..], &key.hmac, iv, cipher, mac, false) {
                        true => 1 + c_int::from(*renew),
                        false => -1,
                    },
                    None => 0,
                };
            }
            let Some(key) = answer.made.first_mut() else { return 0 };
            if self.used_up && rand_bytes(&mut key.head[PART..]).is_err() {
                return -1;
            }
            let (new_name, new_iv) = key.head.split_at(PART);
            ptr::copy_nonoverlapping(new_name.as_ptr(), name, PART);
            ptr::copy_nonoverlapping(new_iv.as_ptr(), iv, PART);
            let loaded = ticket::load(&key.aes[..], &key.hmac, new_iv, cipher, mac, true);
            match answer.made.len() {
                1 => self.used_up = true,
                _ => drop(answer.made.remove(0)),
            }
            if loaded {
                1
            } else {
                -1
            }
        }
    }
}
