//! [`Delivery`]: one request, heard as a call and answered.

use super::{ID, answer, fields::text};
use std::{borrow::Cow, ops::Range};
use trunkline_core::{
    About, CallId, CowPayload, Dialect, Fault, FaultKind, Format, Frame, OpenFrame, Outbox, Payload, Signal,
};

/// One request, heard as a call and answered.
pub(super) struct Delivery {
    pub(super) id: [u8; ID],
    /// What is still to be heard.
    pub(super) call: Option<Heard>,
}

/// A call, by where in the message its parts stand.
pub(super) struct Heard {
    pub(super) procedure: Range<usize>,
    /// To the end of the message; there are none if it ends here.
    pub(super) args_at: usize,
    pub(super) about: Box<About>,
}

impl Dialect for Delivery {
    fn hear<'f>(&mut self, frame: &mut Frame<'f>, _out: &mut Outbox) -> Option<Signal<'f>> {
        let Heard { procedure, args_at, about } = self.call.take()?;
        let body = frame.body.as_bytes();
        // they were found to be texts when it was opened
        let procedure = text(body.get(procedure)?)?;
        let args = text(body.get(args_at..)?)?;
        Some(Signal::Call {
            id: CallId { spelling: "", tag: 0 },
            procedure: Cow::Borrowed(procedure),
            args: (!args.is_empty()).then_some(CowPayload::Borrowed(Payload::Json(args))),
            about: Some(about),
        })
    }

    fn open(&mut self, _id: &CallId<'_>, out: &mut Outbox) -> OpenFrame {
        let reply = out.open(0);
        answer::success(out.body(), &self.id);
        reply
    }

    fn close(&mut self, _id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
        out.close(reply);
    }

    fn fault(&mut self, _id: &CallId<'_>, fault: &Fault, out: &mut Outbox) {
        out.frame(0, |out| answer::failure(out, &self.id, fault));
    }

    fn code(&self, _id: Option<&CallId<'_>>, fault: &Fault) -> Option<i64> {
        fault.code()
    }

    fn oversize<'h>(
        &mut self,
        _channel: u8,
        limit: usize,
        _head: &'h [u8],
        out: &mut Outbox,
    ) -> Option<Signal<'h>> {
        let message = format!("the message is over {limit} bytes");
        let fault = Fault::new(FaultKind::RequestTooLarge, message);
        out.frame(0, |out| answer::failure(out, &self.id, &fault));
        None
    }

    fn unframed(&mut self, _out: &mut Outbox) {}

    fn format(&self) -> Format {
        Format::CodedJson
    }
}
