//! What ws-rpc-messaging finds false, and so never hands to its caller.

use super::write;
use trunkline_core::{CallId, OpenFrame, Outbox};

/// Replaces a result that JavaScript finds false, as ws-rpc-messaging needs it.
pub(super) fn substitute(id: &CallId<'_>, reply: OpenFrame, out: &mut Outbox) {
    let mut head = Vec::new();
    write::success_head(&mut head, id.spelling);
    let value = out.written(reply).get(head.len()..).unwrap_or_default();
    let is_zero =
        || std::str::from_utf8(value).is_ok_and(|text| text.parse::<f64>().is_ok_and(|number| number == 0.0));
    let instead = match value {
        b"null" => b"{}".to_vec(),
        b"false" | b"\"\"" => [b"{\"value\":", value, b"}"].concat(),
        _ if is_zero() => [b"{\"value\":", value, b"}"].concat(),
        _ => return,
    };
    out.rewind(reply);
    out.body().extend_from_slice(&head);
    out.body().extend_from_slice(&instead);
}
