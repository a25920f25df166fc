//! [`TlsSession`] over OpenSSL.

use std::ffi::{c_int, CString};
use std::time::Instant;

use foreign_types_shared::ForeignType;
use openssl::ssl::SslSession;
use openssl_sys as sys;

use crate::engine::psk::{self, Psk};
use crate::engine::record::{self, Established, Progress, Suite};
use crate::engine::state::{Stage, State};
use crate::engine::{
    apply, bio, callbacks, failure, ffi, info, trace, Answer, Cipher, Context, EphemeralKey, Handshake, Hooks,
    KeyExchange, Question, Read, Role, SessionConfig, SessionEvent, TlsSession, Verify,
};
use crate::error::{Error, Result};

/// What encryption adds to a record at most: header, explicit nonce, MAC, padding.
const RECORD_OVERHEAD: usize = 96;
/// Clear bytes in a record, RFC 8446, 5.1.
const MAX_FRAGMENT: usize = 16 * 1024;
/// RFC 6066 and DNS: a host name's length in octets.
const MAX_SERVERNAME: usize = 255;
/// A record with an alert in TLS 1.3: header, level and description, type, tag. Too short for a KeyUpdate.
const MAY_BE_ALERT: usize = 5 + 2 + 1 + 16;

/// One connection's `SSL` and what its callbacks work on.
pub(super) struct Session {
    /// Ours alone; freed before `state`.
    ssl: *mut sys::SSL,
    /// From `Box::into_raw`: OpenSSL knows the address. No reference to it is held across a call of OpenSSL that may
    /// call back or move bytes.
    state: *mut State,
    /// What ended the session.
    failed: Option<Error>,
    /// Records under the application's key that are out or in the output. Counted as long as `countable`.
    sent: u64,
    /// The same for those that were read.
    received: u64,
    /// No more was read than what [`MAY_BE_ALERT`] tells.
    countable: bool,
    /// Bytes; as set by the owner.
    max_fragment: usize,
    /// The owner has consented to this client, and the handshake has not gone on yet.
    consented: bool,
}

// SAFETY: nobody else has `ssl` or `state`; both may be used on any thread, by one at a time, which `&mut self` sees to
// (the methods that take `&self` only read, and `Session` is not `Sync`). OpenSSL's per-thread error queue is read in the
// same call that filled it.
unsafe impl Send for Session {}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: both are ours, and freed once; the BIOs, which point into `state`, go with `ssl`.
        unsafe {
            sys::SSL_free(self.ssl);
            drop(Box::from_raw(self.state));
        }
    }
}

impl Session {
    pub(super) fn new(context: Context, config: SessionConfig) -> Result<Self> {
        failure::clear();
        let ssl = context.new_ssl()?;
        let SessionConfig { role, verify, hooks, request_ocsp, .. } = config;
        let resume = config.session.clone();
        let hint = config.psk_identity_hint.clone();
        let client = (role == Role::Client).then(|| (config.servername.clone(), config.alpn.clone()));
        let state = Box::into_raw(Box::new(State::new(context, config, Instant::now())));
        let mut session = Session {
            ssl,
            state,
            failed: None,
            sent: 0,
            received: 0,
            countable: true,
            max_fragment: MAX_FRAGMENT,
            consented: false,
        };
        // SAFETY: `ssl` is live and fresh, `state` outlives it.
        unsafe {
            callbacks::attach(ssl, state)?;
            bio::attach(ssl, &raw mut (*state).bytes)?;
            apply::set_verify(ssl, role == Role::Server, verify);
        }
        if hooks.psk {
            // SAFETY: `ssl` is live and fresh.
            session.state_mut().psk = Some(unsafe { Psk::install(ssl, role, hint.as_deref())? });
        }
        match client {
            // SAFETY: `ssl` is live.
            None => unsafe { sys::SSL_set_accept_state(ssl) },
            Some((servername, alpn)) => session.prepare_client(servername, &alpn, resume, request_ocsp)?,
        }
        session.trace(hooks.trace || hooks.records);
        Ok(session)
    }

