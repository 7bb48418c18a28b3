//! [`Unwritable`]: why a message cannot be built from a value.

/// A value cannot become part of a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unwritable {
    /// The value cannot be written as JSON.
    #[error("the value cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The parameters are a string, a number or a boolean.
    #[error("params must be an array or an object; pass a single value as a tuple or array of one")]
    ScalarParams,
}
