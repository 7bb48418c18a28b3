//! [`coercing`]: arguments of clients of @therms, as their schemas want them.

use crate::Router;
use std::error::Error;

/// A schema that was written by hand is none for clients of @therms, who may call. It says
/// which procedure's, where in it, and why.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SchemaError(Box<dyn Error + Send + Sync>);

/// Coerces arguments that come in the dialect of @therms.
#[cfg(feature = "therms")]
pub(super) fn coercing(router: Router) -> Result<Router, SchemaError> {
    let coercion =
        trunkline_dialects::therms::Coercion::of(&router).map_err(|bad| SchemaError(Box::new(bad)))?;
    Ok(router.coercing(coercion))
}

/// Without the feature they are checked as all others are.
#[cfg(not(feature = "therms"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
pub(super) fn coercing(router: Router) -> Result<Router, SchemaError> {
    Ok(router)
}
