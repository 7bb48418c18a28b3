//! [`read`]: from a text to the messages in it.

use super::envelope::Envelope;
use super::not_json::NotJson;
use super::scan;
use super::{Batch, Invalid, InvalidReason, Message, Rules};

/// What a text holds: one message, or a batch.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "an object, an array, or an array that is too long")]
pub enum Document<'a> {
    /// One message. What is neither an object nor an array is one invalid
    /// message, and so is an empty array.
    One(Item<'a>),
    /// An array with at least one element, each of them checked to be JSON.
    Batch(Batch<'a>),
    /// An array with more than [`Rules::max_batch`] elements: nothing of it runs.
    TooLarge {
        /// The limit in force.
        limit: usize,
        /// How many there are.
        len: usize,
    },
}

/// One message, or what was found in its place.
pub type Item<'a> = Result<Message<'a>, Invalid<'a>>;

/// Reads a text that holds one document.
///
/// The whole text is checked before anything is returned, also what is not
/// looked at. Messages borrow from the text; only a method or error message
/// with escapes is copied.
///
/// ```
/// use trunkline_dialects::jsonrpc::{Document, Message, Rules, read};
///
/// let text = r#"{"jsonrpc":"2.0","id":7,"method":"add","params":[1,2]}"#;
/// let Document::One(Ok(Message::Request(request))) = read(text, &Rules::default())? else {
///     panic!("not a request");
/// };
/// assert_eq!((request.id.as_raw(), &*request.method), ("7", "add"));
/// assert_eq!(request.params.unwrap().decode::<(i64, i64)>()?, (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails if the text is not JSON by RFC 8259, or nested deeper than
/// [`Rules::max_depth`].
#[inline]
pub fn read<'a>(text: &'a str, rules: &Rules) -> Result<Document<'a>, NotJson> {
    document(text, rules).map_err(|not_json| *not_json)
}

#[inline(always)]
fn document<'a>(text: &'a str, rules: &Rules) -> Result<Document<'a>, Box<NotJson>> {
    let bytes = text.as_bytes();
    let start = scan::blank(bytes, 0);
    match bytes.get(start) {
        Some(b'{') => {
            let mut envelope = Envelope::empty();
            let after = envelope.read(text, start, rules)?;
            scan::end(bytes, after)?;
            Ok(Document::One(envelope.message(rules)))
        }
        Some(b'[') => read_batch(text, start, rules),
        _ => {
            let after = scan::value(bytes, start, rules.max_depth, 0)?;
            scan::end(bytes, after)?;
            Ok(Document::One(Err(Invalid::bare(InvalidReason::NotAnObject))))
        }
    }
}

/// Reads bytes that hold one document.
///
/// # Errors
///
/// Fails as [`read`] does, and if the bytes are not UTF-8.
pub fn read_bytes<'a>(bytes: &'a [u8], rules: &Rules) -> Result<Document<'a>, NotJson> {
    read(std::str::from_utf8(bytes)?, rules)
}

fn read_batch<'a>(text: &'a str, start: usize, rules: &Rules) -> Result<Document<'a>, Box<NotJson>> {
    let bytes = text.as_bytes();
    let mut len = 0;
    let after = scan::elements(bytes, start, rules.max_depth, || len += 1)?;
    scan::end(bytes, after)?;
    Ok(match len {
        0 => Document::One(Err(Invalid::bare(InvalidReason::EmptyBatch))),
        _ if len > rules.max_batch => Document::TooLarge { limit: rules.max_batch, len },
        _ => Document::Batch(Batch::scanned(text, start, len, rules)),
    })
}