    fn prepare_client(
        &mut self,
        servername: Option<String>,
        alpn: &[u8],
        resume: Option<Vec<u8>>,
        request_ocsp: bool,
    ) -> Result<()> {
        // SAFETY: `ssl` is live; OpenSSL copies every argument or takes a reference to it.
        unsafe {
            sys::SSL_set_connect_state(self.ssl);
            if let Some(name) = servername.filter(|name| !name.is_empty()) {
                let invalid = || Error::new("ERR_INVALID_ARG_VALUE", "The server name is not a valid host name");
                if name.len() > MAX_SERVERNAME {
                    return Err(invalid());
                }
                let name = CString::new(name).map_err(|_| invalid())?;
                let (command, kind) = (sys::SSL_CTRL_SET_TLSEXT_HOSTNAME, ffi::TLSEXT_NAMETYPE_HOST_NAME);
                if sys::SSL_ctrl(self.ssl, command, kind, name.as_ptr().cast_mut().cast()) != 1 {
                    return Err(Error::take_openssl("SSL_set_tlsext_host_name"));
                }
            }
            if !alpn.is_empty() {
                let length = alpn.len().try_into().unwrap_or(0);
                // 0 is success here.
                if sys::SSL_set_alpn_protos(self.ssl, alpn.as_ptr(), length) != 0 {
                    failure::clear();
                    return Err(Error::new("ERR_INVALID_ARG_VALUE", "The ALPN protocols are not in wire form"));
                }
            }
            // As in Node, a session that cannot be read makes a full handshake.
            if let Some(session) = resume.and_then(|der| SslSession::from_der(&der).ok()) {
                if sys::SSL_set_session(self.ssl, session.as_ptr()) != 1 {
                    return Err(Error::take_openssl("SSL_set_session error"));
                }
            }
            if request_ocsp {
                let command = sys::SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE;
                sys::SSL_ctrl(self.ssl, command, ffi::TLSEXT_STATUSTYPE_OCSP, std::ptr::null_mut());
            }
            if psk::speaks_tls13(self.ssl) {
                self.state_mut().ask_before_hello();
            }
        }
        Ok(())
    }

    fn trace(&mut self, on: bool) {
        if on {
            // SAFETY: `ssl` is live, the function lives for ever.
            unsafe { ffi::SSL_set_msg_callback(self.ssl, Some(trace::message)) }
        }
    }

    fn state(&self) -> &State {
        // SAFETY: `state` is live; nobody else refers to it while no call of OpenSSL runs.
        unsafe { &*self.state }
    }

    fn state_mut(&mut self) -> &mut State {
        // SAFETY: as above, and `self` is borrowed as long.
        unsafe { &mut *self.state }
    }

