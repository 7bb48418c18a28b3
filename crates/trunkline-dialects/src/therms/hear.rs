//! [`Hearing`]: the dialect as a [`Dialect`]: hears requests, answers them.

use super::{
    Identity, Therms, fault,
    fault::{By, Refusal},
    read::{Message, is_truthy, read},
    request::{Origin, Provenance, gateway, next_number},
    write::Form,
};
use std::borrow::Cow;
use trunkline_core::{
    About, CallId, CowPayload, Dialect, Fault, Format, Frame, Key, Limits, OpenFrame, Outbox, OwnedPayload,
    Payload, Signal, frame::Body, response::Written, security::AUTHENTICATE,
};

/// The tags of calls have this bit, so that who speaks two dialects can tell whose they are.
pub(super) const OURS: u64 = 1 << 63;
/// A call by which a client says only who it is.
pub(super) const INTRODUCTION: u64 = OURS | 1;
/// What is asked for a client who says with a call who it is: not that, but its call, is
/// answered.
pub(super) const LOGIN: u64 = OURS | 2;

/// Whether a call was made in this dialect.
pub(crate) fn is_ours(id: &CallId<'_>) -> bool {
    id.tag & OURS != 0
}

/// Whether it is asked who the client is, and not for what the client calls.
fn is_login(id: &CallId<'_>) -> bool {
    matches!(id.tag, INTRODUCTION | LOGIN)
}

/// The side of a conversation that hears.
#[derive(Debug)]
pub(crate) struct Hearing {
    options: Therms,
    two_way: bool,
    max_depth: usize,
    /// Who the client of a connection has said that it is.
    identity: Option<Identity>,
    /// How often it is being found out whether that is so. What is found last counts.
    checking: usize,
    /// Whether the message at hand is answered once it is known who its client is.
    introducing: bool,
    next: Step,
}

/// What is to be done next with the frame at hand: a message may say several things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Read,
    TellIdentity,
    Act,
    Done,
}

impl Hearing {
    pub(crate) fn two_way(options: Therms, limits: &Limits) -> Self {
        Self {
            options,
            two_way: true,
            max_depth: limits.max_depth,
            identity: None,
            checking: 0,
            introducing: false,
            next: Step::Read,
        }
    }

    pub(crate) fn one_way(options: Therms, limits: &Limits) -> Self {
        Self { two_way: false, ..Self::two_way(options, limits) }
    }

    /// Begins with a frame: who says it comes first.
    fn begin<'f>(&mut self, message: &Message<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        let Some(said) = message.identity.filter(|identity| is_truthy(identity)) else {
            self.next = Step::Act;
            return self.go_on(message, out);
        };
        let identity = match Identity::read(said) {
            Some(identity) if !self.two_way || identity.is_well_formed() => identity,
            _ => return self.refuse(Refusal::Identity, message, out),
        };
        let known = self.identity.as_ref();
        let authorization = identity.authorization();
        let before = known.and_then(Identity::authorization);
        if before.is_some() && before != authorization {
            let _ = self.refuse(Refusal::AuthorizationChanged, message, out);
            return Some(Signal::Leave);
        }
        let is_introduction = self.is_introduction(message);
        let is_asked = before != authorization || (is_introduction && self.checking > 0);
        self.next = if self.two_way && known != Some(&identity) { Step::TellIdentity } else { Step::Act };
        let token = authorization.filter(|_| is_asked && self.options.authenticating);
        let token = token.and_then(|token| OwnedPayload::encode(&[token], Format::Json).ok());
        self.identity = Some(identity);
        let Some(token) = token else { return self.go_on(message, out) };
        let (procedure, args) = (Cow::Borrowed(AUTHENTICATE), Some(CowPayload::Owned(token)));
        self.checking += 1;
        self.introducing = is_introduction;
        let id = match is_introduction {
            true => CallId { spelling: message.correlation().unwrap_or_default(), tag: INTRODUCTION },
            false => CallId { spelling: "", tag: LOGIN },
        };
        Some(Signal::Call { id, procedure, args, about: None })
    }

    /// Goes on with a frame once it is known who says it.
    fn go_on<'f>(&mut self, message: &Message<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        if self.next == Step::TellIdentity {
            self.next = Step::Act;
            if let Some(procedure) = &self.options.identity_changes {
                let about = Some(Box::new(self.about(message).internal()));
                let procedure = Cow::Owned(procedure.as_ref().to_owned());
                return Some(Signal::Notify { procedure, args: None, about });
            }
        }
        self.next = Step::Done;
        if let Some(said) = message.client_message.filter(|_| self.two_way) {
            let procedure = self.options.client_messages.clone()?;
            let about = Some(Box::new(self.about(message).internal()));
            let args = Some(CowPayload::Borrowed(Payload::Json(said)));
            return Some(Signal::Notify {
                procedure: Cow::Owned(procedure.as_ref().to_owned()),
                args,
                about,
            });
        }
        let parts = match message.parts() {
            Ok(Some(parts)) => parts,
            Ok(None) if self.is_introduction(message) => {
                if !std::mem::take(&mut self.introducing) {
                    acknowledge(message.correlation().unwrap_or_default(), out);
                }
                return None;
            }
            Ok(None) => return self.refuse(Refusal::NoProcedure, message, out),
            Err(refusal) => return self.refuse(refusal, message, out),
        };
        let spelling = message.correlation().unwrap_or_default();
        let key = Key { scope: &parts.scope, procedure: &parts.procedure, version: &parts.version };
        let Some(name) = key.name() else {
            let told = fault::not_found(&key, self.by());
            out.frame(0, |out| Form::to(spelling).failure(out, 501, None, &told));
            return None;
        };
        let args = message.args.map(|args| CowPayload::Borrowed(Payload::Json(args)));
        let (procedure, about) = (Cow::Owned(name.into_owned()), Some(Box::new(self.about(message))));
        Some(Signal::Call { id: CallId { spelling, tag: OURS }, procedure, args, about })
    }

    /// Whether a message only says who says it.
    fn is_introduction(&self, message: &Message<'_>) -> bool {
        self.two_way
            && message.client_message.is_none()
            && matches!(message.parts(), Ok(None))
            && message.identity.is_some_and(is_truthy)
    }

    /// What goes with a call to its handler.
    fn about(&self, message: &Message<'_>) -> About {
        let identity = match message.identity {
            Some(identity) if !is_truthy(identity) => None,
            _ => self.identity.clone(),
        };
        let origin = Origin::Client { number: next_number() };
        let provenance = Provenance::new(message.correlation(), identity, origin);
        About::default().with_extension(provenance)
    }

    /// Answers that a message is none.
    fn refuse<'f>(
        &mut self,
        refusal: Refusal,
        message: &Message<'_>,
        out: &mut Outbox,
    ) -> Option<Signal<'f>> {
        self.next = Step::Done;
        let form = Form::to(message.correlation().unwrap_or_default());
        out.frame(0, |out| refusal.write(out, &form));
        None
    }

    fn by(&self) -> By<'static> {
        By { caller: gateway(if self.two_way { "websocket" } else { "http" }), internal: false }
    }

    fn read<'f>(&self, frame: &mut Frame<'f>) -> Result<Message<'f>, Refusal> {
        if self.two_way && matches!(frame.body, Body::Binary(_)) {
            return Err(Refusal::Binary);
        }
        let text = frame.body.as_text().map_err(|_| Refusal::Unparseable)?;
        if !self.two_way {
            frame.body = Body::Text(text);
        }
        read(text, self.max_depth)
    }
}

