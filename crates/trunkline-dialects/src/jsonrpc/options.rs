//! [`JsonRpc`]: the language, and the settings of those who speak it.

use super::{
    NullId, Rules,
    hear::Hearing,
    say::{MuxRole, Saying},
};
use std::time::Duration;
use trunkline_core::{Dialect, Language, Limits, Speaker};

/// JSON-RPC 2.0 as a [`Language`], strict by default.
///
/// How much may be said is not its business: each conversation begins with the
/// [`Limits`] of whoever holds it.
///
/// ```
/// use trunkline_dialects::jsonrpc::JsonRpc;
///
/// let strict = JsonRpc::strict();
/// let lenient = JsonRpc::default().any_version().silent_invalid();
/// ```
#[derive(Clone, Debug)]
pub struct JsonRpc {
    any_version: bool,
    reject_null_params: bool,
    wrap_scalar_params: bool,
    null_id: NullId,
    pub(super) silent_invalid: bool,
    pub(super) plain_error_code: i64,
    pub(super) substitute_falsy: bool,
    pub(super) events: bool,
    pub(super) pace: Duration,
    pub(super) always_paced: bool,
    pub(super) mux: Option<MuxRole>,
}

impl Default for JsonRpc {
    fn default() -> Self {
        Self {
            any_version: false,
            reject_null_params: false,
            wrap_scalar_params: false,
            null_id: NullId::default(),
            silent_invalid: false,
            plain_error_code: super::code::SERVER_ERROR,
            substitute_falsy: false,
            events: false,
            pace: Duration::from_millis(10),
            always_paced: false,
            mux: None,
        }
    }
}

impl JsonRpc {
    /// The letter of the protocol: `"params":null` is refused too, and peers that
    /// send no line feeds get no special treatment.
    #[must_use]
    pub fn strict() -> Self {
        Self::default().reject_null_params().pace(Duration::ZERO)
    }

    /// For clients of json-rpc-server-stream: plain errors are -32603, scalar
    /// params are wrapped. Goes with a framing that sends no line feeds.
    #[must_use]
    pub fn json_rpc_stream() -> Self {
        Self {
            always_paced: true,
            ..Self::default().plain_error_code(super::code::INTERNAL_ERROR).wrap_scalar_params()
        }
    }

    /// For clients of ws-rpc-messaging: results that it cannot receive are
    /// replaced, scalar params are wrapped.
    #[must_use]
    pub fn ws_rpc_messaging() -> Self {
        Self::default().substitute_falsy().wrap_scalar_params()
    }

    /// For clients of rpc-websockets: events are spelled as they know them.
    #[must_use]
    pub fn rpc_websockets() -> Self {
        Self { events: true, ..Self::default() }
    }

    /// For connections of two mux channels: replies go to the channel of their
    /// request, own calls to the other one.
    #[must_use]
    pub fn mux() -> Self {
        Self { always_paced: true, mux: Some(MuxRole::Learned), ..Self::default() }
    }

    /// Says on which mux channel the far side serves; otherwise that is learned
    /// from where its requests come.
    #[must_use]
    pub fn mux_peer_server(mut self, channel: u8) -> Self {
        self.mux = Some(MuxRole::Fixed(channel));
        self
    }

    /// Accepts messages with any `jsonrpc` member, or none.
    #[must_use]
    pub fn any_version(mut self) -> Self {
        self.any_version = true;
        self
    }

    /// Refuses `"params":null`, which otherwise means "no params".
    #[must_use]
    pub fn reject_null_params(mut self) -> Self {
        self.reject_null_params = true;
        self
    }

    /// Takes a string, number or boolean as params for a list of one.
    #[must_use]
    pub fn wrap_scalar_params(mut self) -> Self {
        self.wrap_scalar_params = true;
        self
    }

    /// What `"id":null` means. Default [`NullId::Request`].
    #[must_use]
    pub fn null_id(mut self, null_id: NullId) -> Self {
        self.null_id = null_id;
        self
    }

    /// Leaves invalid messages without an id unanswered.
    #[must_use]
    pub fn silent_invalid(mut self) -> Self {
        self.silent_invalid = true;
        self
    }

    /// The code of errors that have none of their own. Default -32000.
    #[must_use]
    pub fn plain_error_code(mut self, code: i64) -> Self {
        self.plain_error_code = code;
        self
    }

    /// Replaces the results `null`, `0`, `false` and `""`, which clients of
    /// ws-rpc-messaging cannot receive.
    #[must_use]
    pub fn substitute_falsy(mut self) -> Self {
        self.substitute_falsy = true;
        self
    }

    /// The pause between writes to peers that send no line feeds. Default 10 ms;
    /// zero turns it off.
    #[must_use]
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// What the reader accepts, and how much of it.
    pub(super) fn rules(&self, limits: &Limits) -> Rules {
        Rules {
            max_depth: limits.max_depth,
            max_batch: limits.max_batch,
            any_version: self.any_version,
            reject_null_params: self.reject_null_params,
            wrap_scalar_params: self.wrap_scalar_params,
            null_id: self.null_id,
        }
    }
}

impl Language for JsonRpc {
    fn converse(&self, limits: &Limits) -> (Box<dyn Dialect>, Box<dyn Speaker>) {
        let saying = Saying::new(self, limits);
        (Box::new(Hearing::two_way(self, limits, saying.common())), Box::new(saying))
    }

    fn exchange(&self, limits: &Limits) -> Box<dyn Dialect> {
        Box::new(Hearing::one_way(self, limits))
    }

    fn events(&self, limits: &Limits) -> Box<dyn Dialect> {
        Box::new(Hearing::events(self, limits))
    }

    fn name(&self) -> &'static str {
        "jsonrpc"
    }
}
