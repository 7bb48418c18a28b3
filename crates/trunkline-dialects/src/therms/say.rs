//! [`Saying`]: what a server says to its clients of its own accord.

use crate::jsonrpc::write::string;
use trunkline_core::{BatchItem, Encode, EncodeError, Format, Outbox, Speaker};

/// A notification of this name is a server message as it stands: what goes with it is
/// the message. Any other is one too, `{"event": NAME, "data": ARGS}`.
pub const SERVER_MESSAGE: &str = "serverMessage";

/// The side of a conversation that speaks of its own accord. Clients cannot be called.
#[derive(Debug)]
pub(crate) struct Saying;

impl Speaker for Saying {
    fn call(&mut self, _: u64, _: &str, _: &dyn Encode, _: &mut Outbox) -> Result<(), EncodeError> {
        Err(uncalled())
    }

    fn batch(&mut self, items: &[BatchItem<'_>], out: &mut Outbox) -> Result<(), EncodeError> {
        let before = out.len();
        for item in items {
            let said = match item.id {
                Some(_) => Err(uncalled()),
                None => self.notify(item.procedure, item.args, out),
            };
            said.inspect_err(|_| out.truncate(before))?;
        }
        Ok(())
    }

    fn notify(&mut self, procedure: &str, args: &dyn Encode, out: &mut Outbox) -> Result<(), EncodeError> {
        let frame = out.open(0);
        let written = message(procedure, args, out.body());
        match written {
            Ok(()) => out.close(frame),
            Err(_) => out.discard(frame),
        }
        written
    }

    fn cancel(&mut self, _id: u64, _out: &mut Outbox) {}

    fn format(&self) -> Format {
        Format::Json
    }
}

fn message(name: &str, args: &dyn Encode, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.extend_from_slice(br#"{"serverMessage":"#);
    if name == SERVER_MESSAGE {
        args.encode(Format::Json, out)?;
    } else {
        out.extend_from_slice(br#"{"event":"#);
        string(out, name);
        out.extend_from_slice(br#","data":"#);
        args.encode(Format::Json, out)?;
        out.push(b'}');
    }
    out.push(b'}');
    Ok(())
}

fn uncalled() -> EncodeError {
    EncodeError::unspeakable("clients that speak the dialect of @therms cannot be called, only notified")
}
