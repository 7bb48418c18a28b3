//! [`Batch`]: the messages of an array, one after the other.

use super::envelope::Envelope;
use super::scan;
use super::{Invalid, InvalidReason, Item, Rules};

/// The elements of a batch, read as they are asked for.
///
/// An iterator that holds a position in the text and nothing else, so it can be
/// put away half-way, and cloned to begin anew.
///
/// ```
/// use trunkline_dialects::jsonrpc::{Document, Rules, read};
///
/// let text = r#"[{"jsonrpc":"2.0","method":"tick"}, 5]"#;
/// let Document::Batch(batch) = read(text, &Rules::default())? else { panic!("not a batch") };
/// assert_eq!(batch.len(), 2);
/// let valid: Vec<bool> = batch.map(|item| item.is_ok()).collect();
/// assert_eq!(valid, [true, false]);
/// # Ok::<(), trunkline_dialects::jsonrpc::NotJson>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    text: &'a str,
    /// The bracket or comma before the next element.
    at: usize,
    left: usize,
    rules: Rules,
}

impl<'a> Batch<'a> {
    /// The `left` elements behind the bracket at `at`, which the scanner has seen.
    pub(super) fn scanned(text: &'a str, at: usize, left: usize, rules: &Rules) -> Self {
        Self { text, at, left, rules: rules.clone() }
    }

    /// What [`scanned`](Self::scanned) needs to go on from here.
    #[cfg(feature = "dialect")]
    pub(super) fn position(&self) -> (usize, usize) {
        (self.at, self.left)
    }
}

impl<'a> Iterator for Batch<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.left = self.left.checked_sub(1)?;
        let bytes = self.text.as_bytes();
        let start = scan::blank(bytes, self.at + 1);
        // Neither can fail: the whole text was checked when the batch was read.
        let (item, after) = if bytes.get(start) == Some(&b'{') {
            let mut envelope = Envelope::empty();
            let after = envelope.read(self.text, start, &self.rules).ok()?;
            (envelope.message(&self.rules), after)
        } else {
            let after = scan::value(bytes, start, self.rules.max_depth, 1).ok()?;
            (Err(Invalid::bare(InvalidReason::NotAnObject)), after)
        };
        self.at = scan::blank(bytes, after);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Batch<'_> {}

impl std::iter::FusedIterator for Batch<'_> {}