    /// Readies for a call of OpenSSL that may fail.
    fn begin(&mut self) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        // What some other session left in this thread's queue is not this one's failure.
        failure::clear();
        self.state_mut().cause = None;
        Ok(())
    }

    /// What a call's result that is no success means: `Ok` for a reason to wait.
    fn wait(&mut self, result: c_int) -> Result<Wait> {
        // SAFETY: `ssl` is live, and `result` comes from the last call with it.
        let reason = unsafe { sys::SSL_get_error(self.ssl, result) };
        match reason {
            sys::SSL_ERROR_WANT_READ | sys::SSL_ERROR_WANT_WRITE => return Ok(Wait::Bytes),
            sys::SSL_ERROR_WANT_CLIENT_HELLO_CB | sys::SSL_ERROR_WANT_X509_LOOKUP => return Ok(Wait::Answer),
            sys::SSL_ERROR_ZERO_RETURN => return Ok(Wait::Closed),
            _ => {}
        }
        let error = failure::take();
        let error = self.state_mut().cause.take().unwrap_or(error);
        self.alert_to_stranger();
        Err(self.fail(error))
    }

    /// OpenSSL answers plain HTTP with nothing at all. What speaks first and not TLS gets the alert that any other
    /// unknown version gets: protocol_version, in the clear (RFC 8446, 5.1 and 6.2).
    fn alert_to_stranger(&mut self) {
        const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];
        let state = self.state_mut();
        if state.role == Role::Server && state.hello_stage == Stage::Ahead && state.bytes.output.is_empty() {
            state.bytes.output.extend_from_slice(&ALERT);
        }
    }

    /// Counts the records that came into the output behind its first `from` bytes.
    fn count_sent(&mut self, from: usize) {
        // Before that, records are under other keys.
        if self.countable && self.state().established {
            self.sent += record::count(&self.state().bytes.output[from..]);
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.failed = Some(error.clone());
        error
    }

    /// A resumed session brings its old verification result along, which the present server may not want to accept.
    fn check_resumed(&mut self) -> Result<()> {
        let Verify { request: true, require: true, optional } = self.state().verify else { return Ok(()) };
        // SAFETY: `ssl` is live.
        let concerned =
            unsafe { sys::SSL_session_reused(self.ssl) == 1 && (!optional || info::has_certificate(self.ssl)) };
        let error = concerned.then(|| self.verify_error()).flatten();
        match error {
            Some(error) if self.state().role == Role::Server => {
                self.state_mut().refused = true;
                Err(self.fail(error))
            }
            _ => Ok(()),
        }
    }

    /// What goes on without the `SSL`. `None` where OpenSSL must.
    fn lighten(&mut self) -> Option<Established> {
        // SAFETY: `ssl` is live.
        let (suite, closed) = unsafe {
            if info::limits_fragments(self.ssl) {
                return None;
            }
            let closed = sys::SSL_get_shutdown(self.ssl) & sys::SSL_SENT_SHUTDOWN != 0;
            (Suite::find(info::cipher(self.ssl).number())?, closed)
        };
        let (sent, received, max_fragment) = (self.sent, self.received, self.max_fragment);
        let state = self.state_mut();
        let secrets = (*state.secrets.take()?).complete()?;
        let servername = state.servername.take();
        let bytes = std::mem::take(&mut state.bytes);
        let progress = Progress { sent, received, closed, max_fragment };
        // SAFETY: `ssl` is live.
        match unsafe { Established::new(self.ssl, suite, secrets, servername, bytes, progress) } {
            Ok(settled) => Some(settled),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }

    /// The handshake is done: the owner may be asked about the client.
    fn ask_consent(&mut self) -> Handshake {
        if self.state().consent == Stage::Passed {
            return Handshake::Done;
        }
        // SAFETY: `ssl` is live.
        let fault = unsafe { info::verify_error(self.ssl) };
        let present = unsafe { info::peer_chain(self.ssl) }.is_some();
        let state = self.state_mut();
        state.consent = Stage::Asked;
        state.withheld = std::mem::take(&mut state.bytes.output);
        state.events.push_back(SessionEvent::Question(Question::ClientCertificate { present, fault }));
        Handshake::Parked
    }

    /// The owner has consented.
    fn go_on(&mut self) -> Handshake {
        self.consented = false;
        let state = self.state_mut();
        let mut output = std::mem::take(&mut state.withheld);
        output.append(&mut state.bytes.output);
        state.bytes.output = output;
        state.events.push_back(SessionEvent::HandshakeDone);
        Handshake::Done
    }

    /// The owner has refused: the client gets an alert it can read.
    fn dismiss(&mut self) {
        /// bad_certificate in the clear: below TLS 1.3 the message that changes that is withheld.
        const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 42];
        // SAFETY: `ssl` is live.
        let (version, reused) = unsafe { (sys::SSL_version(self.ssl), sys::SSL_session_reused(self.ssl) == 1) };
        let withheld = std::mem::take(&mut self.state_mut().withheld);
        let farewell = match version {
            sys::TLS1_3_VERSION => {
                let sent = self.lighten().map(Established::dismiss).unwrap_or_default();
                [withheld, sent].concat()
            }
            // Its keys are in use already.
            _ if reused => Vec::new(),
            _ => ALERT.to_vec(),
        };
        self.state_mut().bytes.output = farewell;
        let message = "The client's certificate was refused";
        self.fail(Error::new("ERR_C4TLS_CLIENT_CERTIFICATE", message));
    }
}

/// What a call waits for.
enum Wait {
    Bytes,
    Answer,
    Closed,
}

impl TlsSession for Session {
    fn feed(&mut self, ciphertext: &[u8]) {
        self.state_mut().bytes.feed(ciphertext);
    }

    fn input(&mut self) -> Option<&mut Vec<u8>> {
        Some(self.state_mut().bytes.input())
    }

    fn handshake(&mut self, now: Instant) -> Result<Handshake> {
        self.begin()?;
        self.state_mut().now = now;
        match self.state().consent {
            Stage::Asked => return Ok(Handshake::Parked),
            Stage::Passed if self.consented => return Ok(self.go_on()),
            _ => {}
        }
        let from = self.state().bytes.output.len();
        loop {
            if self.state().awaits_key() {
                return Ok(Handshake::Parked);
            }
            self.state_mut().peek();
            // SAFETY: `ssl` is live; no reference to the state is alive.
            let result = unsafe { sys::SSL_do_handshake(self.ssl) };
            if result == 1 {
                // A server's last flight is tickets, under the application's key already.
                self.count_sent(from);
                // SAFETY: `ssl` is live.
                let version = unsafe { sys::SSL_version(self.ssl) };
                self.state_mut().psk_done(version);
                self.check_resumed()?;
                return Ok(self.ask_consent());
            }
            let ssl = self.ssl;
            match self.wait(result)? {
                // SAFETY: `ssl` is live.
                Wait::Bytes if unsafe { self.state_mut().pass_gate(ssl) } || self.state().awaits_key() => {}
                Wait::Bytes => return Ok(Handshake::Pending),
                Wait::Answer => return Ok(Handshake::Parked),
                Wait::Closed => {
                    let message = "The peer closed the connection before its handshake was done";
                    return Err(self.fail(Error::new("ECONNRESET", message)));
                }
            }
        }
    }

