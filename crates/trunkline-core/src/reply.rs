//! [`Reply`]: where a procedure writes its result, and [`IntoReply`], what it may return.

use crate::{
    fault::{Fault, FaultKind},
    payload::{Format, OwnedPayload, Payload},
    response::{Response, Written},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io,
};

/// Where a procedure writes its result: straight into what will be sent.
#[derive(Debug)]
pub struct Reply<'a> {
    buffer: &'a mut Vec<u8>,
    format: Format,
    limit: usize,
}

impl<'a> Reply<'a> {
    /// Replies go to the end of `buffer`, of at most `limit` bytes.
    #[must_use]
    pub fn new(buffer: &'a mut Vec<u8>, format: Format, limit: usize) -> Self {
        Self { buffer, format, limit }
    }

    /// Writes the result.
    ///
    /// # Errors
    ///
    /// Fails if the value has no form in the caller's format, or is over the
    /// limit; part of it may have been written then.
    pub fn write(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Fault> {
        let end = self.buffer.len().saturating_add(self.limit);
        let mut bounded = Bounded { buffer: self.buffer, end };
        match self.format {
            Format::Json | Format::CodedJson => {
                serde_json::to_writer(&mut bounded, value).map_err(|error| self.refusal(error))
            }
        }
    }

    /// Writes a result with a code of its own: before its value, where the format has
    /// a place for it.
    ///
    /// # Errors
    ///
    /// Fails as [`write`](Self::write) does.
    pub fn write_response(&mut self, response: &Response<impl Serialize>) -> Result<(), Fault> {
        if self.format == Format::CodedJson && !response.is_plain() {
            response.write_head(self.buffer);
        } else if response.data().is_none() {
            return self.write(&());
        }
        response.data().map_or(Ok(()), |data| self.write(data))
    }

    /// Writes a result that is encoded already.
    ///
    /// # Errors
    ///
    /// Fails if it is over the limit.
    pub fn write_encoded(&mut self, value: &Payload<'_>) -> Result<(), Fault> {
        let Payload::Json(text) = value;
        if text.len() > self.limit {
            return Err(self.too_large());
        }
        self.buffer.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Writes a result that is encoded in [`Format::CodedJson`]; where the format has no
    /// place for codes, its data.
    ///
    /// # Errors
    ///
    /// Fails if it is over the limit.
    pub fn write_coded(&mut self, value: &Payload<'_>) -> Result<(), Fault> {
        match Written::read(value.as_bytes()).filter(|_| self.format != Format::CodedJson) {
            Some(written) => self.write_encoded(&Payload::Json(written.data.unwrap_or("null"))),
            None => self.write_encoded(value),
        }
    }

    #[cold]
    fn refusal(&self, error: serde_json::Error) -> Fault {
        if error.is_io() { self.too_large() } else { Fault::internal(error) }
    }

    #[cold]
    fn too_large(&self) -> Fault {
        Fault::new(FaultKind::ReplyTooLarge, "Response is too big").with_data(format!(
            "the reply is over {} bytes, the setting `max_reply` of the server's limits",
            self.limit
        ))
    }
}

/// Refuses to grow a buffer beyond its end.
struct Bounded<'a> {
    buffer: &'a mut Vec<u8>,
    end: usize,
}

impl io::Write for Bounded<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > self.end {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a handler may return.
///
/// `Result<T, E>` with `T: Serialize + JsonSchema` and `E: Into<Fault>`; or, where nothing can
/// fail, a plain value of the types below. A struct of your own is returned in a
/// `Result`, or in [`Plain`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the reply of a procedure, or an item of a stream",
    label = "not a reply",
    note = "return `Result<T, E>` with `E: Into<trunkline::Fault>`, and a `T` that derives",
    note = "`serde::Serialize` and `schemars::JsonSchema`, or is in `Open`;",
    note = "or a plain number, string, collection or `serde_json::Value`, or `Plain(value)`"
)]
pub trait IntoReply {
    /// What is written on success.
    type Value: Serialize + JsonSchema;

    /// The value, or the fault the caller is told.
    ///
    /// # Errors
    ///
    /// Fails as the handler did.
    fn into_reply(self) -> Result<Self::Value, Fault>;
}

impl<T: Serialize + JsonSchema, E: Into<Fault>> IntoReply for Result<T, E> {
    type Value = T;

    fn into_reply(self) -> Result<T, Fault> {
        self.map_err(Into::into)
    }
}

/// A value of any serializable type, returned by a handler that cannot fail.
///
/// ```
/// # use trunkline_core::{Router, reply::Plain};
/// #[derive(serde::Serialize, schemars::JsonSchema)]
/// struct Now { unix: u64 }
/// let router = Router::new().procedure("now", async || Plain(Now { unix: 0 }));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Plain<T>(pub T);

impl<T: Serialize + JsonSchema> IntoReply for Plain<T> {
    type Value = T;

    fn into_reply(self) -> Result<T, Fault> {
        Ok(self.0)
    }
}

/// Values that are replies as they are; in brackets what is written of them, and what is not.
macro_rules! plain {
    ($([$($value:ident)* $(; $hasher:ident)?] $type:ty),* $(,)?) => {
        $(
            impl<$($value: Serialize + JsonSchema,)* $($hasher)?> IntoReply for $type {
                type Value = Self;

                fn into_reply(self) -> Result<Self, Fault> {
                    Ok(self)
                }
            }
        )*
    };
}

plain! {
    [] (), [] bool, [] char, [] String, [] &'static str, [] Cow<'static, str>, [] Value, [] Box<RawValue>,
    [] i8, [] i16, [] i32, [] i64, [] i128, [] isize, [] u8, [] u16, [] u32, [] u64, [] u128, [] usize,
    [] f32, [] f64,
    [T] Option<T>, [T] Vec<T>, [T] Box<[T]>, [T] BTreeSet<T>, [T; S] HashSet<T, S>,
    [K V] BTreeMap<K, V>, [K V; S] HashMap<K, V, S>,
    [A] (A,), [A B] (A, B), [A B C] (A, B, C), [A B C D] (A, B, C, D),
}

impl Serialize for OwnedPayload {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self::Json(text) = self;
        serde_json::from_str::<&RawValue>(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_over_the_limit_stops_at_the_limit() {
        let mut buffer = b"before".to_vec();
        let mut reply = Reply::new(&mut buffer, Format::Json, 100);
        let fault = reply.write(&vec!["x".repeat(10); 1000]).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::ReplyTooLarge);
        assert!(fault.data::<String>().unwrap().contains("100 bytes, the setting `max_reply`"));
        assert!(buffer.len() <= 106);
    }

    #[test]
    fn a_value_without_json_form_is_an_internal_fault() {
        let mut buffer = vec![];
        let fault =
            Reply::new(&mut buffer, Format::Json, 100).write(&HashMap::from([((1, 2), 3)])).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Internal);
        assert_eq!(fault.message(), "Internal error");
    }
}
