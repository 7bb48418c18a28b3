//! [`Rules`]: what the reader accepts beyond the letter of the protocol.

/// What a reader accepts, and how much of it.
///
/// The defaults are those of a listener without options: the protocol to the
/// letter, `"params":null` as "nothing", id null as a request.
///
/// ```
/// use trunkline_dialects::jsonrpc::{NullId, Rules};
///
/// let mut rules = Rules::default();
/// rules.max_batch = 16;
/// rules.null_id = NullId::Notification; // as ws-rpc-messaging and jayson read it
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rules {
    /// How many arrays and objects may stand inside each other, counted over the
    /// whole document. 128, which is also the most: what is above counts as 128.
    pub max_depth: usize,
    /// How many elements a batch may have. 1024.
    pub max_batch: usize,
    /// Accepts any or no `jsonrpc` member. Off.
    pub any_version: bool,
    /// Refuses `"params":null` instead of taking it for "no params". Off.
    pub reject_null_params: bool,
    /// Takes a string, number or boolean as params for the only element of an
    /// array, instead of refusing it. Off.
    pub wrap_scalar_params: bool,
    /// What a message with a method and `"id":null` is.
    pub null_id: NullId,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            max_depth: 128,
            max_batch: 1024,
            any_version: false,
            reject_null_params: false,
            wrap_scalar_params: false,
            null_id: NullId::default(),
        }
    }
}

/// What a message with a method and `"id":null` is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NullId {
    /// A request, answered with `"id":null`.
    #[default]
    Request,
    /// A notification: no answer.
    Notification,
    /// An invalid request.
    Reject,
}