    fn read(&mut self, buf: &mut [u8], clock: &dyn Fn() -> Instant) -> Result<Read> {
        self.begin()?;
        if buf.is_empty() {
            return Ok(Read::Pending);
        }
        self.state_mut().now = clock();
        let unread = self.state().bytes.unread();
        let mut count = 0;
        // SAFETY: `ssl` is live, no reference to the state is alive, `buf` has its length.
        let result = unsafe { sys::SSL_read_ex(self.ssl, buf.as_mut_ptr().cast(), buf.len(), &mut count) };
        // SAFETY: `ssl` is live.
        if unread == MAY_BE_ALERT && result == 1 && unsafe { sys::SSL_pending(self.ssl) } == 0 {
            self.received += 1;
        } else if unread > 0 {
            self.countable = false;
            // It never settles now.
            self.state_mut().secrets = None;
        }
        if result == 1 {
            return Ok(Read::Data(count));
        }
        Ok(match self.wait(result)? {
            Wait::Bytes | Wait::Answer => Read::Pending,
            Wait::Closed => Read::Closed,
        })
    }

    fn write(&mut self, clear: &[u8]) -> Result<usize> {
        self.begin()?;
        if clear.is_empty() {
            return Ok(0);
        }
        let records = clear.len() / MAX_FRAGMENT + 1;
        self.state_mut().bytes.reserve(clear.len() + records * RECORD_OVERHEAD);
        let from = self.state().bytes.output.len();
        let mut count = 0;
        // SAFETY: `ssl` is live, no reference to the state is alive, `clear` has its length.
        let result = unsafe { sys::SSL_write_ex(self.ssl, clear.as_ptr().cast(), clear.len(), &mut count) };
        self.count_sent(from);
        match result {
            1 => Ok(count),
            _ => self.wait(result).map(|_| 0),
        }
    }

    fn close_notify(&mut self) {
        let from = self.state().bytes.output.len();
        // SAFETY: `ssl` is live; sending is all that one call does.
        unsafe {
            let sent = sys::SSL_get_shutdown(self.ssl) & sys::SSL_SENT_SHUTDOWN != 0;
            if self.failed.is_none() && self.state().established && !sent {
                sys::SSL_shutdown(self.ssl);
                // In the middle of a renegotiation OpenSSL refuses; the connection then just ends.
                failure::clear();
            }
        }
        self.count_sent(from);
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.state_mut().bytes.output
    }

    fn unread(&self) -> usize {
        self.state().bytes.unread()
    }

    fn has_event(&self) -> bool {
        !self.state().events.is_empty()
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        self.state_mut().events.pop_front()
    }

    fn answer(&mut self, answer: Answer) -> Result<()> {
        let state = self.state_mut();
        match answer {
            Answer::ClientHello { session, alpn } if state.hello_stage == Stage::Asked => {
                state.hello_stage = Stage::Passed;
                state.resume = session.and_then(|der| SslSession::from_der(&der).ok());
                state.alpn_answer = alpn;
                failure::clear();
                Ok(())
            }
            Answer::Certificate { context, ocsp } if state.certificate_stage == Stage::Asked => {
                state.certificate_stage = Stage::Passed;
                state.certificate_answer = context;
                state.ocsp_answer = ocsp;
                Ok(())
            }
            Answer::ClientCertificate(accept) if state.consent == Stage::Asked => {
                state.consent = Stage::Passed;
                self.consented = accept;
                if !accept {
                    self.dismiss();
                }
                Ok(())
            }
            Answer::Psk(key) if state.awaits_key() => {
                state.answer_key(key);
                Ok(())
            }
            Answer::TicketKeys(answer) if state.awaits_ticket_keys() => {
                state.answer_ticket_keys(answer);
                Ok(())
            }
            Answer::Renegotiation if state.renegotiations.answer() => Ok(()),
            _ => Err(super::not_parked()),
        }
    }

    fn release_buffers(&mut self) {
        self.state_mut().bytes.release();
    }

    fn may_be_alert(&self) -> bool {
        self.unread() == MAY_BE_ALERT
    }

    fn settle(&mut self) -> Option<Box<dyn TlsSession>> {
        let state = self.state();
        let ready = state.established
            && state.role == Role::Server
            && state.events.is_empty()
            && !state.hooks.trace
            && !state.hooks.records
            && !state.hooks.keylog
            && state.consent == Stage::Passed
            && self.countable
            && self.failed.is_none();
        match ready {
            true => self.lighten().map(|settled| Box::new(settled) as Box<dyn TlsSession>),
            false => None,
        }
    }

