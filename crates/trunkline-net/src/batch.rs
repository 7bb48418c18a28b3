//! [`Batch`]: several calls in one message, and [`Answers`], what came of them.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    ops::Index,
    panic::{AssertUnwindSafe, catch_unwind},
};
use trunkline_core::{Answer, BatchItem, Encode, Fault, FaultKind, Format, OwnedPayload, Payload};

/// Several calls and notifications that are sent in one message.
///
/// ```
/// # use trunkline_net::{Batch, Peer};
/// # async fn example(peer: &Peer) -> Result<(), trunkline_core::Fault> {
/// let batch = Batch::new().call("add", (1, 2))?.notify("log", ("added",))?.call("half", (3,))?;
/// let answers = peer.batch(&batch).await?;
/// let sum: i64 = answers.get(0)?;
/// if let Err(fault) = &answers[1] {
///     println!("half of three: {fault}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Batch {
    items: Vec<Item>,
    calls: usize,
}

#[derive(Clone)]
struct Item {
    procedure: Box<str>,
    args: OwnedPayload,
    wants_answer: bool,
}

impl Batch {
    /// A batch of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a call.
    ///
    /// # Errors
    ///
    /// Fails with [`FaultKind::InvalidArgs`] if the arguments cannot be encoded.
    pub fn call(mut self, procedure: &str, args: impl Serialize) -> Result<Self, Fault> {
        self.add(procedure, &args, true)?;
        Ok(self)
    }

    /// Adds a notification, which gets no answer.
    ///
    /// # Errors
    ///
    /// Fails with [`FaultKind::InvalidArgs`] if the arguments cannot be encoded.
    pub fn notify(mut self, procedure: &str, args: impl Serialize) -> Result<Self, Fault> {
        self.add(procedure, &args, false)?;
        Ok(self)
    }

    /// How many items it has, notifications included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of its items are calls.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls
    }

    fn add(&mut self, procedure: &str, args: &impl Serialize, wants_answer: bool) -> Result<(), Fault> {
        let args = OwnedPayload::encode(args, Format::Json).map_err(not_encodable)?;
        self.items.push(Item { procedure: procedure.into(), args, wants_answer });
        self.calls += usize::from(wants_answer);
        Ok(())
    }

    /// The items as a speaker wants them; `ids` are the numbers of the calls.
    pub(crate) fn items<'a>(&'a self, ids: &[u64]) -> Vec<BatchItem<'a>> {
        let mut ids = ids.iter().copied();
        let item = |item: &'a Item| BatchItem {
            id: if item.wants_answer { ids.next() } else { None },
            procedure: &item.procedure,
            args: &item.args as &dyn Encode,
        };
        self.items.iter().map(item).collect()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.items.iter().map(|item| &item.procedure)).finish()
    }
}

/// What came of the calls of a [`Batch`], in the order in which they were added.
/// Notifications are not counted.
#[derive(Clone, Debug, Default)]
pub struct Answers(Vec<Answer>);

impl Answers {
    pub(crate) fn new(answers: Vec<Answer>) -> Self {
        Self(answers)
    }

    /// The answer to the call at `index`, decoded.
    ///
    /// # Errors
    ///
    /// Fails with the fault the far side answered, and with
    /// [`FaultKind::InvalidReply`] if the answer does not fit `T`.
    ///
    /// # Panics
    ///
    /// Panics if there were not as many calls, as indexing does.
    pub fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, Fault> {
        self.0[index].as_ref().map_err(Clone::clone).and_then(|answer| decode(answer.borrow()))
    }

    /// How many calls there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there were no calls.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answers one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Answer> {
        self.0.iter()
    }

    /// The answers, still encoded.
    #[must_use]
    pub fn into_vec(self) -> Vec<Answer> {
        self.0
    }
}

impl Index<usize> for Answers {
    type Output = Answer;

    fn index(&self, index: usize) -> &Answer {
        &self.0[index]
    }
}

impl IntoIterator for Answers {
    type Item = Answer;
    type IntoIter = std::vec::IntoIter<Answer>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Answers {
    type Item = &'a Answer;
    type IntoIter = std::slice::Iter<'a, Answer>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Decodes the answer to a call.
///
/// # Errors
///
/// Fails with [`FaultKind::InvalidReply`] if it does not fit `T`.
pub fn decode<T: DeserializeOwned>(answer: Payload<'_>) -> Result<T, Fault> {
    // this is user code on the connection's task, which must go on whatever it does
    let decoded = catch_unwind(AssertUnwindSafe(|| answer.decode())).map_err(|_| {
        Fault::new(
            FaultKind::InvalidReply,
            "decoding the answer panicked, in an implementation of Deserialize",
        )
    })?;
    decoded.map_err(|error| {
        let message = format!("the answer is not of the expected type: {error}");
        Fault::new(FaultKind::InvalidReply, message).with_source(error)
    })
}

/// What a caller is told whose own arguments cannot be sent.
#[must_use]
pub fn not_encodable(error: trunkline_core::EncodeError) -> Fault {
    Fault::new(FaultKind::InvalidArgs, format!("the arguments cannot be encoded: {error}")).with_source(error)
}
