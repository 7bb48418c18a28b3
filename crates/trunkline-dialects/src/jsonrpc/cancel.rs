//! How a caller gives a call up.

use super::Params;
use std::borrow::Cow;
use trunkline_core::CallId;

/// How callers give up: as in the Language Server Protocol, or in plain words.
pub(super) fn is_cancel(method: &str) -> bool {
    matches!(method, "$/cancelRequest" | "rpc.cancel")
}

/// The id that the params of a cancellation name: `{"id":…}` or `[…]`.
pub(super) fn cancelled(params: Params<'_>) -> Option<CallId<'_>> {
    #[derive(serde::Deserialize)]
    struct Which<'a> {
        #[serde(borrow)]
        id: &'a serde_json::value::RawValue,
    }
    let Cow::Borrowed(params) = params.into_raw() else { return None };
    let which: Which<'_> = serde_json::from_str(params).ok()?;
    Some(CallId { spelling: which.id.get(), tag: 0 })
}