    fn role(&self) -> Role {
        self.state().role
    }

    fn protocol(&self) -> &str {
        // SAFETY: `ssl` is live.
        unsafe { info::protocol(self.ssl) }
    }

    fn cipher(&self) -> Option<Cipher> {
        // SAFETY: `ssl` is live.
        unsafe { info::cipher(self.ssl) }.describe()
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::alpn(self.ssl) }
    }

    fn servername(&self) -> Option<String> {
        self.state().servername.clone()
    }

    fn session_reused(&self) -> bool {
        // SAFETY: `ssl` is live.
        unsafe { sys::SSL_session_reused(self.ssl) == 1 }
    }

    fn peer_chain(&self) -> Vec<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::peer_chain(self.ssl) }.map_or_else(Vec::new, |chain| chain.to_der())
    }

    fn certificate(&self) -> Option<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::certificate(self.ssl) }?.to_der().ok()
    }

    fn verify_error(&self) -> Option<Error> {
        // OpenSSL forgets a certificate that it refuses.
        if self.state().refused {
            return self.failed.clone();
        }
        // SAFETY: `ssl` is live.
        unsafe { info::verify_error(self.ssl) }
    }

    fn session(&self) -> Option<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::session(self.ssl) }.and_then(|session| info::stored_session(&session))
    }

    fn session_ticket(&self) -> Option<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::session(self.ssl) }.and_then(|session| info::session_ticket(&session))
    }

    fn finished(&self) -> Option<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::finished(self.ssl, false) }
    }

    fn peer_finished(&self) -> Option<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::finished(self.ssl, true) }
    }

    fn export_keying_material(&self, length: usize, label: &str, context: Option<&[u8]>) -> Result<Vec<u8>> {
        // SAFETY: `ssl` is live.
        unsafe { info::export_keying_material(self.ssl, length, label, context) }
    }

    fn ephemeral_key(&self) -> Option<EphemeralKey> {
        match self.state().role {
            Role::Server => None,
            // SAFETY: `ssl` is live.
            Role::Client => unsafe { info::ephemeral_key(self.ssl) },
        }
    }

    fn key_exchange(&self) -> Option<KeyExchange> {
        // SAFETY: `ssl` is live.
        unsafe { info::key_exchange(self.ssl) }
    }

    fn shared_sigalgs(&self) -> Vec<String> {
        // SAFETY: `ssl` is live.
        unsafe { info::shared_sigalgs(self.ssl) }.iter().map(|one| one.name()).collect()
    }

    fn set_verify(&mut self, verify: Verify) -> Result<()> {
        self.state_mut().verify = verify;
        // SAFETY: `ssl` is live.
        unsafe { apply::set_verify(self.ssl, self.state().role == Role::Server, verify) };
        Ok(())
    }

    fn renegotiate(&mut self) -> Result<()> {
        self.begin()?;
        // SAFETY: `ssl` is live; no reference to the state is alive.
        let result = unsafe {
            if ffi::SSL_renegotiate(self.ssl) != 1 {
                // The connection goes on: only this wish could not be met.
                return Err(Error::take_openssl("SSL_renegotiate"));
            }
            sys::SSL_do_handshake(self.ssl)
        };
        match result {
            1 => Ok(()),
            _ => self.wait(result).map(|_| ()),
        }
    }

    fn disable_renegotiation(&mut self) {
        self.state_mut().renegotiations.disable();
    }

    fn set_max_send_fragment(&mut self, bytes: usize) -> bool {
        // SAFETY: `ssl` is live; OpenSSL checks the bounds.
        let set = bytes.try_into().is_ok_and(|bytes| unsafe { ffi::SSL_set_max_send_fragment(self.ssl, bytes) });
        if set {
            self.max_fragment = bytes;
        }
        set
    }

    fn set_key_cert(&mut self, context: &Context) -> Result<()> {
        // SAFETY: `ssl` is live. A handshake under way that has shown its certificate is not disturbed by another.
        unsafe { apply::use_context(self.ssl, context) }.map(|_| ())
    }

    fn enable_hooks(&mut self, hooks: Hooks) {
        self.trace(hooks.trace || hooks.records);
        let now = &mut self.state_mut().hooks;
        now.client_hello |= hooks.client_hello;
        now.certificate |= hooks.certificate;
        now.keylog |= hooks.keylog;
        now.sessions |= hooks.sessions;
        now.trace |= hooks.trace;
        now.records |= hooks.records;
    }
}
