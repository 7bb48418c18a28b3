//! [`JsonRpc`]: the language, and the settings of those who speak it.

use super::{
    NullId, Rules,
    hear::Hearing,
    say::{MuxRole, Saying},
};
use std::{sync::Arc, time::Duration};
use trunkline_core::{Dialect, Language, Limits, Speaker};

/// JSON-RPC 2.0 as a [`Language`], strict by default.
///
/// ```
/// use trunkline_dialects::jsonrpc::JsonRpc;
///
/// let strict = JsonRpc::strict();
/// let lenient = JsonRpc::default().any_version().silent_invalid();
/// ```
#[derive(Clone, Debug)]
pub struct JsonRpc {
    pub(super) rules: Rules,
    pub(super) silent_invalid: bool,
    pub(super) plain_error_code: i64,
    pub(super) expose_internal: bool,
    pub(super) substitute_falsy: bool,
    pub(super) events: bool,
    pub(super) pace: Duration,
    pub(super) always_paced: bool,
    pub(super) mux: Option<MuxRole>,
    pub(super) max_reply: usize,
}

impl Default for JsonRpc {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            silent_invalid: false,
            plain_error_code: super::code::SERVER_ERROR,
            expose_internal: false,
            substitute_falsy: false,
            events: false,
            pace: Duration::from_millis(10),
            always_paced: false,
            mux: None,
            max_reply: Limits::default().max_reply,
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
        self.rules.any_version = true;
        self
    }

    /// Refuses `"params":null`, which otherwise means "no params".
    #[must_use]
    pub fn reject_null_params(mut self) -> Self {
        self.rules.reject_null_params = true;
        self
    }

    /// Takes a string, number or boolean as params for a list of one.
    #[must_use]
    pub fn wrap_scalar_params(mut self) -> Self {
        self.rules.wrap_scalar_params = true;
        self
    }

    /// What `"id":null` means. Default [`NullId::Request`].
    #[must_use]
    pub fn null_id(mut self, null_id: NullId) -> Self {
        self.rules.null_id = null_id;
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

    /// Sends the text of internal errors. For development: it may name what
    /// strangers should not know.
    #[must_use]
    pub fn expose_internal(mut self) -> Self {
        self.expose_internal = true;
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

    /// Takes over the limits that concern the language: depth, batch, reply.
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        self.rules.max_depth = limits.max_depth;
        self.rules.max_batch = limits.max_batch;
        self.max_reply = limits.max_reply;
        self
    }
}

impl Language for JsonRpc {
    fn converse(&self) -> (Box<dyn Dialect>, Box<dyn Speaker>) {
        let saying = Saying::new(self);
        (Box::new(Hearing::two_way(Arc::new(self.clone()), saying.channel())), Box::new(saying))
    }

    fn exchange(&self) -> Box<dyn Dialect> {
        Box::new(Hearing::one_way(Arc::new(self.clone())))
    }

    fn name(&self) -> &'static str {
        "jsonrpc"
    }
}