impl Dialect for Hearing {
    fn hear<'f>(&mut self, frame: &mut Frame<'f>, out: &mut Outbox) -> Option<Signal<'f>> {
        let step = std::mem::replace(&mut self.next, Step::Read);
        if step == Step::Done {
            return None;
        }
        let message = match self.read(frame) {
            Ok(message) => message,
            Err(refusal) => {
                out.frame(0, |out| refusal.write(out, &Form::default()));
                return None;
            }
        };
        let said = match step {
            Step::Read => {
                if !self.two_way {
                    self.identity = None;
                }
                self.begin(&message, out)
            }
            other => {
                self.next = other;
                self.go_on(&message, out)
            }
        };
        if said.is_none() {
            self.next = Step::Read;
        }
        said
    }

    fn open(&mut self, id: &CallId<'_>, out: &mut Outbox) -> OpenFrame {
        Form::to(id.spelling).open(out)
    }

    fn close(&mut self, id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
        if !is_login(id) {
            return Form::to(id.spelling).close(out, reply);
        }
        // who it was found to be is not what the client has asked for
        out.discard(reply);
        self.checking = self.checking.saturating_sub(1);
        if id.tag == INTRODUCTION {
            acknowledge(id.spelling, out);
        }
    }

    fn fault(&mut self, id: &CallId<'_>, fault: &Fault, out: &mut Outbox) {
        if is_login(id) {
            self.checking = self.checking.saturating_sub(1);
            if self.checking == 0 {
                // it may try again, also with another authorization
                self.identity = None;
            }
        }
        if id.tag != LOGIN {
            out.frame(0, |out| fault::write(out, &Form::to(id.spelling), fault, self.by()));
        }
    }

    fn code(&self, _id: Option<&CallId<'_>>, fault: &Fault) -> Option<i64> {
        Some(fault::code(fault))
    }

    fn oversize<'h>(&mut self, _: u8, _: usize, _: &'h [u8], out: &mut Outbox) -> Option<Signal<'h>> {
        out.frame(0, |out| Refusal::Unparseable.write(out, &Form::default()));
        None
    }

    fn unframed(&mut self, _out: &mut Outbox) {}

    fn format(&self) -> Format {
        Format::CodedJson
    }
}

/// Says that it has been heard who the client is.
fn acknowledge(id: &str, out: &mut Outbox) {
    let said = Written { code: "200", message: None, data: None };
    out.frame(0, |out| Form::to(id).success(out, &said));
}
